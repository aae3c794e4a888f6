"""The file that remembers: one JSON line per transaction, appended, synced before anything is acknowledged."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

Line = dict[str, Any]

_WRITE_CHUNK_BYTES = 1024 * 1024


class JournalError(Exception):
    """The journal cannot be used; the text says who holds it or where it is broken."""


class Journal:
    """Owns one file. A line is whole or absent: a torn tail (a kill in mid-write) is cut off when it is opened."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        # The lock is a file of its own, because the journal's is replaced by `rewrite`.
        self._lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise JournalError(f"{path} is in use by another emulator: stop it or choose another home") from None
        self._fd = self._opened()
        self._size_bytes = os.fstat(self._fd).st_size
        self._written = 0
        self._synced = 0
        self._syncing: asyncio.Task[None] | None = None

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def _opened(self) -> int:
        return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def replay(self) -> Iterator[Line]:
        """Every whole line, oldest first. Raises `JournalError` for one that is no JSON object."""
        offset = 0
        with self._path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                if not raw.endswith(b"\n"):
                    self._cut(offset)
                    return
                line = _parsed(raw)
                if line is None:
                    raise self.unusable(number, "is damaged: repair it or start with an empty home")
                offset += len(raw)
                yield line

    def unusable(self, number: int, why: str) -> JournalError:
        """The error to raise for a line; the journal is closed."""
        self._release()
        return JournalError(f"{self._path}, line {number} {why}")

    def write(self, line: Line) -> None:
        """Append one line: safe from a kill of this process when it returns, from a power cut after `synced`."""
        raw = _encoded(line)
        before = self._size_bytes
        try:
            _write_all(self._fd, raw)
        except OSError:
            self._cut(before)
            raise
        self._size_bytes += len(raw)
        self._written += 1

    def rewrite(self, lines: Iterable[Line]) -> None:
        """Replace everything by `lines`: on the disk under another name first, then renamed over the old file.

        A kill at any moment leaves the old journal or the new one, each whole. A remainder of the other name is
        overwritten by the next rewrite.
        """
        new = self._path.with_suffix(".new")
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            for chunk in _chunks(lines):
                _write_all(fd, chunk)
            os.fsync(fd)
            new.rename(self._path)
        except OSError:
            new.unlink(missing_ok=True)
            raise
        finally:
            os.close(fd)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        os.close(self._fd)
        self._fd = self._opened()
        self._size_bytes = os.fstat(self._fd).st_size
        self._synced = self._written

    async def synced(self) -> None:
        """Return once all that was written before this call is on the disk. Waiters share one fsync."""
        target = self._written
        while self._synced < target:
            if self._syncing is None or self._syncing.done():
                self._syncing = asyncio.create_task(self._sync())
            await asyncio.shield(self._syncing)

    async def _sync(self) -> None:
        # A descriptor of its own: `rewrite` may close the journal's in the meantime.
        covered, fd = self._written, os.dup(self._fd)
        try:
            await asyncio.to_thread(os.fsync, fd)
        finally:
            os.close(fd)
        self._synced = max(self._synced, covered)

    async def close(self) -> None:
        await self.synced()
        self._release()

    def _cut(self, size_bytes: int) -> None:
        os.ftruncate(self._fd, size_bytes)
        self._size_bytes = size_bytes

    def _release(self) -> None:
        os.close(self._fd)
        os.close(self._lock)


def _encoded(line: Line) -> bytes:
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def _chunks(lines: Iterable[Line]) -> Iterator[bytes]:
    chunk = bytearray()
    for line in lines:
        chunk += _encoded(line)
        if len(chunk) >= _WRITE_CHUNK_BYTES:
            yield bytes(chunk)
            chunk.clear()
    yield bytes(chunk)


def _write_all(fd: int, raw: bytes) -> None:
    written = 0
    while written < len(raw):
        written += os.write(fd, raw[written:])


def _parsed(raw: bytes) -> Line | None:
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return cast("Line", line) if isinstance(line, dict) else None
