"""Placing a text: its lane's slot, its row and its job in one transaction; many texts in one statement.

A lane is one row per sender: taking n segments moves its `next_at` to `greatest(next_at, now) + n * pace` on the
database's clock, so the rate holds over all processes (facts/infrastructure.md 3.2). Carriers pace by segment.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import asyncpg

from offhook.core.db.pool import Connection, Row
from offhook.core.errors import Conflict, FieldProblem, InvalidInput, NotFound, OffhookError
from offhook.telephony.models import MESSAGE_COLUMNS, Placed, Placement, message_of

SEND: Final = "messages.send"
RECONCILE: Final = "messages.reconcile"
GUARD_MARGIN_SECONDS: Final = 1.5
"""After the longest attempt: by then it has an outcome or its process is dead."""

_TYPES: Final = (
    "uuid", "uuid", "uuid", "text", "text", "uuid", "text", "text", "text", "text", "int", "float8", "float8", "float8",
)  # fmt: skip

# Each array comes through a sub-select, so that the planner cannot see how long it is: it would plan anew for every
# batch in the hope of saving, and planning takes 7 ms where running takes half of one (measured).
_ARRAYS: Final = ", ".join(f"(select ${number}::{kind}[])" for number, kind in enumerate(_TYPES, start=1))

_PLACE: Final = f"""
with item as materialized (
    select item.*, clock_timestamp() as now_at,
        account.stopped_reason, suppression.found is not null as suppressed, earlier.found is not null as known
    from unnest({_ARRAYS}) with ordinality
        as item (id, organization_id, conversation_id, origin, operation_id, account_id, from_number, to_number,
                 body, encoding, segments, pace, claim_within, attempt_seconds, ord)
    left join carrier_accounts account
        on account.organization_id = item.organization_id and account.id = item.account_id
    -- `limit 1` rather than `exists`, which the planner may turn into a hash of the whole table.
    left join lateral (select true as found from suppressions s
        where s.organization_id = item.organization_id and s.number = item.to_number limit 1) as suppression on true
    left join lateral (select true as found from messages m
        where m.organization_id = item.organization_id and m.operation_id = item.operation_id
        limit 1) as earlier on true
), wanted as (
    select item.*,
        sum(segments * pace) over (partition by account_id, from_number order by ord) as reserved_to,
        sum(segments * pace) over (partition by account_id, from_number) as reserved
    from item where not (suppressed or known or stopped_reason is not null)
), lane as (
    insert into lanes (organization_id, carrier_account_id, sender, next_at)
    select distinct on (account_id, from_number) organization_id, account_id, from_number,
        now() + make_interval(secs => reserved)
    from wanted order by account_id, from_number
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
        from_number, to_number, body, encoding, segments, send_at, status, attempt, attempt_started_at)
    select id, organization_id, 'outbound', origin, operation_id, conversation_id, account_id, from_number, to_number,
        body, encoding, segments, send_at, case when claimed then 'sending' else 'queued' end,
        case when claimed then 1 else 0 end, case when claimed then greatest(send_at, now_at) end
    from slotted order by ord
    on conflict (organization_id, operation_id) do nothing
    returning {MESSAGE_COLUMNS}
), job as (
    insert into pgqueuer (priority, entrypoint, payload, execute_after, status)
    select 0, case when claimed then '{RECONCILE}' else '{SEND}' end, uuid_send(id),
        case when claimed then greatest(slotted.send_at, now_at) + make_interval(secs => attempt_seconds)
            else slotted.send_at end,
        'queued'
    from slotted join placed using (id)
)
select item.ord, item.suppressed, item.stopped_reason, item.known,
    extract(epoch from slotted.send_at - item.now_at)::float8 as seconds_to_slot, slotted.claimed, placed.*
from item left join slotted on slotted.ord = item.ord left join placed on placed.id = item.id
order by item.ord"""


async def place(connection: Connection, items: Sequence[Placement]) -> list[Placed | OffhookError]:
    """Place the texts in the connection's transaction; per text what came of it. One whose operation was placed
    before comes back as it stands."""
    try:
        rows = await connection.fetch(_PLACE, *_columns(items))
    except asyncpg.ForeignKeyViolationError as error:
        raise NotFound("There is no such conversation.", code="conversation_not_found") from error
    return [_result(row) or await _standing(connection, item) for item, row in zip(items, rows, strict=True)]


def _columns(items: Sequence[Placement]) -> list[list[object]]:
    return [
        [item.message_id for item in items],
        [item.organization_id for item in items],
        [item.conversation_id for item in items],
        [item.origin for item in items],
        [item.operation_id for item in items],
        [item.sender.account_id for item in items],
        [item.sender.number for item in items],
        [item.to_number for item in items],
        [item.body for item in items],
        [item.encoding for item in items],
        [item.segments for item in items],
        [item.sender.seconds_per_segment for item in items],
        [item.claim_within_seconds for item in items],
        [item.attempt_seconds + GUARD_MARGIN_SECONDS for item in items],
    ]


def _result(row: Row) -> Placed | OffhookError | None:
    """None: the operation was placed before, or is being placed by somebody else at this moment."""
    if row["id"] is not None:
        return Placed(
            message=message_of(row),
            claimed=bool(row["claimed"]),
            was_there=False,
            seconds_to_slot=max(0.0, row["seconds_to_slot"]),
        )
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
