"""The two doors to PostgreSQL.

`tenant(organization_id)` opens a transaction in which row-level security shows one organization and nothing else.
`system(reason)` opens one for work that belongs to no single organization (the queue, routing a webhook to its
owner, looking a key up); the reason says why, so that every use can be found and judged.

Both connect with the login of the DATABASE_URL and take on a role without BYPASSRLS: `offhook_app` or
`offhook_system`. No other module opens connections for queries.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Protocol, cast

import asyncpg

from offhook.core.errors import Unavailable
from offhook.core.jsonvalue import compact

SCHEMA = "offhook"
APP_ROLE = "offhook_app"
SYSTEM_ROLE = "offhook_system"
OWNER_ROLE = "offhook_owner"

# What asyncpg raises when the server is away, starting, stopping, or cut the connection
# (InternalClientError: facts/infrastructure.md 3.2).
CONNECTION_ERRORS: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

# Nobody waits for ever: a process that stands still or is cut off while it holds a row is rid of it, and whoever waits
# for one is told. Of all pools; migrations have connections of their own.
PATIENCE: Final[Mapping[str, str]] = {
    "idle_in_transaction_session_timeout": "5s",
    "lock_timeout": "2s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}

_driver: Any = asyncpg  # asyncpg ships no types; what leaves this module is typed by `Connection`

Row = Mapping[str, Any]


class Connection(Protocol):
    """The part of an asyncpg connection that domains use. `$1`-style parameters; rows are mappings."""

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str: ...
    async def executemany(
        self, command: str, args: Sequence[Sequence[Any]], *, timeout: float | None = None
    ) -> None: ...
    async def fetch(self, query: str, *args: Any, timeout: float | None = None) -> list[Row]: ...
    async def fetchrow(self, query: str, *args: Any, timeout: float | None = None) -> Row | None: ...
    async def fetchval(self, query: str, *args: Any, column: int = 0, timeout: float | None = None) -> Any: ...


class Busy(Unavailable):
    """A row stayed locked for too long."""

    default_code = "database_busy"


async def _prepare(connection: Any) -> None:
    await connection.set_type_codec("jsonb", encoder=compact, decoder=json.loads, schema="pg_catalog", format="text")


class Database:
    """Both doors of one process. `open()` before use, `close()` at the end."""

    def __init__(
        self,
        dsn: str,
        *,
        max_connections: int = 10,
        acquire_timeout_seconds: float = 5.0,
        application_name: str = "offhook",
    ) -> None:
        self._dsn = dsn
        self._max = max_connections
        self._acquire_timeout = acquire_timeout_seconds
        self._application = application_name
        self._pools: dict[str, Any] = {}
        self._giving_back: set[asyncio.Future[None]] = set()

    async def open(self) -> None:
        """Raises Unavailable when the server does not answer."""
        for role in (APP_ROLE, SYSTEM_ROLE):
            try:
                self._pools[role] = await _driver.create_pool(
                    self._dsn,
                    min_size=1,
                    max_size=self._max,
                    init=_prepare,
                    timeout=self._acquire_timeout,
                    server_settings={
                        "role": role,
                        "search_path": SCHEMA,
                        "application_name": self._application,
                        **PATIENCE,
                    },
                )
            except CONNECTION_ERRORS as error:
                await self.close()
                raise _unavailable(error) from error

    async def close(self) -> None:
        pools, self._pools = list(self._pools.values()), {}
        await asyncio.gather(*self._giving_back, return_exceptions=True)
        for pool in pools:
            try:
                await asyncio.wait_for(pool.close(), timeout=3.0)
            except CONNECTION_ERRORS:
                pool.terminate()

    @asynccontextmanager
    async def tenant(self, organization_id: uuid.UUID) -> AsyncGenerator[Connection]:
        """A transaction that sees one organization. Commits when the block ends, rolls back when it raises.

        Hold it for SQL only: never across a network call. Raises Unavailable; Busy where somebody else holds a row for
        longer than a request can wait.
        """
        # The id is a UUID object, so formatting it in is safe; one round trip with the BEGIN.
        begin = f"begin; set local app.organization_id = '{uuid.UUID(str(organization_id))}'"
        async with self._transaction(APP_ROLE, begin) as connection:
            yield connection

    @asynccontextmanager
    async def system(self, reason: str) -> AsyncGenerator[Connection]:
        """A transaction over all organizations, for the reason given (a short literal, shown in logs on failure)."""
        if not reason:
            raise ValueError("the system door wants a reason")
        async with self._transaction(SYSTEM_ROLE, "begin") as connection:
            yield connection

    @asynccontextmanager
    async def listening(self, reason: str) -> AsyncGenerator[Any]:
        """A raw asyncpg connection of the system role, outside any transaction and pool: for LISTEN and the queue."""
        if not reason:
            raise ValueError("the system door wants a reason")
        try:
            connection = await _driver.connect(
                self._dsn,
                timeout=self._acquire_timeout,
                server_settings={
                    "role": SYSTEM_ROLE,
                    "search_path": SCHEMA,
                    "application_name": f"{self._application}:listen",
                },
            )
        except CONNECTION_ERRORS as error:
            raise _unavailable(error) from error
        try:
            await _prepare(connection)
            yield connection
        finally:
            connection.terminate()

    @asynccontextmanager
    async def _transaction(self, role: str, begin: str) -> AsyncGenerator[Connection]:
        pool = self._pools.get(role)
        if pool is None:
            raise Unavailable("the database pool is not open", code="database_unavailable")
        try:
            connection = await pool.acquire(timeout=self._acquire_timeout)
        except CONNECTION_ERRORS as error:
            raise _unavailable(error) from error
        try:
            await connection.execute(begin)
            try:
                yield cast(Connection, connection)
            except BaseException:
                if not connection.is_closed():
                    await connection.execute("rollback")
                raise
            await connection.execute("commit")
        except asyncpg.LockNotAvailableError as error:
            raise Busy("somebody else holds what this needs; nothing was changed: try again") from error
        except CONNECTION_ERRORS as error:
            raise _unavailable(error) from error
        finally:
            # asyncpg resets a connection when it is given back, which is a round trip that nobody need wait for:
            # one transaction takes 0.81 of the time (measured in process, 9 alternating rounds).
            giving_back = asyncio.ensure_future(_release(pool, connection))
            self._giving_back.add(giving_back)
            giving_back.add_done_callback(self._giving_back.discard)


async def _release(pool: Any, connection: Any) -> None:
    try:
        await pool.release(connection, timeout=2.0)
    except CONNECTION_ERRORS:
        with suppress(asyncpg.InterfaceError):  # the pool has given it up already
            connection.terminate()


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable(
        f"the database does not answer ({type(error).__name__}); nothing was changed that was not acknowledged",
        code="database_unavailable",
    )
