"""Bytes on their way into the store: counted, hashed and looked at while they pass, never held as a whole."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable

from offhook.telephony.media.content_types import SNIFFED_BYTES


class TooMuch(Exception):
    """More bytes than are taken."""


class Passing:
    """What `chunks` gives, once. `decide` gets the first bytes and tells the type; whatever it raises ends it all,
    before more than these bytes were read. After the last byte, `content_type`, `size_bytes` and `sha256` are set."""

    def __init__(self, chunks: AsyncIterator[bytes], decide: Callable[[bytes], str], *, max_bytes: int) -> None:
        self._chunks = chunks
        self._decide = decide
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        self.content_type = ""
        self.size_bytes = 0

    @property
    def sha256(self) -> bytes:
        return self._hash.digest()

    async def stream(self) -> AsyncIterator[bytes]:
        """The bytes; raises TooMuch."""
        head = b""
        async for chunk in self._chunks:
            self._count(chunk)
            if self.content_type:
                yield chunk
                continue
            head += chunk
            if len(head) >= SNIFFED_BYTES:
                self.content_type = self._decide(head[:SNIFFED_BYTES])
                yield head
        if not self.content_type:
            self.content_type = self._decide(head)
            yield head

    def _count(self, chunk: bytes) -> None:
        self.size_bytes += len(chunk)
        if self.size_bytes > self._max_bytes:
            raise TooMuch
        self._hash.update(chunk)
