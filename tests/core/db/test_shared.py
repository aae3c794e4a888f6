"""Commits shared between callers: answered after it, spoiled by nobody."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence

import asyncpg

from offhook.core.db.pool import Busy, Connection, Database
from offhook.core.db.shared import SharedCommit
from offhook.core.errors import Conflict, OffhookError, Unavailable


class Suppressions:
    """Stores numbers, and remembers in what batches."""

    def __init__(self, organization_id: uuid.UUID) -> None:
        self.organization_id = organization_id
        self.batches: list[int] = []

    async def store(self, connection: Connection, numbers: Sequence[str]) -> Sequence[str | OffhookError]:
        self.batches.append(len(numbers))
        for number in numbers:
            if number != "refused":
                await connection.execute(
                    "insert into suppressions values ($1, $2, 'operator')", self.organization_id, number
                )
        return [Conflict("no") if number == "refused" else f"stored {number}" for number in numbers]


async def stored(database: Database) -> int:
    async with database.system("a test") as connection:
        return await connection.fetchval("select count(*) from suppressions")


async def test_what_arrives_during_a_commit_shares_the_next(database: Database, organization: uuid.UUID) -> None:
    work = Suppressions(organization)
    shared = SharedCommit(database, "a test", work.store)
    results = await asyncio.gather(*(shared.submit(str(n)) for n in range(50)))
    assert results == [f"stored {n}" for n in range(50)]
    assert await stored(database) == 50
    assert len(work.batches) <= 3


async def test_an_answer_comes_only_after_its_commit(database: Database, organization: uuid.UUID) -> None:
    shared = SharedCommit(database, "a test", Suppressions(organization).store)

    async def submit(number: str) -> bool:
        await shared.submit(number)
        async with database.system("a test") as connection:
            return await connection.fetchval("select exists (select from suppressions where number = $1)", number)

    assert all(await asyncio.gather(*(submit(str(n)) for n in range(10))))


async def test_a_bad_item_fails_alone(database: Database, organization: uuid.UUID) -> None:
    shared = SharedCommit(database, "a test", Suppressions(organization).store)
    numbers = ["1", "2", "2", "refused", "3"]
    results = await asyncio.gather(*(shared.submit(number) for number in numbers), return_exceptions=True)
    assert [type(result) for result in results] == [str, str, asyncpg.UniqueViolationError, Conflict, str]
    assert await stored(database) == 3


async def test_one_bad_item_of_many_is_found_in_halves(database: Database, organization: uuid.UUID) -> None:
    work = Suppressions(organization)
    shared = SharedCommit(database, "a test", work.store)
    await shared.submit("17")
    results = await asyncio.gather(*(shared.submit(str(n)) for n in range(64)), return_exceptions=True)
    assert [n for n, result in enumerate(results) if isinstance(result, BaseException)] == [17]
    assert len(work.batches) <= 1 + 1 + 2 * 6  # the first, all of them, and twice as many as halvings
    assert await stored(database) == 64


async def test_what_blocks_some_items_holds_up_none_that_are_apart(database: Database, organization: uuid.UUID) -> None:
    shared = SharedCommit(database, "a test", Suppressions(organization).store, apart=lambda number: number[0])
    async with database.system("a process that stands still") as connection:
        await connection.execute("insert into suppressions values ($1, 'a1', 'operator')", organization)
        blocked = [asyncio.create_task(shared.submit(number)) for number in ("a1", "a2")]
        assert await asyncio.wait_for(shared.submit("b1"), 1.5) == "stored b1"  # before anybody loses patience
        outcomes = await asyncio.gather(*blocked, return_exceptions=True)
    assert isinstance(outcomes[0], Busy)
    assert outcomes[1] == "stored a2"


async def test_a_caller_that_goes_away_takes_nothing_back(database: Database, organization: uuid.UUID) -> None:
    shared = SharedCommit(database, "a test", Suppressions(organization).store)
    leaving = asyncio.create_task(shared.submit("1"))
    await asyncio.sleep(0)
    leaving.cancel()
    await shared.close()
    assert await shared.submit("2") == "stored 2"
    assert await stored(database) == 2


async def test_without_a_database_everybody_is_told(database: Database, organization: uuid.UUID) -> None:
    shared = SharedCommit(database, "a test", Suppressions(organization).store)
    await database.close()
    results = await asyncio.gather(*(shared.submit(str(n)) for n in range(3)), return_exceptions=True)
    assert all(isinstance(result, Unavailable) for result in results)
