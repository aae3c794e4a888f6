"""Media of messages: fetched when a message is being sent, or given by a handset; their bytes are files in the home."""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from offhook.emulator.records import Medium, Message

if TYPE_CHECKING:
    from offhook.emulator.emulation import Emulation

MEDIA_MAX = 10
FETCH_SECONDS = 15.0
"""As long as a webhook may take; how long a carrier really waits for a medium is told nowhere."""
REDIRECTS_MAX = 10

SHOWN_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
"""What a page may show as it is: no SVG, which can hold scripts."""

_ACCEPTED_KINDS = frozenset({"image", "audio", "video"})
_ACCEPTED = frozenset(
    {
        *("text/vcard", "text/x-vcard", "text/csv", "text/rtf", "text/richtext", "text/calendar", "text/directory"),
        *("application/pdf", "application/vcard", "application/vnd.apple.pkpass"),
    }
)
"""twilio.com/docs/messaging/guides/accepted-mime-types"""
_LARGE = frozenset({"image/jpeg", "image/jpg", "image/png", "image/gif"})


@dataclass(frozen=True, slots=True)
class MediaRules:
    """What a face's carrier takes, and the codes of messages that end because of a medium."""

    image_max_bytes: int = 5_000_000  # facts/telephony.md 1.1, as is the next
    other_max_bytes: int = 500_000
    total_max_bytes: int | None = None
    """Of all media of an outbound message together, where a carrier has such a limit."""
    unreachable_code: int = 11200
    type_code: int = 12300
    size_code: int = 30019

    def max_bytes(self, content_type: str) -> int:
        return self.image_max_bytes if content_type in _LARGE else self.other_max_bytes


class MediaRefused(Exception):
    """A medium is not taken; the text says why, `code` is the error a message ends with."""

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(reason)
        self.code = code


def check(content_type: str, size_bytes: int, rules: MediaRules) -> None:
    """Raises `MediaRefused`."""
    if content_type.split("/")[0] not in _ACCEPTED_KINDS and content_type not in _ACCEPTED:
        raise MediaRefused(f"no carrier sends media of type {content_type}", rules.type_code)
    if size_bytes > rules.max_bytes(content_type):
        limit = f"{rules.max_bytes(content_type):,} bytes"
        raise MediaRefused(f"a medium of type {content_type} may have at most {limit}", rules.size_code)


class MediaFetcher:
    """Gets media by their addresses. Any address goes: the emulator is a tool of whoever runs it."""

    def __init__(self, emulation: Emulation) -> None:
        self._emulation = emulation
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def fetch_of(self, message: Message, rules: MediaRules) -> tuple[Medium, ...]:
        """Fetch and keep what a message's addresses give. Raises `MediaRefused`; then nothing is kept."""
        found = [await self.fetch(url, rules) for url in message.media_urls]
        if rules.total_max_bytes is not None and sum(len(data) for _, data in found) > rules.total_max_bytes:
            raise MediaRefused("the media are too large together", rules.size_code)
        return tuple([await self.keep(message, content_type, data) for content_type, data in found])

    async def fetch(self, url: str, rules: MediaRules) -> tuple[str, bytes]:
        """The type and bytes behind an address. Raises `MediaRefused`."""
        assert self._session is not None
        timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
        try:
            async with self._session.get(
                URL(url, encoded=True), timeout=timeout, max_redirects=REDIRECTS_MAX
            ) as answer:
                if answer.status != 200:
                    raise MediaRefused(f"the address of a medium answers {answer.status}", rules.unreachable_code)
                content_type = answer.content_type.lower()
                check(content_type, answer.content_length or 0, rules)
                data = await _read(answer, rules.max_bytes(content_type))
                check(content_type, len(data), rules)
                return content_type, data
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise MediaRefused("a medium cannot be fetched from its address", rules.unreachable_code) from error

    async def keep(self, message: Message, content_type: str, data: bytes) -> Medium:
        """Write the bytes to the home. The caller writes the medium's record, in the message's own transaction."""
        medium = Medium(
            sid="ME" + uuid.uuid4().hex,
            account_sid=message.account_sid,
            message_sid=message.sid,
            content_type=content_type,
            size_bytes=len(data),
            created_at=self._emulation.clock.time(),
        )
        await asyncio.to_thread(_write, str(self._emulation.store.medium_path(medium.sid)), data)
        return medium


async def _read(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    """The body, or one byte more than `limit` of it."""
    data = bytearray()
    while len(data) <= limit and (chunk := await answer.content.read(limit + 1 - len(data))):
        data += chunk
    return bytes(data)


def _write(path: str, data: bytes) -> None:
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    try:
        with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise
