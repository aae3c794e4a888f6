"""Placing a text: its row, its lane's estimate and, where nobody looks at the lane soon enough, a job; many texts in
one statement.

Nothing is claimed here. A lane is one row per sender; `pump.py` takes texts out of it in order of priority, each at
its slot. What is written down as `send_at` is an estimate: behind all that waits, or for a text that goes before
others, the next slot.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import asyncpg

from offhook.core.db.jobs import queue_ids
from offhook.core.db.pool import Connection, Row
from offhook.core.errors import Conflict, FieldProblem, InvalidInput, NotFound, OffhookError
from offhook.telephony.consent.opting import refusal
from offhook.telephony.messages.models import MESSAGE_COLUMNS, Message, Placed, Placement, Priority, message_of

PUMP: Final = "lanes.pump"
RECONCILE: Final = "messages.reconcile"
GUARD_MARGIN_SECONDS: Final = 1.5
"""After the longest attempt: by then it has an outcome or its process is dead."""

ABANDONED_SECONDS: Final = 20
"""A promise to look at a lane that is older was broken: its job is gone."""
ABANDONED: Final = f"interval '{ABANDONED_SECONDS} seconds'"

JOB_LEAD_SECONDS: Final = 0.3
"""A job is queued for this long before the slot, because the queue delivers up to a tenth of a second late."""
ASKER_SECONDS: Final = 1.0
"""Who waits for a text looks at its lane at once; the job is for the case that its process dies on the way."""

_COLUMNS: Final = {
    "id": "uuid", "organization_id": "uuid", "conversation_id": "uuid", "origin": "text", "operation_id": "text",
    "account_id": "uuid", "sender": "text", "from_number": "text", "messaging_service_id": "uuid", "to_number": "text",
    "body": "text", "encoding": "text", "segments": "int", "pace": "float8", "priority": "smallint",
    "look_after": "float8", "validity": "int", "time_zone": "text", "part": "smallint", "parts": "smallint",
    "media_count": "smallint", "cost": "numeric", "currency": "text",
}  # fmt: skip


PUMP_PRIORITY: Final = 10
"""Somebody's text waits; to look what became of one that went can wait."""
PUMP_PAYLOAD: Final = "uuid_send(id) || uuid_send(pump_by)"
"""Of a job that looks at a lane: the lane, and whose promise it keeps (SQL)."""


def queue_pumps(source: str) -> str:
    """SQL that queues the job of each lane in `source` (what follows FROM) that has made a promise."""
    return queue_ids(source, f"'{PUMP}'", at="pump_at", payload=PUMP_PAYLOAD, priority=PUMP_PRIORITY)


# When the text can go at best. Whoever looks at the lane by then looks soon enough; a new job comes a little before.
_EARLIEST: Final = "greatest(excluded.pump_at, lanes.next_at)"
_LOOK_AT: Final = f"greatest(excluded.pump_at, lanes.next_at - interval '{JOB_LEAD_SECONDS} seconds')"
_PROMISED: Final = f"lanes.pump_at <= {_EARLIEST} and lanes.pump_at > clock_timestamp() - {ABANDONED}"

# Braces are what differs between one text and many. Whether the operation was placed before is left to the unique
# index: a look for it beforehand was planned, while nobody had counted the table yet, as a walk through all texts of
# the organization. The lane is locked last.
_STATEMENT: Final = f"""
with item as materialized (
    select item.*, account.stopped_reason, lane.stopped_reason as sender_stopped_reason,
        greatest(lane.next_at, now()) as next_slot,
        greatest(lane.backlog_until, lane.next_at, now()) as behind_all,
        suppression.reason as suppressed,
        item.conversation_id is not null and conversation.of is distinct from item.organization_id as astray
    from {{source}}
    left join carrier_accounts account
        on account.organization_id = item.organization_id and account.id = item.account_id
    -- `limit 1`, so that the planner cannot make a hash of the whole table.
    left join lateral (select l.next_at, l.backlog_until, l.stopped_reason from lanes l
        where l.carrier_account_id = item.account_id and l.sender = item.sender limit 1) as lane on true
    left join lateral (select s.reason from suppressions s
        where s.organization_id = item.organization_id and s.number = item.to_number limit 1) as suppression on true
    -- By its id alone, for the same reason as below.
    left join lateral (select c.organization_id as of from conversations c where c.id = item.conversation_id limit 1)
        as conversation on true
), wanted as (
    select item.*,
        case when priority = {Priority.CONVERSATION:d} then next_slot else {{behind_those_before}} end as send_at
    from item where suppressed is null and not astray and stopped_reason is null and sender_stopped_reason is null
), placed as (
    insert into messages (id, organization_id, direction, origin, operation_id, conversation_id, carrier_account_id,
        sender, from_number, messaging_service_id, to_number, body, encoding, segments, priority, send_at, status,
        expires_at, recipient_time_zone, part, parts, media_count, estimated_cost, price_currency)
    select id, organization_id, 'outbound', origin, operation_id, conversation_id, account_id, sender, from_number,
        messaging_service_id, to_number, body, encoding, segments, priority, send_at, 'queued',
        now() + make_interval(secs => validity), time_zone, part, parts, media_count, cost, currency
    from wanted {{order}}
    on conflict (organization_id, operation_id) do nothing
    returning id, send_at, created_at, expires_at
), lane as (
    insert into lanes (organization_id, carrier_account_id, sender, backlog_until, pump_at, pump_by)
    {{per_lane}}
    on conflict (carrier_account_id, sender) do update
        set backlog_until = greatest(lanes.backlog_until, lanes.next_at, now()) + (excluded.backlog_until - now()),
            pump_at = case when {_PROMISED} then lanes.pump_at else {_LOOK_AT} end,
            pump_by = case when {_PROMISED} then lanes.pump_by else excluded.pump_by end
    returning id, pump_at, pump_by
), job as (
    {queue_pumps("lane where pump_by in (select id from placed)")}
)
select item.astray, item.suppressed, item.stopped_reason, item.sender_stopped_reason, placed.send_at, placed.created_at,
    placed.expires_at
from item left join placed on placed.id = item.id order by item.ord"""

# Each array comes through a sub-select, so that the planner cannot see how long it is: it would plan anew for every
# batch in the hope of saving, and planning takes 7 ms where running takes half of one (measured). Rows and lanes are
# written in an order that is the same for everybody, so that two batches cannot wait for each other.
_PLACE_MANY: Final = _STATEMENT.format(
    source="unnest("
    + ", ".join(f"(select ${number}::{kind}[])" for number, kind in enumerate(_COLUMNS.values(), start=1))
    + f") with ordinality as item ({', '.join(_COLUMNS)}, ord)",
    behind_those_before="behind_all + make_interval(secs => sum(segments * pace) over"
    " (partition by account_id, sender order by ord) - segments * pace)",
    order="order by organization_id, operation_id",
    per_lane="select organization_id, account_id, sender, now() + make_interval(secs => sum(segments * pace)),"
    " min(now() + make_interval(secs => look_after)), (array_agg(id))[1]"
    " from wanted where id in (select id from placed)"
    " group by organization_id, account_id, sender order by account_id, sender",
)
_PLACE_ONE: Final = _STATEMENT.format(
    source="(select "
    + ", ".join(f"${number}::{kind} as {name}" for number, (name, kind) in enumerate(_COLUMNS.items(), start=1))
    + ", 1 as ord) as item",
    behind_those_before="behind_all",
    order="",
    per_lane="select organization_id, account_id, sender, now() + make_interval(secs => segments * pace),"
    " now() + make_interval(secs => look_after), id from wanted where id in (select id from placed)",
)

_MEDIUM: Final = (
    "insert into message_media (organization_id, message_id, position, media_id, url, content_type, size_bytes)"
    " values ($1, $2, $3, $4, $5, $6, $7)"
)


async def place(connection: Connection, items: Sequence[Placement]) -> list[Placed | OffhookError]:
    """Place the texts in the connection's transaction; per text what came of it. One whose operation was placed
    before comes back as it stands."""
    try:
        if len(items) == 1:
            rows = await connection.fetch(_PLACE_ONE, *_values(items[0]))
        else:
            columns = [list(column) for column in zip(*map(_values, items), strict=True)]
            rows = await connection.fetch(_PLACE_MANY, *columns)
    except asyncpg.ForeignKeyViolationError as error:
        raise _no_conversation() from error  # it was deleted in between
    results = [
        Placed(_message(item, row), was_there=False)
        if row["created_at"] is not None
        else await _standing(connection, item) or _refusal(row)
        for item, row in zip(items, rows, strict=True)
    ]
    await _store_media(connection, items, results)
    return results


async def _store_media(
    connection: Connection, items: Sequence[Placement], results: Sequence[Placed | OffhookError]
) -> None:
    """What the new ones carry. Most texts carry nothing, so it is not part of the statement."""
    rows = [
        (
            item.organization_id,
            item.message_id,
            position,
            medium.media_id,
            medium.url,
            medium.content_type,
            medium.size_bytes,
        )
        for item, result in zip(items, results, strict=True)
        if item.media and isinstance(result, Placed) and not result.was_there
        for position, medium in enumerate(item.media)
    ]
    if rows:
        await connection.executemany(_MEDIUM, rows)


def _values(item: Placement) -> tuple[object, ...]:
    sender = item.sender
    return (
        item.message_id,
        item.organization_id,
        item.conversation_id,
        item.origin,
        item.operation_id,
        sender.account_id,
        sender.lane,
        sender.number,
        sender.messaging_service_id,
        item.to_number,
        item.body,
        item.encoding,
        item.segments,
        sender.seconds_per_segment,
        item.priority,
        0.0 if item.claim_within_seconds is None else min(item.claim_within_seconds, ASKER_SECONDS),
        item.validity_seconds,
        item.recipient_time_zone,
        item.part,
        item.parts,
        len(item.media),
        item.estimated_cost,
        item.price_currency,
    )


def _no_conversation() -> NotFound:
    return NotFound("There is no such conversation.", code="conversation_not_found")


def _refusal(row: Row) -> OffhookError:
    if row["astray"]:
        return _no_conversation()
    reason: str | None = row["suppressed"]
    if reason is not None:
        sentence = refusal(reason)
        return InvalidInput(sentence, code="suppressed", fields=[FieldProblem("to", sentence, reason)])
    if row["stopped_reason"] is not None:
        return Conflict(
            f"The carrier account is stopped: {row['stopped_reason']} Set it right, then start the account again.",
            code="carrier_account_stopped",
        )
    if row["sender_stopped_reason"] is not None:
        return Conflict(
            f"The sender is stopped: {row['sender_stopped_reason']} Set it right, then start the sender again.",
            code="sender_stopped",
        )
    return Conflict("The text is being placed by another request.", code="operation_in_progress")


def _message(item: Placement, row: Row) -> Message:
    """The new message, from what was sent and what the database added: cheaper than reading all of it back."""
    created_at: datetime = row["created_at"]
    return Message(
        id=item.message_id,
        organization_id=item.organization_id,
        direction="outbound",
        origin=item.origin,
        operation_id=item.operation_id,
        conversation_id=item.conversation_id,
        carrier_account_id=item.sender.account_id,
        from_number=item.sender.number,
        to_number=item.to_number,
        body=item.body,
        encoding=item.encoding,
        segments=item.segments,
        status="queued",
        send_at=row["send_at"],
        created_at=created_at,
        updated_at=created_at,
        sender=item.sender.lane,
        messaging_service_id=item.sender.messaging_service_id,
        priority=item.priority,
        expires_at=row["expires_at"],
        recipient_time_zone=item.recipient_time_zone,
        part=item.part,
        parts=item.parts,
        media_count=len(item.media),
        estimated_cost=item.estimated_cost,
        price_currency=item.price_currency,
    )


async def _standing(connection: Connection, item: Placement) -> Placed | None:
    """The message that the same operation placed before, whatever would be said of it today."""
    if item.operation_id is None:
        return None
    row = await connection.fetchrow(
        f"select {MESSAGE_COLUMNS} from messages where organization_id = $1 and operation_id = $2",
        item.organization_id,
        item.operation_id,
    )
    return None if row is None else Placed(message=message_of(row), was_there=True)
