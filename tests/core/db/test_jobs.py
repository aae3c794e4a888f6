"""The queue through both doors, and a consumer that loses its database, its handlers' patience, and its life."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver

from offhook.core.db import jobs
from offhook.core.db.consumer import Consumer, ConsumerSettings, Handler, RetryLater
from offhook.core.db.jobs import install
from offhook.core.db.pool import Database

QUICK = ConsumerSettings(heartbeat_timeout_seconds=1.0, poll_seconds=0.3, stop_grace_seconds=0.3)


async def eventually(condition: Callable[[], bool] | Callable[[], Awaitable[bool]], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while True:
        held = condition()
        if held is True or (not isinstance(held, bool) and await held):
            return
        assert time.monotonic() < deadline, "the condition did not come to hold"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def consuming(
    database: Database, handlers: dict[str, Handler], settings: ConsumerSettings = QUICK
) -> AsyncGenerator[Consumer]:
    consumer = Consumer(database, handlers, settings)
    running = asyncio.create_task(consumer.run())
    try:
        await asyncio.wait_for(consumer.ready.wait(), 5)
        yield consumer
    finally:
        consumer.stop()
        await asyncio.wait_for(running, 5)


async def left(database: Database) -> int:
    async with database.system("look at the queue") as connection:
        return await connection.fetchval("select count(*) from pgqueuer")


async def test_a_job_runs_once_its_transaction_commits(database: Database, organization: uuid.UUID) -> None:
    seen: list[bytes] = []

    async def handler(payload: bytes) -> None:
        seen.append(payload)

    async with consuming(database, {"greet": handler}):
        async with database.tenant(organization) as connection:
            await jobs.enqueue(connection, "greet", {"id": "a"})
            await jobs.enqueue(connection, "greet", organization)
            assert not seen
        await eventually(lambda: len(seen) == 2)
        assert set(seen) == {b'{"id":"a"}', organization.bytes}


async def test_a_job_of_a_rolled_back_transaction_never_existed(database: Database, organization: uuid.UUID) -> None:
    async def fail() -> None:
        async with database.tenant(organization) as connection:
            await jobs.enqueue(connection, "greet", b"x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await left(database) == 0


async def test_a_job_waits_for_its_time(database: Database) -> None:
    seen: list[float] = []

    async def handler(_: bytes) -> None:
        seen.append(time.time())

    due = datetime.now(UTC) + timedelta(seconds=0.6)
    async with consuming(database, {"later": handler}):
        async with database.system("test") as connection:
            await jobs.enqueue(connection, "later", b"", execute_after=due)
        await eventually(lambda: bool(seen))
    assert due.timestamp() <= seen[0] < due.timestamp() + 1.0


async def test_a_dedupe_key_keeps_one_job_waiting(database: Database) -> None:
    async with database.system("test") as connection:
        for payload in (b"1", b"2"):
            await jobs.enqueue(connection, "once", payload, dedupe_key="k")
    assert await left(database) == 1


async def test_a_failing_job_comes_again_and_may_name_its_own_pause(database: Database) -> None:
    calls: list[str] = []

    async def handler(_: bytes) -> None:
        calls.append("call")
        if len(calls) == 1:
            raise RetryLater(0.1)
        if len(calls) == 2:
            raise ValueError("a secret that must not be kept")

    async with consuming(database, {"shaky": handler}):
        async with database.system("test") as connection:
            await jobs.enqueue(connection, "shaky", b"")
        await eventually(lambda: len(calls) == 3)
        await eventually(lambda: _none_left(database))
    async with database.system("test") as connection:
        kept = await connection.fetchval("select string_agg(traceback::text, '') from pgqueuer_log")
    assert "secret" not in kept


async def _none_left(database: Database) -> bool:
    return await left(database) == 0


async def test_the_tenants_door_may_add_jobs_and_nothing_else(database: Database, organization: uuid.UUID) -> None:
    for statement in ("select * from pgqueuer", "delete from pgqueuer", "update pgqueuer set priority = 1"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.tenant(organization) as connection:
                await connection.execute(statement)


async def test_stopping_is_quick_and_gives_running_jobs_back(database: Database) -> None:
    started, finished = asyncio.Event(), asyncio.Event()

    async def endless(_: bytes) -> None:
        started.set()
        await asyncio.Event().wait()

    async def quick(_: bytes) -> None:
        finished.set()

    async with consuming(database, {"work": endless}) as consumer:
        async with database.system("test") as connection:
            await jobs.enqueue(connection, "work", b"")
        await asyncio.wait_for(started.wait(), 5)
        begun = time.monotonic()
        consumer.stop()
        await eventually(lambda: not consumer.ready.is_set(), 10.0)
        assert time.monotonic() - begun < 10.0
    async with consuming(database, {"work": quick}):
        await asyncio.wait_for(finished.wait(), 5)


async def test_the_job_of_a_worker_that_died_is_taken_over(database: Database, superuser_dsn: str) -> None:
    taken = asyncio.Event()

    async def handler(_: bytes) -> None:
        taken.set()

    async with database.system("test") as connection:
        await jobs.enqueue(connection, "work", b"")
    # What a worker that was killed in the middle of a job leaves behind.
    connection = await asyncpg.connect(superuser_dsn)
    await connection.execute(
        "update offhook.pgqueuer set status = 'picked', queue_manager_id = gen_random_uuid(), heartbeat = now()"
    )
    await connection.close()
    async with consuming(database, {"work": handler}):
        await asyncio.wait_for(taken.wait(), 5)


@asynccontextmanager
async def cut_off(superuser_dsn: str) -> AsyncGenerator[Callable[[], Awaitable[object]]]:
    """Cuts the connections on which consumers listen."""
    connection = await asyncpg.connect(superuser_dsn)
    try:
        yield lambda: connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name like '%:listen'"
        )
    finally:
        await connection.close()


async def test_a_consumer_comes_back_when_its_connection_is_cut(database: Database, superuser_dsn: str) -> None:
    seen: list[bytes] = []

    async def handler(payload: bytes) -> None:
        seen.append(payload)

    async with consuming(database, {"work": handler}) as consumer, cut_off(superuser_dsn) as cut:
        for number in range(3):
            await cut()
            await eventually(lambda: not consumer.ready.is_set())
            async with database.system("test") as door:
                await jobs.enqueue(door, "work", bytes([number]))
            # A job whose end was not recorded before the cut comes again: delivery is at least once.
            await eventually(lambda number=number: bytes([number]) in seen)
    assert set(seen) == {b"\x00", b"\x01", b"\x02"}


async def test_a_job_that_goes_on_and_on_does_not_keep_a_consumer_from_coming_back(
    database: Database, superuser_dsn: str
) -> None:
    starts: list[bytes] = []
    asked = asyncio.Event()

    async def endless(payload: bytes) -> None:
        starts.append(payload)
        await asyncio.Event().wait()

    async def quick(_: bytes) -> None:
        asked.set()

    async with (
        consuming(database, {"endless": endless, "quick": quick}) as consumer,
        cut_off(superuser_dsn) as cut,
    ):
        async with database.system("test") as connection:
            await jobs.enqueue(connection, "endless", b"")
        await eventually(lambda: len(starts) == 1)
        await cut()
        await eventually(lambda: not consumer.ready.is_set())
        async with database.system("test") as connection:
            await jobs.enqueue(connection, "quick", b"")
        await asyncio.wait_for(asked.wait(), 10)
        assert consumer.ready.is_set()
        await eventually(lambda: len(starts) == 2)  # given back by the heartbeat that nobody sends any more


async def test_a_connection_that_is_confused_counts_as_lost(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: list[bytes] = []

    async def endless(payload: bytes) -> None:
        starts.append(payload)
        await asyncio.Event().wait()

    real, confused = AsyncpgDriver.fetch, asyncio.Event()

    async def fetch(driver: AsyncpgDriver, query: str, *args: object) -> list[dict[str, object]]:
        if confused.is_set():
            confused.clear()
            raise asyncpg.InternalClientError("cannot switch to state 2; another operation (2) is in progress")
        return await real(driver, query, *args)

    monkeypatch.setattr(AsyncpgDriver, "fetch", fetch)
    async with consuming(database, {"endless": endless}):
        async with database.system("test") as connection:
            await jobs.enqueue(connection, "endless", b"")
        await eventually(lambda: len(starts) == 1)
        confused.set()
        await eventually(lambda: len(starts) == 2)


async def test_installing_twice_changes_nothing(database: Database, superuser_dsn: str) -> None:
    connection = await asyncpg.connect(superuser_dsn)
    await connection.execute("set role offhook_owner; set search_path to offhook")
    await install(connection)
    await connection.close()
    assert await left(database) == 0
