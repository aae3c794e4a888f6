"""Nobody waits for ever for a row, and a connection that is given up disturbs nobody."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator

import asyncpg
import pytest

from offhook.core.db import pool
from offhook.core.db.pool import Busy, Database
from offhook.core.errors import Unavailable


@pytest.fixture
async def impatient(database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Database]:
    quick = {"idle_in_transaction_session_timeout": "300ms", "lock_timeout": "100ms"}
    monkeypatch.setattr(pool, "PATIENCE", {**pool.PATIENCE, **quick})
    opened = Database(database_dsn, application_name="offhook-test")
    await opened.open()
    yield opened
    await opened.close()


async def test_who_waits_too_long_for_a_row_is_told(impatient: Database, organization: uuid.UUID) -> None:
    rename = "update organizations set name = 'Mine' where id = $1"
    async with impatient.tenant(organization) as holder:
        await holder.execute(rename, organization)
        with pytest.raises(Busy) as busy:
            async with impatient.tenant(organization) as waiter:
                await waiter.execute(rename, organization)
    assert (busy.value.status, busy.value.code) == (503, "database_busy")


async def test_who_stands_still_in_a_transaction_loses_it(impatient: Database, organization: uuid.UUID) -> None:
    gone = asyncio.Event()

    async def stand_still() -> None:
        async with impatient.tenant(organization) as holder:
            await holder.execute("update organizations set name = 'Mine' where id = $1", organization)
            raw: asyncpg.Connection = holder._con  # type: ignore[attr-defined]
            raw.add_termination_listener(lambda _: gone.set())
            await asyncio.wait_for(gone.wait(), 10)

    with pytest.raises(Unavailable):
        await stand_still()
    assert gone.is_set()
    async with impatient.tenant(organization) as another:
        await another.execute("update organizations set name = 'Yours' where id = $1", organization)
        assert await another.fetchval("select name from organizations") == "Yours"


async def test_a_connection_that_cannot_be_given_back_keeps_no_pool_open(
    database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Database(database_dsn, application_name="offhook-test")
    await opened.open()
    release = asyncpg.Pool.release

    async def too_slow(self: asyncpg.Pool, connection: object, *, timeout: float | None = None) -> None:
        await release(self, connection, timeout=timeout)
        raise TimeoutError

    monkeypatch.setattr(asyncpg.Pool, "release", too_slow)
    async with opened.system("a test") as connection:
        await connection.execute("select 1")
    await opened.close()
    with pytest.raises(Unavailable):
        async with opened.system("a test"):
            pass
