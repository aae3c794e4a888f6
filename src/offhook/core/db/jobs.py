"""Background work, put into the queue in the caller's own transaction: a job exists exactly if that commits.

PgQueuer delivers (`consumer.py` runs what arrives); only these two modules know it. Delivery is at least once, in no
promised order, so a handler finds out from its row whether there is still something to do. A payload holds ids only:
the queue's tables belong to no organization and have no row-level security.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final

from offhook.core.db.pool import APP_ROLE, SYSTEM_ROLE, Connection

Payload = bytes | Mapping[str, Any] | uuid.UUID

Handler = Callable[[bytes], Awaitable[None]]
"""Runs jobs of one entrypoint; gets the payload. May raise RetryLater; anything else that it raises is retried with
growing pauses."""


class RetryLater(Exception):
    """Not now: run this job again after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:.3f} s")
        self.seconds = max(0.0, seconds)


_TABLES: Final = ("pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics")
_SEQUENCES: Final = ("pgqueuer_id_seq", "pgqueuer_schedules_id_seq", "pgqueuer_statistics_id_seq")

LOG_KEPT_DAYS: Final = 7
COUNTS_KEPT_DAYS: Final = 30

# Without a conflict target, so that the inserting role needs no right to read the table.
_INSERT: Final = """
insert into pgqueuer (priority, entrypoint, payload, execute_after, dedupe_key, status)
values ($1, $2, $3, coalesce($4, now()), $5, 'queued')
on conflict do nothing"""


async def enqueue(
    connection: Connection,
    entrypoint: str,
    payload: Payload,
    *,
    execute_after: datetime | None = None,
    dedupe_key: str | None = None,
    priority: int = 0,
) -> None:
    """Queue one job in the connection's transaction, through either door.

    `execute_after` None: at once. While a job with the same `dedupe_key` waits or runs, a second one is not queued.
    """
    await connection.execute(_INSERT, priority, entrypoint, encode(payload), execute_after, dedupe_key)


def queue_ids(
    source: str, entrypoint: str, *, at: str = "now()", payload: str = "uuid_send(id)", priority: int = 0
) -> str:
    """SQL that queues a job with the `id` of each row of `source` (what follows FROM), for a statement that stores
    those rows in the same breath. `entrypoint`, `at` and `payload` are SQL expressions over the row. Of the jobs that
    are due, those of more `priority` go first."""
    return (
        "insert into pgqueuer (priority, entrypoint, payload, execute_after, status)"
        f" select {priority}, {entrypoint}, {payload}, {at}, 'queued' from {source}"
    )


FORGET_LOGGED: Final = f"""
delete from pgqueuer_log where id in (
    select id from pgqueuer_log where aggregated and created < now() - interval '{LOG_KEPT_DAYS} days'
    limit $1 for update skip locked
)
"""
FORGET_COUNTED: Final = f"""
delete from pgqueuer_statistics where id in (
    select id from pgqueuer_statistics where created < now() - interval '{COUNTS_KEPT_DAYS} days'
    limit $1 for update skip locked
)
"""
"""Delete `$1` of what the queue notes down about jobs that have ended, and counts of them."""


def encode(payload: Payload) -> bytes:
    """A payload as it is stored: bytes as they are, an id as its 16 bytes, a mapping as JSON."""
    if isinstance(payload, bytes):
        return payload
    if isinstance(payload, uuid.UUID):
        return payload.bytes
    return json.dumps(dict(payload), separators=(",", ":")).encode()


async def install(connection: Any) -> None:
    """Make or update the queue's tables and grant what each role needs. Idempotent.

    `connection` is a raw asyncpg one, as offhook_owner with our schema first in its search path, in no transaction.
    """
    # Loaded here, because only migrations and consumers pay for it.
    from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
    from pgqueuer.adapters.persistence.queries import Queries

    queries = Queries(AsyncpgDriver(connection))
    if await connection.fetchval("select to_regclass('pgqueuer')") is None:
        await queries.install()
    else:
        await queries.upgrade()
    await connection.execute(f"grant insert on pgqueuer to {APP_ROLE}")
    await connection.execute(f"grant usage on sequence pgqueuer_id_seq to {APP_ROLE}")
    await connection.execute(f"grant select, insert, update, delete on {', '.join(_TABLES)} to {SYSTEM_ROLE}")
    await connection.execute(f"grant usage on sequence {', '.join(_SEQUENCES)} to {SYSTEM_ROLE}")
