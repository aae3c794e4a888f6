"""Runs queued jobs: delivery by PgQueuer, reconnection, retries and a clean stop by us.

A job leaves the queue when its handler returns. When the handler raises, it comes again after a growing pause; when
its process dies, another consumer takes it over as soon as its heartbeat is stale; when the consumer is stopped, it
goes back at once.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.executors import EntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Context, Job

from offhook.core.db.jobs import Handler, RetryLater
from offhook.core.db.pool import CONNECTION_ERRORS, Database
from offhook.core.errors import Unavailable
from offhook.core.telemetry import get_logger

_log = get_logger(__name__)

MAX_PAUSE_SECONDS: Final = 300.0
_FIRST_RECONNECT_SECONDS: Final = 0.1
_MAX_RECONNECT_SECONDS: Final = 5.0
_REPORTING_SECONDS: Final = 0.7
"""For PgQueuer to give back what was cancelled."""


def pause_seconds(attempts: int) -> float:
    """How long to wait after the `attempts`-th failure (from 0): facts/infrastructure.md 3.2."""
    return min(MAX_PAUSE_SECONDS, 2.0 ** min(attempts, 16)) * (0.5 + random.random())  # noqa: S311 (jitter, not secrecy)


@dataclass(frozen=True, slots=True)
class ConsumerSettings:
    heartbeat_timeout_seconds: float = 4.0
    """A worker silent for this long is dead, and its jobs are given to others."""
    poll_seconds: float = 2.0
    """How often the queue is looked at although no notification came: jobs of dead workers are found that way."""
    batch_size: int = 20
    max_running: int = 200
    """Jobs that one consumer runs at once. Many of them wait: pumps for the next slot of their lane."""
    stop_grace_seconds: float = 1.0
    """How long running jobs may still take once the consumer is stopped or has lost its connection; then they go back
    to the queue."""


class _Lost(Exception):
    """The connection was there and is gone."""


class _Driver(AsyncpgDriver):
    """Tells that the connection is lost as soon as a statement meets that. asyncpg tells itself when it is closed, but
    not of one that it is merely confused about."""

    def __init__(self, connection: Any, lost: asyncio.Event) -> None:
        super().__init__(connection)
        self._lost = lost

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        with self._telling():
            return await super().fetch(query, *args)

    async def execute(self, query: str, *args: object) -> str:
        with self._telling():
            return await super().execute(query, *args)

    @contextmanager
    def _telling(self) -> Generator[None]:
        try:
            yield
        except CONNECTION_ERRORS:
            self._lost.set()
            raise


class _Executor(EntrypointExecutor):
    """Runs one handler so that being stopped or failing gives the job back instead of losing it."""

    consumer: Consumer

    async def execute(self, job: Job, context: Context) -> None:
        running = asyncio.ensure_future(self.consumer.run_handler(job.entrypoint, job.payload or b""))
        self.consumer.track(running)
        try:
            await running
        except RetryLater as later:
            raise RetryRequested(delay=timedelta(seconds=later.seconds)) from None
        except asyncio.CancelledError:
            raise RetryRequested(delay=timedelta(0)) from None
        except Exception as error:  # noqa: BLE001 (the boundary of a job's execution)
            delay = pause_seconds(job.attempts)
            _log.warning(
                "job_failed",
                job_id=job.id,
                step=job.entrypoint,
                error_type=type(error).__name__,
                attempt=job.attempts,
                delay_seconds=round(delay, 1),
            )
            # Without the cause: PgQueuer would keep its text, which may quote what the job was about.
            raise RetryRequested(delay=timedelta(seconds=delay), reason=type(error).__name__) from None


class Consumer:
    """Runs the jobs of the given entrypoints until stopped."""

    def __init__(
        self, database: Database, handlers: Mapping[str, Handler], settings: ConsumerSettings | None = None
    ) -> None:
        self._database = database
        self._handlers = dict(handlers)
        self._settings = settings or ConsumerSettings()
        self._stop = asyncio.Event()
        self._running: set[asyncio.Future[None]] = set()
        self.ready = asyncio.Event()
        """Set while connected and listening."""

    def track(self, running: asyncio.Future[None]) -> None:
        """Remember a running handler, so that stopping can give its job back."""
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def run_handler(self, entrypoint: str, payload: bytes) -> None:
        """Run the handler of an entrypoint."""
        await self._handlers[entrypoint](payload)

    def stop(self) -> None:
        """Take no more jobs; `run` returns within the grace period."""
        self._stop.set()

    async def run(self) -> None:
        """Consume until `stop`, coming back whenever the database does."""
        pause = _FIRST_RECONNECT_SECONDS
        while not self._stop.is_set():
            try:
                await self._consume()
            except _Lost as error:
                pause = _FIRST_RECONNECT_SECONDS
                _log.warning("queue_connection_lost", error_type=type(error.__cause__ or error).__name__)
            except (*CONNECTION_ERRORS, Unavailable) as error:
                _log.warning("queue_connection_failed", error_type=type(error).__name__, delay_seconds=pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause)
            pause = min(pause * 2, _MAX_RECONNECT_SECONDS)

    async def _consume(self) -> None:
        async with self._database.listening("deliver jobs") as connection:
            lost = asyncio.Event()

            def on_termination(_: object) -> None:
                lost.set()

            connection.add_termination_listener(on_termination)
            manager = self._manager(_Driver(connection, lost))
            work = asyncio.ensure_future(self._run_manager(manager))
            signals = [asyncio.ensure_future(event.wait()) for event in (self._stop, lost)]
            self.ready.set()
            try:
                await asyncio.wait([work, *signals], return_when=asyncio.FIRST_COMPLETED)
                self.ready.clear()
                manager.shutdown.set()
                await self._finish(work)
            except CONNECTION_ERRORS as error:
                raise _Lost from error
            finally:
                self.ready.clear()
                for task in (work, *signals):
                    task.cancel()
            if lost.is_set() and not self._stop.is_set():
                raise _Lost

    async def _finish(self, work: asyncio.Future[None]) -> None:
        """Let running jobs end, for the grace period only: a job may go on as long as there is something to do, and
        until it has ended PgQueuer does not. Those that are cancelled come again, as do all whose end could not be
        reported over a lost connection."""
        await asyncio.wait([work], timeout=self._settings.stop_grace_seconds)
        for running in list(self._running):
            running.cancel()
        await asyncio.wait([work], timeout=_REPORTING_SECONDS)
        if work.done():
            await work

    async def _run_manager(self, manager: QueueManager) -> None:
        settings = self._settings
        await manager.run(
            dequeue_timeout=timedelta(seconds=settings.poll_seconds),
            batch_size=settings.batch_size,
            max_concurrent_tasks=max(settings.max_running, 2 * settings.batch_size),
            heartbeat_timeout=timedelta(seconds=settings.heartbeat_timeout_seconds),
        )

    def _manager(self, driver: AsyncpgDriver) -> QueueManager:
        manager = QueueManager(Queries(driver))
        for entrypoint in self._handlers:
            executor = _Executor(EntrypointExecutorParameters(func=_unused, concurrency_limit=0))
            executor.consumer = self
            manager.register_executor(entrypoint, executor)
        return manager


async def _unused(_: Job) -> None:
    """PgQueuer wants a function per entrypoint; our executor runs the handler itself."""
