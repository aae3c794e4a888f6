"""The SQL of the suppression list."""

from __future__ import annotations

import uuid
from typing import Final

from offhook.core.db.pool import Connection, Row
from offhook.core.http.paging import Page
from offhook.telephony.consent.models import Suppression

_SUPPRESSION: Final = "md5(number)::uuid as id, number, reason, created_at"


def _suppression(row: Row) -> Suppression:
    return Suppression(**{name: row[name] for name in Suppression.__slots__})


async def is_suppressed(connection: Connection, organization_id: uuid.UUID, number: str) -> bool:
    return await connection.fetchval(
        "select exists (select from suppressions where organization_id = $1 and number = $2)", organization_id, number
    )


async def insert_suppression(connection: Connection, organization_id: uuid.UUID, number: str, reason: str) -> None:
    """`reason`: carrier, operator or keyword."""
    await connection.execute(
        "insert into suppressions (organization_id, number, reason) values ($1, $2, $3) on conflict do nothing",
        organization_id,
        number,
        reason,
    )


async def get_suppression(connection: Connection, organization_id: uuid.UUID, number: str) -> Suppression:
    """Of a number that is known to be there."""
    row = await connection.fetchrow(
        f"select {_SUPPRESSION} from suppressions where organization_id = $1 and number = $2", organization_id, number
    )
    assert row is not None
    return _suppression(row)


async def list_suppressions(connection: Connection, organization_id: uuid.UUID, page: Page) -> list[Suppression]:
    rows = await connection.fetch(
        f"select {_SUPPRESSION} from suppressions where organization_id = $1"
        " and ($2::timestamptz is null or (created_at, md5(number)::uuid) < ($2, $3))"
        " order by created_at desc, md5(number)::uuid desc limit $4",
        organization_id,
        page.before_time,
        page.before_id,
        page.fetch,
    )
    return [_suppression(row) for row in rows]


async def delete_suppression(connection: Connection, organization_id: uuid.UUID, number: str) -> bool:
    status = await connection.execute(
        "delete from suppressions where organization_id = $1 and number = $2", organization_id, number
    )
    return not status.endswith(" 0")
