"""The emulator's memory with its journal: tables to read, and the one way to change them."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from offhook.emulator.clock import Clock, SystemClock
from offhook.emulator.journal import Journal
from offhook.emulator.settings import Account
from offhook.emulator.tables import Event, Record, Tables

__all__ = ["Event", "Record", "Store"]

_log = logging.getLogger("offhook.emulator")

COMPACTION_BYTES = 32 * 1024 * 1024
"""A journal is not rewritten while it runs before it is so large, and twice as large as it was after the last time."""
COMPACTION_LINES = 1000
"""Nor at the start while it has fewer lines, or fewer than thrice what it would have."""


class Store(Tables):
    """Opened on a home folder; replays its journal. One process at a time."""

    def __init__(self, home: Path, *, clock: Clock | None = None, compaction_bytes: int = COMPACTION_BYTES) -> None:
        super().__init__()
        self._clock: Clock = clock or SystemClock()
        self._home = home
        self._listeners: list[Callable[[], None]] = []
        self._journal = Journal(home / "journal.jsonl")
        self._compaction_bytes = self._next_compaction_bytes = compaction_bytes
        lines = 0
        for lines, line in enumerate(self._journal.replay(), start=1):
            try:
                self.apply(line)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                why = "holds no transaction: was it written by another version? Use that one, or an empty home"
                raise self._journal.unusable(lines, why) from error
        if lines > max(COMPACTION_LINES, 3 * self.size()):
            self._compact_if_possible()

    def append(self, *records: Record) -> int:
        """Write one transaction and apply it; all of its records survive a kill, or none. Returns its number."""
        line = {"seq": self._seq + 1, "at": self._clock.time(), "do": list(records)}
        self._journal.write(line)
        self.apply(line)
        if self._journal.size_bytes >= self._next_compaction_bytes:
            self._compact_if_possible()
        self.wake_listeners()
        return self._seq

    def compact(self) -> None:
        """Rewrite the journal as what it amounts to; a kill in the middle leaves the old one or the new one.

        Everything else waits while it is done.
        """
        self._journal.rewrite(self.snapshot())
        self._next_compaction_bytes = max(self._compaction_bytes, 2 * self._journal.size_bytes)

    def _compact_if_possible(self) -> None:
        """A disk that has no room for a second journal is no reason to stop: the old one is whole and goes on."""
        try:
            self.compact()
        except OSError as error:
            self._next_compaction_bytes = 2 * self._journal.size_bytes
            _log.warning("the journal could not be rewritten", extra={"error_type": type(error).__name__})

    async def synced(self) -> None:
        """Return once everything appended so far is on the disk."""
        await self._journal.synced()

    async def close(self) -> None:
        await self._journal.close()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have `listener` called after every transaction; call what is returned to end it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def wake_listeners(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    def add_account(self, account: Account) -> None:
        """Keep an account, or replace the one with its sid. Unchanged, nothing is written."""
        if self.accounts.get(account.sid) != account:
            self.append({"type": "account", **asdict(account)})

    def seed(self, account_sid: str) -> bytes:
        """32 bytes that an account's own keys are made from; drawn once, then the same for ever."""
        if account_sid not in self._seeds:
            self.append({"type": "seed", "account_sid": account_sid, "seed": secrets.token_hex(32)})
        return self._seeds[account_sid]

    def medium_path(self, sid: str) -> Path:
        """Where a medium's bytes are: write and sync them there before its record."""
        return self._home / "media" / sid
