"""Time, as the emulator sees it: given from outside, so that a test need not wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import time
from typing import Any, Protocol


class Clock(Protocol):
    def time(self) -> float:
        """Seconds since the epoch, UTC."""
        ...

    async def sleep(self, seconds: float, *, until: asyncio.Event | None = None) -> None:
        """Return after `seconds`, or as soon as `until` is set."""
        ...

    def begins(self, task: asyncio.Task[Any]) -> None:
        """A task works for the emulator from now on, save while it sleeps here."""
        ...

    def ends(self, task: asyncio.Task[Any]) -> None: ...


class SystemClock:
    def time(self) -> float:
        return time.time()

    async def sleep(self, seconds: float, *, until: asyncio.Event | None = None) -> None:
        if until is None:
            await asyncio.sleep(max(0.0, seconds))
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await until.wait()

    def begins(self, task: asyncio.Task[Any]) -> None: ...

    def ends(self, task: asyncio.Task[Any]) -> None: ...


class VirtualClock:
    """Stands still until `advance` is awaited; then what is due happens, one sleeper after the other.

    A task that works for the emulator (`begins`, `ends`) is waited for until it has ended or sleeps again, so that
    what it does over the network has happened before the next sleeper wakes.
    """

    def __init__(self, start: float = 1_795_000_000.0) -> None:
        self._now = start
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None], asyncio.Task[Any] | None]] = []
        self._working: set[asyncio.Task[Any]] = set()
        self._changed = asyncio.Event()
        self._advancing = asyncio.Lock()

    def time(self) -> float:
        return self._now

    def begin_at(self, at: float) -> None:
        """Be at `at`. For a clock that nobody sleeps on yet."""
        self._now = at

    def begins(self, task: asyncio.Task[Any]) -> None:
        self._working.add(task)

    def ends(self, task: asyncio.Task[Any]) -> None:
        self._working.discard(task)
        self._changed.set()

    async def sleep(self, seconds: float, *, until: asyncio.Event | None = None) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        task = asyncio.current_task()
        worker = task if task in self._working else None
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), woken, worker))
        watch = None if until is None else asyncio.create_task(_wake_when(until, woken))
        if worker is not None:
            self.ends(worker)
        try:
            await woken
        finally:
            if worker is not None:
                self._working.add(worker)
            if watch is not None:
                watch.cancel()

    async def advance(self, seconds: float) -> None:
        """Move time on by `seconds`; returns when all that became due has happened."""
        async with self._advancing:
            target = self._now + seconds
            await self._settled()
            while self._sleepers and self._sleepers[0][0] <= target:
                due, _, woken, worker = heapq.heappop(self._sleepers)
                if woken.done():
                    continue
                self._now = max(self._now, due)
                if worker is not None:
                    self._working.add(worker)
                woken.set_result(None)
                await self._settled()
            self._now = target
            await self._settled()

    async def _settled(self) -> None:
        """Return when nobody works any more."""
        while True:
            for _ in range(10):  # enough turns of the loop for what is not a task of ours to wake, act and sleep again
                await asyncio.sleep(0)
            if not self._working:
                return
            self._changed.clear()
            await self._changed.wait()


async def _wake_when(until: asyncio.Event, woken: asyncio.Future[None]) -> None:
    await until.wait()
    if not woken.done():
        woken.set_result(None)
