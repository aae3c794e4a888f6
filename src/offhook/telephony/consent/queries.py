"""The SQL of the suppression list and of the record behind it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from offhook.core.db.pool import Connection, Row
from offhook.core.http.paging import Page
from offhook.core.ids import new_id
from offhook.telephony.consent.models import ConsentEvent, Suppression

_SUPPRESSION: Final = "md5(number)::uuid as id, number, reason, created_at"
_EVENT: Final = ", ".join(ConsentEvent.__slots__)


def _suppression(row: Row) -> Suppression:
    return Suppression(**{name: row[name] for name in Suppression.__slots__})


async def find_reason(connection: Connection, organization_id: uuid.UUID, number: str) -> str | None:
    """Why the number is on the list; None: it is not."""
    return await connection.fetchval(
        "select reason from suppressions where organization_id = $1 and number = $2", organization_id, number
    )


async def upsert_suppression(
    connection: Connection, organization_id: uuid.UUID, number: str, reason: str, weakest_first: Sequence[str]
) -> None:
    """A stronger reason replaces a weaker one, which stays otherwise."""
    await connection.execute(
        "insert into suppressions as known (organization_id, number, reason) values ($1, $2, $3)"
        " on conflict (organization_id, number) do update set reason = excluded.reason"
        " where array_position($4::text[], excluded.reason) > array_position($4::text[], known.reason)",
        organization_id,
        number,
        reason,
        list(weakest_first),
    )


async def cancel_queued(connection: Connection, organization_id: uuid.UUID, number: str, decision: str) -> int:
    """How many texts to the number will not be sent after all."""
    status = await connection.execute(
        "update messages set status = 'canceled', error_code = 'suppressed', decision = $3, hold_reason = null,"
        " finished_at = clock_timestamp()"
        " where organization_id = $1 and to_number = $2 and status = 'queued'",
        organization_id,
        number,
        decision,
    )
    return int(status.rpartition(" ")[2])


async def lock_number(connection: Connection, organization_id: uuid.UUID, number: str) -> None:
    """Until the transaction ends, nobody else writes down what this person wishes."""
    await connection.execute(
        "select pg_advisory_xact_lock(hashtextextended('consent ' || $1::uuid || $2::text, 0))", organization_id, number
    )


async def has_opted_in_after(
    connection: Connection, organization_id: uuid.UUID, number: str, at: datetime, how: Sequence[str]
) -> bool:
    return await connection.fetchval(
        "select exists (select from consent_events where organization_id = $1 and number = $2 and created_at > $3"
        " and kind = 'opt_in' and how = any($4))",
        organization_id,
        number,
        at,
        list(how),
    )


async def has_opted_out_since(connection: Connection, organization_id: uuid.UUID, number: str, at: datetime) -> bool:
    """Of two at the same moment, the opt-out counts."""
    return await connection.fetchval(
        "select exists (select from consent_events where organization_id = $1 and number = $2 and created_at >= $3"
        " and kind = 'opt_out')",
        organization_id,
        number,
        at,
    )


async def insert_event(
    connection: Connection,
    organization_id: uuid.UUID,
    number: str,
    kind: str,
    how: str,
    message_id: uuid.UUID | None,
    at: datetime | None,
) -> None:
    """`kind`: opt_out, opt_in or help."""
    await connection.execute(
        "insert into consent_events (id, organization_id, number, kind, how, message_id, created_at)"
        " values ($1, $2, $3, $4, $5, $6, coalesce($7, clock_timestamp()))",
        new_id(),
        organization_id,
        number,
        kind,
        how,
        message_id,
        at,
    )


async def get_suppression(connection: Connection, organization_id: uuid.UUID, number: str) -> Suppression:
    """Of a number that is known to be there."""
    row = await connection.fetchrow(
        f"select {_SUPPRESSION} from suppressions where organization_id = $1 and number = $2", organization_id, number
    )
    assert row is not None
    return _suppression(row)


async def list_suppressions(
    connection: Connection, organization_id: uuid.UUID, number: str | None, page: Page
) -> list[Suppression]:
    """`number` None: all of them."""
    rows = await connection.fetch(
        f"select {_SUPPRESSION} from suppressions where organization_id = $1 and ($2::text is null or number = $2)"
        " and ($3::timestamptz is null or (created_at, md5(number)::uuid) < ($3, $4))"
        " order by created_at desc, md5(number)::uuid desc limit $5",
        organization_id,
        number,
        page.before_time,
        page.before_id,
        page.fetch,
    )
    return [_suppression(row) for row in rows]


async def delete_suppression(
    connection: Connection, organization_id: uuid.UUID, number: str, reasons: Collection[str] | None = None
) -> str | None:
    """The reason for which it stood there. `reasons`: only where it is one of them."""
    return await connection.fetchval(
        "delete from suppressions where organization_id = $1 and number = $2"
        " and ($3::text[] is null or reason = any($3)) returning reason",
        organization_id,
        number,
        None if reasons is None else list(reasons),
    )


async def list_events(
    connection: Connection, organization_id: uuid.UUID, number: str | None, page: Page
) -> list[ConsentEvent]:
    """`number` None: everybody's."""
    rows = await connection.fetch(
        f"select {_EVENT} from consent_events where organization_id = $1 and ($2::text is null or number = $2)"
        " and ($3::timestamptz is null or (created_at, id) < ($3, $4::uuid))"
        " order by created_at desc, id desc limit $5",
        organization_id,
        number,
        page.before_time,
        page.before_id,
        page.fetch,
    )
    return [ConsentEvent(**row) for row in rows]
