"""The SQL of a message's life after it was placed: claims, outcomes, evidence. All on the database's clock.

Every outcome is fenced by the attempt that had it, and the trigger of migration 0003 lets statuses only go forward.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from offhook.core.db.jobs import queue_ids
from offhook.core.db.pool import Connection
from offhook.telephony.messages.models import MESSAGE_COLUMNS, Message, message_of
from offhook.telephony.messages.placing import RECONCILE, SEND

_M: Final = ", ".join(f"m.{name}" for name in MESSAGE_COLUMNS.split(", "))

# The later of two statuses; a final one stays.
_FORWARD: Final = "case when message_status_rank({new}) > message_status_rank({old}) then {new} else {old} end"

_QUEUE_GUARD: Final = queue_ids("claimed", f"'{RECONCILE}'", at="clock_timestamp() + make_interval(secs => $2)")
_QUEUE_AGAIN: Final = queue_ids("again", f"'{SEND}'", at="send_at")


@dataclass(frozen=True, slots=True)
class Claim:
    """What stands in the way of a claim: at most one of these. `wait_seconds` None: nothing is left to do."""

    message: Message | None = None
    suppressed: bool = False
    stopped_reason: str | None = None
    wait_seconds: float | None = None


async def find(connection: Connection, message_id: uuid.UUID) -> tuple[Message, datetime] | None:
    """The message and the database's time."""
    row = await connection.fetchrow(
        f"select {MESSAGE_COLUMNS}, clock_timestamp() as now_at from messages where id = $1", message_id
    )
    return None if row is None else (message_of(row), row["now_at"])


async def claim(connection: Connection, message_id: uuid.UUID, attempt_seconds: float) -> Claim:
    """Take the next attempt of a queued message whose slot has come, with a job that looks after it if we die.

    `attempt_seconds`: after how long that job runs.
    """
    row = await connection.fetchrow(
        "select m.status, m.slot_reserved, a.stopped_reason, m.segments / a.messages_per_second as cost,"
        " exists (select from suppressions s"
        "  where s.organization_id = m.organization_id and s.number = m.to_number) as suppressed,"
        " extract(epoch from m.send_at - clock_timestamp())::float8 as wait_seconds"
        " from messages m join carrier_accounts a on a.organization_id = m.organization_id"
        "  and a.id = m.carrier_account_id"
        " where m.id = $1 for update of m",
        message_id,
    )
    if row is None or row["status"] != "queued":
        return Claim()
    if row["suppressed"] or row["stopped_reason"] is not None:
        return Claim(suppressed=row["suppressed"], stopped_reason=row["stopped_reason"])
    wait_seconds: float = row["wait_seconds"]
    if wait_seconds <= 0 and not row["slot_reserved"]:
        wait_seconds = await _reserve(connection, message_id, row["cost"])
    if wait_seconds > 0:
        return Claim(wait_seconds=wait_seconds)
    claimed = await connection.fetchrow(
        "with claimed as (update messages m set status = 'sending', attempt = attempt + 1,"
        "  attempt_started_at = clock_timestamp(), outcome_unknown_since = null, empty_listings = 0,"
        "  last_listing_at = null, error_code = null, decision = null where m.id = $1"
        f"  returning {_M}), guard as ({_QUEUE_GUARD})"
        " select * from claimed",
        message_id,
        attempt_seconds,
    )
    return Claim(message=message_of(claimed) if claimed else None)


async def _reserve(connection: Connection, message_id: uuid.UUID, cost: float) -> float:
    """A slot of its lane for a message that has none; seconds until it."""
    return await connection.fetchval(
        "with slot as (insert into lanes (organization_id, carrier_account_id, sender, next_at)"
        "  select organization_id, carrier_account_id, from_number, now() + make_interval(secs => $2)"
        "  from messages where id = $1"
        "  on conflict (carrier_account_id, sender) do update"
        "   set next_at = greatest(lanes.next_at, clock_timestamp()) + (excluded.next_at - now())"
        "  returning next_at - make_interval(secs => $2) as at)"
        " update messages set slot_reserved = true, send_at = slot.at from slot where id = $1"
        " returning greatest(0, extract(epoch from send_at - clock_timestamp()))::float8",
        message_id,
        cost,
    )


async def record_accepted(
    connection: Connection, message: Message, carrier_message_id: str, status: str, decision: str | None = None
) -> bool:
    """The carrier has it. False if this attempt is no longer the message's. Raises UniqueViolationError when another
    message has that carrier's id."""
    return await _changed(
        connection,
        "update messages set carrier_message_id = $3, outcome_unknown_since = null,"
        f" status = {_FORWARD.format(new='$4::text', old='status')}, decision = coalesce($5, decision),"
        " sent_at = coalesce(sent_at, clock_timestamp()),"
        " finished_at = case when message_status_rank($4) = 60 then clock_timestamp() else finished_at end"
        " where id = $1 and attempt = $2 and (carrier_message_id is null or carrier_message_id = $3)",
        message.id,
        message.attempt,
        carrier_message_id,
        status,
        decision,
    )


async def record_failed(connection: Connection, message: Message, error_code: str | None, decision: str) -> bool:
    """It was refused for good, or given up."""
    return await _finish(connection, message, "failed", error_code, decision)


async def record_canceled(connection: Connection, message_id: uuid.UUID, status: str, decision: str) -> None:
    """A queued message will not be sent after all."""
    await connection.execute(
        "update messages set status = $2, decision = $3, finished_at = clock_timestamp()"
        " where id = $1 and status = 'queued'",
        message_id,
        status,
        decision,
    )


async def _finish(connection: Connection, message: Message, status: str, error_code: str | None, decision: str) -> bool:
    return await _changed(
        connection,
        "update messages set status = $3, error_code = $4, decision = $5, outcome_unknown_since = null,"
        " finished_at = clock_timestamp()"
        " where id = $1 and attempt = $2 and status = 'sending' and carrier_message_id is null",
        message.id,
        message.attempt,
        status,
        error_code,
        decision,
    )


async def requeue(
    connection: Connection, message: Message, delay_seconds: float, error_code: str | None, decision: str
) -> bool:
    """Known not to have been carried out: back into the queue, to take a new slot after the pause."""
    return await _changed(
        connection,
        "with again as (update messages set status = 'queued', slot_reserved = false,"
        "  send_at = clock_timestamp() + make_interval(secs => $3), error_code = $4, decision = $5,"
        "  outcome_unknown_since = null, empty_listings = 0, last_listing_at = null"
        "  where id = $1 and attempt = $2 and status = 'sending' and carrier_message_id is null"
        f"  returning id, send_at) {_QUEUE_AGAIN}",
        message.id,
        message.attempt,
        delay_seconds,
        error_code,
        decision,
    )


async def record_unknown(
    connection: Connection, message: Message, decision: str, *, since: datetime | None = None
) -> bool:
    """The attempt may have been carried out. `since`: when the attempt that may have been was started, if it was not
    this one (an identical twin's)."""
    return await _changed(
        connection,
        "update messages set outcome_unknown_since = clock_timestamp(), unknown_attempts = unknown_attempts + 1,"
        " decision = $3, attempt_started_at = least(attempt_started_at, $4)"
        " where id = $1 and attempt = $2 and status = 'sending' and carrier_message_id is null"
        " and outcome_unknown_since is null",
        message.id,
        message.attempt,
        decision,
        since,
    )


async def record_empty_listing(
    connection: Connection, message: Message, listed_at: datetime, gap_seconds: float
) -> int:
    """A listing begun at `listed_at` did not show the message. How many count: the first after the outcome became
    unknown, and one that began more than `gap_seconds` after that one had ended."""
    row = await connection.fetchrow(
        "update messages set"
        " empty_listings = case when empty_listings = 0 then 1"
        "  when $3 > last_listing_at + make_interval(secs => $4) then 2 else empty_listings end,"
        " last_listing_at = case when empty_listings = 0 then clock_timestamp() else last_listing_at end"
        " where id = $1 and attempt = $2 and status = 'sending' and carrier_message_id is null"
        " and outcome_unknown_since <= $3 returning empty_listings",
        message.id,
        message.attempt,
        listed_at,
        gap_seconds,
    )
    return 0 if row is None else row["empty_listings"]


async def owned(connection: Connection, account_id: uuid.UUID, carrier_message_ids: Sequence[str]) -> set[str]:
    """Those of the carrier's ids that belong to messages already."""
    rows = await connection.fetch(
        "select carrier_message_id from messages where carrier_account_id = $1 and carrier_message_id = any($2)",
        account_id,
        list(carrier_message_ids),
    )
    return {row["carrier_message_id"] for row in rows}


async def twins_in_flight(connection: Connection, message: Message) -> int:
    """Other texts of the same words to the same person whose attempts have no outcome yet."""
    return await connection.fetchval(
        "select count(*) from messages where carrier_account_id = $1 and to_number = $2 and from_number = $3"
        " and body = $4 and status = 'sending' and carrier_message_id is null and outcome_unknown_since is null"
        " and id <> $5",
        message.carrier_account_id,
        message.to_number,
        message.from_number,
        message.body,
        message.id,
    )


async def find_owner(
    connection: Connection, account_id: uuid.UUID, carrier_message_id: str, operation_id: uuid.UUID | None
) -> Message | None:
    """Whose the carrier's id is, locked: its owner; else the message that the callback names, if it has none; else,
    if that one has got another's, a twin of it that still waits for its own."""
    row = await connection.fetchrow(
        f"select {MESSAGE_COLUMNS} from messages where carrier_account_id = $1 and carrier_message_id = $2 for update",
        account_id,
        carrier_message_id,
    )
    if row is None and operation_id is not None:
        row = await connection.fetchrow(
            f"select {_M} from messages m join messages named on named.id = $2"
            " where named.carrier_account_id = $1 and m.organization_id = named.organization_id"
            "  and m.carrier_account_id = $1 and m.carrier_message_id is null"
            "  and (m.id = named.id or (named.carrier_message_id is not null and m.status = 'sending'"
            "   and m.to_number = named.to_number and m.from_number = named.from_number and m.body = named.body))"
            " order by m.id = named.id desc, m.id limit 1 for update of m",
            account_id,
            operation_id,
        )
    return None if row is None else message_of(row)


async def move_forward(
    connection: Connection,
    message: Message,
    carrier_message_id: str,
    status: str,
    error_code: str | None,
    decision: str | None,
) -> None:
    """A status as the carrier reports it; an older one than the message has changes nothing but the carrier's id."""
    await connection.execute(
        "update messages set carrier_message_id = $2, outcome_unknown_since = null,"
        f" status = {_FORWARD.format(new='$3::text', old='status')},"
        " error_code = case when message_status_rank($3) > message_status_rank(status) then $4 else error_code end,"
        " decision = case when message_status_rank($3) > message_status_rank(status) then $5 else decision end,"
        " sent_at = coalesce(sent_at, clock_timestamp()),"
        " finished_at = case when message_status_rank($3) = 60 then coalesce(finished_at, clock_timestamp())"
        "  else finished_at end"
        " where id = $1",
        message.id,
        carrier_message_id,
        status,
        error_code,
        decision,
    )


async def _changed(connection: Connection, statement: str, *args: object) -> bool:
    return not (await connection.execute(statement, *args)).endswith(" 0")


TAKEN: Final = asyncpg.UniqueViolationError
"""Raised by `record_accepted`: the carrier's id belongs to another message."""
