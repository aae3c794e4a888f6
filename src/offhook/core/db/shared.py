"""Commits shared between requests: what arrives while one is under way goes out together in the next.

Each caller is answered only after the commit that holds its item, so nothing is promised that is not stored; sharing
costs no waiting when nobody else is there (facts/performance.md, section 5, "Shared INSERT").
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Final, Generic, TypeVar

import asyncpg

from offhook.core.db.pool import Busy, Connection, Database
from offhook.core.errors import OffhookError, Unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_BATCH: Final = 128

BLOCKED_SECONDS: Final = 4.0
"""How long a batch is tried again, in ever smaller parts, because somebody holds a row that it needs: a request can
wait so long, and soon after whoever stands still is rid of the row (`pool.PATIENCE`)."""

Entry = tuple[Item, "asyncio.Future[Result]"]
Run = Callable[[Connection, Sequence[Item]], Awaitable[Sequence["Result | OffhookError"]]]
"""Stores a batch in the transaction given: one result per item in order; an OffhookError is raised to its caller."""


class SharedCommit(Generic[Item, Result]):
    """Runs `run` on batches, each in one transaction of the system door. `apart`: items of which it differs share
    nothing, so that what one waits for holds up no other; of those that share, one batch is under way at a time."""

    def __init__(
        self,
        database: Database,
        reason: str,
        run: Run[Item, Result],
        *,
        apart: Callable[[Item], Hashable] = lambda _: None,
        max_batch: int = MAX_BATCH,
    ) -> None:
        self._database = database
        self._reason = reason
        self._run = run
        self._apart = apart
        self._max_batch = max_batch
        self._waiting: dict[Hashable, list[Entry[Item, Result]]] = {}
        self._workers: dict[Hashable, asyncio.Task[None]] = {}

    async def submit(self, item: Item) -> Result:
        """Store `item`; returns after its commit. Raises its OffhookError, Unavailable, or what the database said."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        key = self._apart(item)
        self._waiting.setdefault(key, []).append((item, future))
        if key not in self._workers:
            self._workers[key] = asyncio.create_task(self._work(key))
        return await future

    async def close(self) -> None:
        """Wait until everything submitted is stored."""
        if self._workers:
            await asyncio.wait(self._workers.values())

    async def _work(self, key: Hashable) -> None:
        loop = asyncio.get_running_loop()
        try:
            while waiting := self._waiting.pop(key, None):
                batch, rest = waiting[: self._max_batch], waiting[self._max_batch :]
                if rest:
                    self._waiting[key] = rest
                await self._store(batch, loop.time() + BLOCKED_SECONDS)
        finally:
            del self._workers[key]

    async def _store(self, batch: Sequence[Entry[Item, Result]], until: float) -> None:
        try:
            async with self._database.system(self._reason) as connection:
                results = await self._run(connection, [item for item, _ in batch])
        except (asyncpg.PostgresError, OffhookError) as error:
            if len(batch) > 1 and _may_be_of_one(error, until):
                # One bad item spoils the transaction of all: it is looked for in halves, and only it fails.
                middle = len(batch) // 2
                await self._store(batch[:middle], until)
                await self._store(batch[middle:], until)
                return
            _fail(batch, error)
        except BaseException as error:
            _fail(batch, error if isinstance(error, Exception) else asyncio.CancelledError())
            raise
        else:
            _settle(batch, results)


def _may_be_of_one(error: Exception, until: float) -> bool:
    """Whether an error may be about one item and not about all, and there is time to find out."""
    if isinstance(error, Busy):
        return asyncio.get_running_loop().time() < until
    return not isinstance(error, Unavailable)


def _settle(batch: Sequence[Entry[Item, Result]], results: Sequence[Result | OffhookError]) -> None:
    for (_, future), result in zip(batch, results, strict=True):
        if future.done():  # its caller went away; the item is stored all the same
            continue
        if isinstance(result, OffhookError):
            future.set_exception(result)
        else:
            future.set_result(result)


def _fail(batch: Sequence[Entry[Item, Result]], error: BaseException) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
