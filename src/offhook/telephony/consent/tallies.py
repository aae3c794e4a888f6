"""The SQL of the gate: what counts against a policy's limits, and who is exempt. All read under the gate's lock."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from offhook.core.db.pool import Connection
from offhook.telephony.messages.models import Priority

STILL_AWAKE: Final = timedelta(minutes=10)
"""After a conversation's end: who has just hung up does not sleep."""

_HANDED_OVER: Final = "direction = 'outbound' and status not in ('queued', 'canceled')"
"""A text counts from its claim on, also one that the carrier refused or that never reached it: what it cost is not
known then. One that waits for another attempt counts when that is made."""
_ATTEMPTED: Final = "direction = 'outbound' and status <> 'canceled'"
"""One that waits for another attempt counts too: that attempt is not judged by the day again."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What there is to know before anything is counted. `setting` is the stored policy, unread."""

    now: datetime
    setting: object
    suppressed: Mapping[str, str] = field(repr=False)
    """By number, why it is on the list."""


async def standing(connection: Connection, organization_id: uuid.UUID, setting: str, numbers: set[str]) -> Standing:
    row = await connection.fetchrow(
        "select clock_timestamp() as now_at, (select settings -> $2 from organizations where id = $1) as setting,"
        " (select jsonb_object_agg(number, reason) from suppressions where organization_id = $1 and number = any($3))"
        " as suppressed",
        organization_id,
        setting,
        list(numbers),
    )
    assert row is not None
    return Standing(row["now_at"], row["setting"], row["suppressed"] or {})


async def lock(connection: Connection, organization_id: uuid.UUID) -> None:
    """Until the transaction ends, nobody else counts for this organization."""
    await connection.execute(
        "select pg_advisory_xact_lock(hashtextextended('texting ' || $1::uuid, 0))", organization_id
    )


async def expected(
    connection: Connection, organization_id: uuid.UUID, message_ids: Sequence[uuid.UUID], now: datetime
) -> set[uuid.UUID]:
    """Those of the texts that their recipients wait for: replies within 24 hours of the person's own text, and what
    was asked for during a call with that person or by an agent in a conversation with them, or within minutes of its
    end, when agents send what they promised. A text that is an hour late is waited for no more, and one of a campaign
    by nobody."""
    rows = await connection.fetch(
        "select m.id from messages m where m.organization_id = $1 and m.id = any($2) and m.priority <> $5 and ("
        "  exists (select from messages i where i.organization_id = $1 and i.direction = 'inbound'"
        "   and i.from_number = m.to_number and i.created_at > $3::timestamptz - interval '24 hours')"
        "  or m.created_at > $3 - interval '1 hour' and ("
        "   exists (select from conversations c where c.organization_id = $1 and c.id = m.conversation_id"
        "    and (c.channel in ('room', 'phone', 'relay') or m.origin in ('tool', 'livekit'))"
        "    and c.person_number = m.to_number and coalesce(c.closed_at + $4 >= m.created_at, true))"
        "   or exists (select from voice_calls v where v.organization_id = $1 and v.client_phone = m.to_number"
        "    and v.opened_at between m.created_at - interval '24 hours' and m.created_at"
        "    and coalesce(v.closed_at + $4 >= m.created_at, true))))",
        organization_id,
        list(message_ids),
        now,
        STILL_AWAKE,
        Priority.CAMPAIGN,
    )
    return {row["id"] for row in rows}


async def crowding(
    connection: Connection,
    organization_id: uuid.UUID,
    wanted: Mapping[str, int],
    cap: int,
    message_ids: Sequence[uuid.UUID],
    since: datetime,
) -> dict[str, list[datetime]]:
    """Per number, when the texts went that stand in the way of `wanted` more: of those since then, newest first, the
    ones from place `cap - wanted + 1` on to place `cap`. Fewer are there where fewer are in the way."""
    rows = await connection.fetch(
        "select number, array(select attempt_started_at from messages"
        f"  where organization_id = $1 and to_number = number and attempt_started_at > $5 and {_HANDED_OVER}"
        "  and id <> all($4) order by attempt_started_at desc"
        "  offset greatest($6::bigint - wanted, 0) limit least(wanted, $6)) as times"
        " from unnest($2::text[], $3::int[]) as asked (number, wanted)",
        organization_id,
        list(wanted),
        list(wanted.values()),
        list(message_ids),
        since,
        cap,
    )
    return {row["number"]: row["times"] for row in rows}


async def segments_of_day(connection: Connection, organization_id: uuid.UUID, begin: datetime) -> int | None:
    """What is written down for the day that began then; None: nothing yet."""
    return await connection.fetchval(
        "select segments from texting_days where organization_id = $1 and begins_at = $2", organization_id, begin
    )


async def segments_since(
    connection: Connection, organization_id: uuid.UUID, since: datetime, message_ids: Sequence[uuid.UUID]
) -> int:
    """The same, summed up; without the messages named."""
    return await connection.fetchval(
        "select coalesce(sum(segments), 0)::bigint from messages"
        f" where organization_id = $1 and attempt_started_at >= $2 and {_ATTEMPTED} and id <> all($3)",
        organization_id,
        since,
        list(message_ids),
    )


async def write_segments(connection: Connection, organization_id: uuid.UUID, begin: datetime, segments: int) -> None:
    await connection.execute(
        "insert into texting_days (organization_id, begins_at, segments) values ($1, $2, $3)"
        " on conflict (organization_id, begins_at) do update set segments = excluded.segments",
        organization_id,
        begin,
        segments,
    )


async def forget_days(connection: Connection, organization_id: uuid.UUID) -> None:
    """Nothing was written down while there was no limit: the next text is counted with all before it."""
    await lock(connection, organization_id)
    await connection.execute("delete from texting_days where organization_id = $1", organization_id)
