"""Placing a text: its lane's slot, its row and its job in one transaction; many texts in one statement.

A lane is one row per sender: taking n segments moves its `next_at` to `greatest(next_at, now) + n * pace` on the
database's clock, so the rate holds over all processes (facts/infrastructure.md 3.2). Carriers pace by segment.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import asyncpg

from offhook.core.db.jobs import queue_ids
from offhook.core.db.pool import Connection, Row
from offhook.core.errors import Conflict, FieldProblem, InvalidInput, NotFound, OffhookError
from offhook.telephony.messages.models import MESSAGE_COLUMNS, Message, Placed, Placement, message_of

SEND: Final = "messages.send"
RECONCILE: Final = "messages.reconcile"
GUARD_MARGIN_SECONDS: Final = 1.5
"""After the longest attempt: by then it has an outcome or its process is dead."""

_COLUMNS: Final = {
    "id": "uuid", "organization_id": "uuid", "conversation_id": "uuid", "origin": "text", "operation_id": "text",
    "account_id": "uuid", "from_number": "text", "to_number": "text", "body": "text", "encoding": "text",
    "segments": "int", "pace": "float8", "claim_within": "float8", "attempt_seconds": "float8",
}  # fmt: skip


_QUEUE: Final = queue_ids(
    "slotted join placed using (id)",
    f"case when claimed then '{RECONCILE}' else '{SEND}' end",
    at="case when claimed then greatest(send_at, now_at) + make_interval(secs => attempt_seconds) else send_at end",
)

# Braces are what differs between one text and many.
_STATEMENT: Final = f"""
with item as materialized (
    select item.*, clock_timestamp() as now_at,
        account.stopped_reason, suppression.found is not null as suppressed, earlier.found is not null as known
    from {{source}}
    left join carrier_accounts account
        on account.organization_id = item.organization_id and account.id = item.account_id
    -- `limit 1` rather than `exists`, which the planner may turn into a hash of the whole table.
    left join lateral (select true as found from suppressions s
        where s.organization_id = item.organization_id and s.number = item.to_number limit 1) as suppression on true
    left join lateral (select true as found from messages m
        where m.organization_id = item.organization_id and m.operation_id = item.operation_id
        limit 1) as earlier on true
), wanted as (
    select item.*, {{reserved_to}} as reserved_to, {{reserved}} as reserved
    from item where not (suppressed or known or stopped_reason is not null)
), lane as (
    insert into lanes (organization_id, carrier_account_id, sender, next_at)
    select {{one_per_lane}} organization_id, account_id, from_number, now() + make_interval(secs => reserved)
    from wanted {{lane_order}}
    on conflict (carrier_account_id, sender) do update
        set next_at = greatest(lanes.next_at, clock_timestamp()) + (excluded.next_at - now())
    returning carrier_account_id, sender, next_at
), slotted as (
    select wanted.*, slot.send_at,
        coalesce(slot.send_at <= now_at + make_interval(secs => claim_within), false) as claimed
    from wanted join lane on lane.carrier_account_id = account_id and lane.sender = from_number
    cross join lateral (
        select lane.next_at - make_interval(secs => reserved - reserved_to + segments * pace) as send_at) as slot
), placed as (
    insert into messages (id, organization_id, direction, origin, operation_id, conversation_id, carrier_account_id,
        sender, from_number, to_number, body, encoding, segments, send_at, status, attempt, attempt_started_at)
    select id, organization_id, 'outbound', origin, operation_id, conversation_id, account_id, from_number, from_number,
        to_number, body, encoding, segments, send_at, case when claimed then 'sending' else 'queued' end,
        case when claimed then 1 else 0 end, case when claimed then greatest(send_at, now_at) end
    from slotted
    on conflict (organization_id, operation_id) do nothing
    returning id, created_at
), job as (
    {_QUEUE}
)
select item.suppressed, item.stopped_reason, item.known, item.now_at, slotted.send_at, slotted.claimed,
    placed.created_at
from item left join slotted on slotted.ord = item.ord left join placed on placed.id = item.id
order by item.ord"""

# Each array comes through a sub-select, so that the planner cannot see how long it is: it would plan anew for every
# batch in the hope of saving, and planning takes 7 ms where running takes half of one (measured).
_PLACE_MANY: Final = _STATEMENT.format(
    source="unnest("
    + ", ".join(f"(select ${number}::{kind}[])" for number, kind in enumerate(_COLUMNS.values(), start=1))
    + f") with ordinality as item ({', '.join(_COLUMNS)}, ord)",
    reserved_to="sum(segments * pace) over (partition by account_id, from_number order by ord)",
    reserved="sum(segments * pace) over (partition by account_id, from_number)",
    one_per_lane="distinct on (account_id, from_number)",
    lane_order="order by account_id, from_number",  # everybody locks lanes in this order
)
_PLACE_ONE: Final = _STATEMENT.format(
    source="(select "
    + ", ".join(f"${number}::{kind} as {name}" for number, (name, kind) in enumerate(_COLUMNS.items(), start=1))
    + ", 1 as ord) as item",
    reserved_to="segments * pace",
    reserved="segments * pace",
    one_per_lane="",
    lane_order="",
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
        raise NotFound("There is no such conversation.", code="conversation_not_found") from error
    return [_result(item, row) or await _standing(connection, item) for item, row in zip(items, rows, strict=True)]


def _values(item: Placement) -> tuple[object, ...]:
    return (
        item.message_id,
        item.organization_id,
        item.conversation_id,
        item.origin,
        item.operation_id,
        item.sender.account_id,
        item.sender.number,
        item.to_number,
        item.body,
        item.encoding,
        item.segments,
        item.sender.seconds_per_segment,
        item.claim_within_seconds,
        item.attempt_seconds + GUARD_MARGIN_SECONDS,
    )


def _result(item: Placement, row: Row) -> Placed | OffhookError | None:
    """None: the operation was placed before, or is being placed by somebody else at this moment."""
    if row["created_at"] is not None:
        return _placed(item, row)
    if row["known"]:
        return None
    if row["suppressed"]:
        return InvalidInput(SUPPRESSED, code="suppressed", fields=[FieldProblem("to", SUPPRESSED, "suppressed")])
    if row["stopped_reason"] is not None:
        return Conflict(
            f"The carrier account is stopped: {row['stopped_reason']} Set it right, then start the account again.",
            code="carrier_account_stopped",
        )
    return None


def _placed(item: Placement, row: Row) -> Placed:
    """The new message, from what was sent and what the database added: cheaper than reading all of it back."""
    claimed: bool = row["claimed"]
    send_at: datetime = row["send_at"]
    now_at: datetime = row["now_at"]
    message = Message(
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
        status="sending" if claimed else "queued",
        attempt=1 if claimed else 0,
        attempt_started_at=max(send_at, now_at) if claimed else None,
        send_at=send_at,
        created_at=row["created_at"],
        updated_at=row["created_at"],
    )
    return Placed(message, claimed, was_there=False, seconds_to_slot=max(0.0, (send_at - now_at).total_seconds()))


SUPPRESSED: Final = "The recipient has opted out of texts, so nothing is sent to that number."


async def _standing(connection: Connection, item: Placement) -> Placed | OffhookError:
    """The message that the same operation placed before."""
    row = await connection.fetchrow(
        f"select {MESSAGE_COLUMNS} from messages where organization_id = $1 and operation_id = $2",
        item.organization_id,
        item.operation_id,
    )
    if row is None:
        return Conflict("The text is being placed by another request.", code="operation_in_progress")
    return Placed(message=message_of(row), claimed=False, was_there=True, seconds_to_slot=0.0)
