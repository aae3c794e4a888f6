"""What runs beside the requests: started here, ended together."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import time
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from offhook.emulator.clock import Clock

_log = logging.getLogger("offhook.emulator")

FULL_DISK_SECONDS = 1.0
"""How long work waits for a disk that did not take what it wrote."""
QUIET_SECONDS = 60.0


def reason_of(error: OSError) -> str:
    """Why a disk refused: `ENOSPC` for one that is full."""
    return errno.errorcode.get(error.errno or 0, type(error).__name__)


class Tasks:
    """Holds background tasks, so that none is lost while it runs or left over at the end, and tells the clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running: set[asyncio.Task[Any]] = set()
        self._quiet_until = 0.0

    def spawn(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `work`; where the disk does not take what it writes, again from its beginning, as after a restart."""
        task = asyncio.create_task(self._until_kept(work))
        self._running.add(task)
        self._clock.begins(task)
        task.add_done_callback(self._ended)

    async def _until_kept(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                return await work()
            except OSError as error:
                await self.wait_for_the_disk(error)

    async def wait_for_the_disk(self, error: OSError) -> None:
        """Say what it refused for, once a minute at most, and wait a while."""
        if time.monotonic() >= self._quiet_until:
            self._quiet_until = time.monotonic() + QUIET_SECONDS
            reason = reason_of(error)
            _log.warning("the disk does not take what happened; it is tried again", extra={"error_type": reason})
        await self._clock.sleep(FULL_DISK_SECONDS)

    @contextlib.contextmanager
    def at_work(self) -> Generator[None]:
        """The task that is running now works for the emulator as long as this is open."""
        task = asyncio.current_task()
        assert task is not None
        self._clock.begins(task)
        try:
            yield
        finally:
            self._clock.ends(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        self._clock.ends(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a background task ended early", extra={"error_type": type(error).__name__})

    async def end(self) -> None:
        """Cancel what runs and wait for it."""
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
