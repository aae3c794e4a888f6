"""The SQL of media and of what carries them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from offhook.core.db.pool import Connection
from offhook.core.http.paging import Page
from offhook.telephony.carrier import InboundMedium
from offhook.telephony.media.models import (
    MEDIUM_COLUMNS,
    MESSAGE_MEDIUM_COLUMNS,
    Medium,
    MessageMedium,
    medium_of,
    message_medium_of,
)

_CARRIED: Final = (
    "from message_media c left join media m on m.organization_id = c.organization_id and m.id = c.media_id"
)


# Media -------------------------------------------------------------------------------------------------------------


async def insert_medium(connection: Connection, medium: Medium) -> None:
    await connection.execute(
        f"insert into media ({MEDIUM_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        *(getattr(medium, name) for name in Medium.__slots__),
    )


async def find_medium(connection: Connection, organization_id: uuid.UUID, media_id: uuid.UUID) -> Medium | None:
    row = await connection.fetchrow(
        f"select {MEDIUM_COLUMNS} from media where organization_id = $1 and id = $2", organization_id, media_id
    )
    return None if row is None else medium_of(row)


async def find_media(
    connection: Connection, organization_id: uuid.UUID, media_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, Medium]:
    rows = await connection.fetch(
        f"select {MEDIUM_COLUMNS} from media where organization_id = $1 and id = any($2)",
        organization_id,
        list(media_ids),
    )
    return {row["id"]: medium_of(row) for row in rows}


async def list_media(connection: Connection, organization_id: uuid.UUID, page: Page) -> list[Medium]:
    rows = await connection.fetch(
        f"select {MEDIUM_COLUMNS} from media where organization_id = $1"
        " and ($2::timestamptz is null or (created_at, id) < ($2, $3))"
        " order by created_at desc, id desc limit $4",
        organization_id,
        page.before_time,
        page.before_id,
        page.fetch,
    )
    return [medium_of(row) for row in rows]


async def exists(connection: Connection, media_id: uuid.UUID) -> bool:
    """Whether there is the medium, erased or not, whoever's it is."""
    return await connection.fetchval("select exists (select from media where id = $1)", media_id)


async def lock_medium(connection: Connection, organization_id: uuid.UUID, media_id: uuid.UUID) -> Medium | None:
    """The medium; until the transaction ends, no further text can come to carry it."""
    row = await connection.fetchrow(
        f"select {MEDIUM_COLUMNS} from media where organization_id = $1 and id = $2 for update",
        organization_id,
        media_id,
    )
    return None if row is None else medium_of(row)


async def is_awaited(
    connection: Connection, organization_id: uuid.UUID, media_id: uuid.UUID, fetch_seconds: float
) -> bool:
    """Whether a carrier may still come for it: a text that carries it waits, or was handed over less than
    `fetch_seconds` ago and is not known to have left the carrier."""
    return await connection.fetchval(
        "select exists (select from message_media c join messages m"
        " on m.organization_id = c.organization_id and m.id = c.message_id"
        " where c.organization_id = $1 and c.media_id = $2 and m.direction = 'outbound'"
        " and (m.status in ('queued', 'sending')"
        "  or (m.status = 'accepted' and m.sent_at > clock_timestamp() - make_interval(secs => $3))))",
        organization_id,
        media_id,
        fetch_seconds,
    )


async def is_carried(connection: Connection, organization_id: uuid.UUID, media_id: uuid.UUID) -> bool:
    """Whether any text carries it or has."""
    return await connection.fetchval(
        "select exists (select from message_media where organization_id = $1 and media_id = $2)",
        organization_id,
        media_id,
    )


async def record_erased(connection: Connection, organization_id: uuid.UUID, media_ids: Collection[uuid.UUID]) -> None:
    """The bytes are to go, and the name with them."""
    await connection.execute(
        "update media set erased_at = coalesce(erased_at, clock_timestamp()), filename = null"
        " where organization_id = $1 and id = any($2)",
        organization_id,
        list(media_ids),
    )


# What messages carry -----------------------------------------------------------------------------------------------


async def list_carried(
    connection: Connection, organization_id: uuid.UUID, message_ids: Collection[uuid.UUID]
) -> list[MessageMedium]:
    """The media of these messages, each message's in order."""
    rows = await connection.fetch(
        f"select {MESSAGE_MEDIUM_COLUMNS} {_CARRIED}"
        " where c.organization_id = $1 and c.message_id = any($2) order by c.message_id, c.position",
        organization_id,
        list(message_ids),
    )
    return [message_medium_of(row) for row in rows]


async def insert_inbound(
    connection: Connection, organization_id: uuid.UUID, message_id: uuid.UUID, media: Sequence[InboundMedium]
) -> None:
    await connection.execute(
        "insert into message_media (organization_id, message_id, position, url, content_type)"
        " select $1, $2, medium.place - 1, medium.url, left(medium.content_type, 100)"
        " from unnest($3::text[], $4::text[]) with ordinality as medium (url, content_type, place)"
        " on conflict do nothing",
        organization_id,
        message_id,
        [medium.url for medium in media],
        [medium.content_type for medium in media],
    )


@dataclass(frozen=True, slots=True)
class Pending:
    """An inbound medium that is still at the carrier."""

    organization_id: uuid.UUID
    carrier_account_id: uuid.UUID
    url: str = field(repr=False)
    content_type: str
    age_seconds: float
    """Since its message came."""


async def find_pending(
    connection: Connection, message_id: uuid.UUID, position: int, *, lock: bool = False
) -> Pending | None:
    """None where it was fetched, given up or erased, and where there is no such message."""
    row = await connection.fetchrow(
        "select c.organization_id, m.carrier_account_id, c.url, c.content_type,"
        " extract(epoch from clock_timestamp() - m.created_at)::float8 as age_seconds"
        " from message_media c join messages m on m.organization_id = c.organization_id and m.id = c.message_id"
        " where c.message_id = $1 and c.position = $2 and m.direction = 'inbound'"
        " and c.url is not null and c.note is null" + (" for update of c" if lock else ""),
        message_id,
        position,
    )
    return None if row is None else Pending(**{name: row[name] for name in Pending.__slots__})


async def record_fetched(connection: Connection, message_id: uuid.UUID, position: int, medium: Medium) -> None:
    await connection.execute(
        "update message_media set media_id = $4, url = null, content_type = $5, size_bytes = $6"
        " where organization_id = $1 and message_id = $2 and position = $3",
        medium.organization_id,
        message_id,
        position,
        medium.id,
        medium.content_type,
        medium.size_bytes,
    )


async def record_given_up(connection: Connection, message_id: uuid.UUID, position: int, note: str) -> None:
    await connection.execute(
        "update message_media set note = $3 where message_id = $1 and position = $2 and media_id is null",
        message_id,
        position,
        note,
    )


async def erase_carried(connection: Connection, organization_id: uuid.UUID, message_id: uuid.UUID) -> list[uuid.UUID]:
    """Forget the foreign addresses of what a message carried; its inbound media, which are to be erased."""
    rows = await connection.fetch(
        "select m.id from message_media c join media m on m.organization_id = c.organization_id and m.id = c.media_id"
        " where c.organization_id = $1 and c.message_id = $2 and m.origin = 'inbound' for update of c",
        organization_id,
        message_id,
    )
    await connection.execute(
        "update message_media set url = null where organization_id = $1 and message_id = $2 and url is not null",
        organization_id,
        message_id,
    )
    return [row["id"] for row in rows]
