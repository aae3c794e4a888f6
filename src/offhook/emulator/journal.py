"""The file that remembers: one JSON line per transaction, appended, synced before anything is acknowledged."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

Line = dict[str, Any]


class JournalError(Exception):
    """The journal cannot be used; the text says who holds it or where it is broken."""


class Journal:
    """Owns one file. A line is whole or absent: a torn tail (a kill in mid-write) is cut off when it is opened."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._fd)
            raise JournalError(f"{path} is in use by another emulator: stop it or choose another home") from None
        self._written = 0
        self._synced = 0
        self._syncing: asyncio.Task[None] | None = None

    def replay(self) -> Iterator[Line]:
        """Every whole line, oldest first. Raises `JournalError` for a broken line that is not the last."""
        content = self._path.read_bytes()
        offset = 0
        for number, raw in enumerate(content.splitlines(keepends=True), start=1):
            line = _parsed(raw)
            if line is None:
                if offset + len(raw) < len(content):
                    os.close(self._fd)
                    raise JournalError(f"{self._path}, line {number} is damaged: repair it or start with an empty home")
                os.ftruncate(self._fd, offset)
                return
            offset += len(raw)
            yield line

    def write(self, line: Line) -> None:
        """Append one line: safe from a kill of this process when it returns, from a power cut after `synced`."""
        raw = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        before = os.fstat(self._fd).st_size
        try:
            written = 0
            while written < len(raw):
                written += os.write(self._fd, raw[written:])
        except OSError:
            os.ftruncate(self._fd, before)
            raise
        self._written += 1

    async def synced(self) -> None:
        """Return once all that was written before this call is on the disk. Waiters share one fsync."""
        target = self._written
        while self._synced < target:
            if self._syncing is None or self._syncing.done():
                self._syncing = asyncio.create_task(self._sync())
            await asyncio.shield(self._syncing)

    async def _sync(self) -> None:
        covered = self._written
        await asyncio.to_thread(os.fsync, self._fd)
        self._synced = covered

    async def close(self) -> None:
        await self.synced()
        os.close(self._fd)


def _parsed(raw: bytes) -> Line | None:
    if not raw.endswith(b"\n"):
        return None
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    return cast("Line", line) if isinstance(line, dict) else None
