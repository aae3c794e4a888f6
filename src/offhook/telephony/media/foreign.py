"""Somebody else's media: what their address serves is asked before a text that carries it is placed.

Only the beginning is fetched. A server that does not tell the size is read until the size is known or the largest that
any carrier takes is passed.
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
from offhook.telephony.media.content_types import SNIFFED_BYTES, WrongType, decide

TIMEOUT_SECONDS: Final = 8.0
MAX_BYTES: Final = 5_000_000
"""The largest that any carrier takes: facts/telephony.md 1.1."""
REMEMBERED_SECONDS: Final = 300.0
"""A campaign sends one address to many people; it is asked once."""

_TOTAL: Final = re.compile(r"bytes [0-9]+-[0-9]+/([0-9]{1,15})")


@dataclass(frozen=True, slots=True)
class ForeignMedium:
    content_type: str
    size_bytes: int


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
            async with self._egress.get(
                url,
                headers={"range": f"bytes=0-{SNIFFED_BYTES - 1}"},
                timeout_seconds=TIMEOUT_SECONDS,
                max_bytes=MAX_BYTES,
            ) as fetched:
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
    if fetched.status not in (200, 206):
        raise Unusable(f"The carrier could not fetch it: it answers {fetched.status}.", code="url_unusable")
    chunks = fetched.chunks()
    head = b""
    while len(head) < SNIFFED_BYTES and (chunk := await anext(chunks, None)) is not None:
        head += chunk
    size = _size(fetched)
    if size is None and fetched.status == 206:
        raise Unusable("Its server does not tell how large it is.", code="url_unusable")
    if size is None:
        size = len(head) + await _count(chunks)
    return ForeignMedium(decide(fetched.headers.get("content-type"), head[:SNIFFED_BYTES]), size)


def _size(fetched: Fetched) -> int | None:
    if fetched.status == 206:
        total = _TOTAL.fullmatch(fetched.headers.get("content-range", "").strip())
        return int(total[1]) if total else None
    length = fetched.headers.get("content-length", "")
    return int(length) if re.fullmatch(r"[0-9]{1,15}", length) else None


async def _count(chunks: AsyncIterator[bytes]) -> int:
    return sum([len(chunk) async for chunk in chunks])
