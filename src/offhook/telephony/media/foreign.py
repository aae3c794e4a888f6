"""Somebody else's media: what their address serves is asked before a text that carries it is placed.

It is asked as the carrier will ask, without a range, because some servers answer the one and not the other; only the
beginning is read. A server that does not tell the size is read until the size is known or the largest that any carrier
takes is passed.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from offhook.core.clock import Clock
from offhook.core.egress import Egress, EgressFailed, EgressRefused, Fetched
from offhook.core.recent import Recent
from offhook.telephony.media.content_types import SNIFFED_BYTES, WrongType, bare, decide

TIMEOUT_SECONDS: Final = 8.0
MAX_BYTES: Final = 5_000_000
"""The largest that any carrier takes: facts/telephony.md 1.1."""
REMEMBERED_SECONDS: Final = 300.0
"""A campaign sends one address to many people; it is asked once."""


@dataclass(frozen=True, slots=True)
class ForeignMedium:
    content_type: str
    size_bytes: int
    declared: str
    """What its server calls it, which is what carriers judge it by; empty where it says nothing."""


class Unusable(Exception):
    """The address cannot be texted. `sentence`: for whoever gave it."""

    def __init__(self, sentence: str, code: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code


class ForeignMedia:
    """Asks addresses what they serve."""

    def __init__(self, egress: Egress, clock: Clock) -> None:
        self._egress = egress
        # By organization: what one was told, another must not learn from the time it takes.
        self._known: Recent[tuple[uuid.UUID, str], ForeignMedium] = Recent(clock, REMEMBERED_SECONDS)

    async def look(self, organization_id: uuid.UUID, url: str) -> ForeignMedium:
        """Raises Unusable."""
        known = self._known.get((organization_id, url))
        if known is not None:
            return known
        try:
            async with self._egress.get(url, timeout_seconds=TIMEOUT_SECONDS, max_bytes=MAX_BYTES) as fetched:
                found = await _read(fetched)
        except EgressRefused as error:
            raise Unusable(error.sentence, code="url_refused") from None
        except EgressFailed as error:
            raise Unusable(f"The carrier could not fetch it: {error.sentence}", code="url_unusable") from None
        except WrongType as error:
            raise Unusable(error.sentence, error.code) from None
        return self._known.put((organization_id, url), found)


async def _read(fetched: Fetched) -> ForeignMedium:
    """Raises EgressFailed, WrongType, Unusable."""
    if fetched.status != 200:
        raise Unusable(f"The carrier could not fetch it: it answers {fetched.status}.", code="url_unusable")
    chunks = fetched.chunks()
    head = b""
    while len(head) < SNIFFED_BYTES and (chunk := await anext(chunks, None)) is not None:
        head += chunk
    length, declared = fetched.headers.get("content-length", ""), fetched.headers.get("content-type")
    content_type = decide(declared, head[:SNIFFED_BYTES])
    size = int(length) if re.fullmatch(r"[0-9]{1,15}", length) else len(head) + await _count(chunks)
    return ForeignMedium(content_type, size, bare(declared))


async def _count(chunks: AsyncIterator[bytes]) -> int:
    return sum([len(chunk) async for chunk in chunks])
