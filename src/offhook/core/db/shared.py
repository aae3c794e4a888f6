"""Commits shared between requests: what arrives while one is under way goes out together in the next.

Each caller is answered only after the commit that holds its item, so nothing is promised that is not stored; sharing
costs no waiting when nobody else is there (facts/performance.md, section 5, "Shared INSERT").
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

import asyncpg

from offhook.core.db.pool import Connection, Database
from offhook.core.errors import OffhookError, Unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_BATCH: Final = 128

Run = Callable[[Connection, Sequence[Item]], Awaitable[Sequence["Result | OffhookError"]]]
"""Stores a batch in the transaction given: one result per item in order; an OffhookError is raised to its caller."""


class SharedCommit(Generic[Item, Result]):
    """Runs `run` on batches, one batch at a time, each in one transaction of the system door."""

    def __init__(self, database: Database, reason: str, run: Run[Item, Result], *, max_batch: int = MAX_BATCH) -> None:
        self._database = database
        self._reason = reason
        self._run = run
        self._max_batch = max_batch
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        """Store `item`; returns after its commit. Raises its OffhookError, Unavailable, or what the database said."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await future

    async def close(self) -> None:
        """Wait until everything submitted is stored."""
        if self._worker is not None:
            await asyncio.wait([self._worker])

    async def _work(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._max_batch], self._waiting[self._max_batch :]
            await self._store(batch)

    async def _store(self, batch: Sequence[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            async with self._database.system(self._reason) as connection:
                results = await self._run(connection, [item for item, _ in batch])
        except (asyncpg.PostgresError, OffhookError) as error:
            if len(batch) > 1 and not isinstance(error, Unavailable):
                # One bad item spoils the transaction of all: each gets its own, and only the bad one fails.
                for entry in batch:
                    await self._store([entry])
                return
            _fail(batch, error)
        except BaseException as error:
            _fail(batch, error if isinstance(error, Exception) else asyncio.CancelledError())
            raise
        else:
            _settle(batch, results)


def _settle(batch: Sequence[tuple[Item, asyncio.Future[Result]]], results: Sequence[Result | OffhookError]) -> None:
    for (_, future), result in zip(batch, results, strict=True):
        if future.done():  # its caller went away; the item is stored all the same
            continue
        if isinstance(result, OffhookError):
            future.set_exception(result)
        else:
            future.set_result(result)


def _fail(batch: Sequence[tuple[Item, asyncio.Future[Result]]], error: BaseException) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
