"""What runs beside the requests: started here, ended together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Generator
from typing import Any

from offhook.emulator.clock import Clock

_log = logging.getLogger("offhook.emulator")


class Tasks:
    """Holds background tasks, so that none is lost while it runs or left over at the end, and tells the clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        self._clock.begins(task)
        task.add_done_callback(self._ended)

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
