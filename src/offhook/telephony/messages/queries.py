"""The SQL of a message's life after it was claimed: outcomes, evidence, statuses. All on the database's clock.

Every outcome is fenced by the attempt that had it, and the trigger of migration 0003 lets statuses only go forward.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import asyncpg

from offhook.core.db.pool import Connection
from offhook.telephony.carrier import CarrierMessage
from offhook.telephony.messages.lanes import LaneKey, wake
from offhook.telephony.messages.models import MESSAGE_COLUMNS, Message, message_of

_M: Final = ", ".join(f"m.{name}" for name in MESSAGE_COLUMNS.split(", "))

# What was given up with its outcome unknown goes on when the carrier tells of it after all.
_RANK: Final = (
    "(case when status = 'failed' and error_code = 'outcome_unknown' and carrier_message_id is null"
    " then message_status_rank('sending') else message_status_rank(status) end)"
)


async def now(connection: Connection) -> datetime:
    """The time that all processes share."""
    return await connection.fetchval("select clock_timestamp()")


async def find(connection: Connection, message_id: uuid.UUID) -> tuple[Message, datetime] | None:
    """The message and the database's time."""
    row = await connection.fetchrow(
        f"select {MESSAGE_COLUMNS}, clock_timestamp() as now_at from messages where id = $1", message_id
    )
    return None if row is None else (message_of(row), row["now_at"])


async def record_accepted(
    connection: Connection, message: Message, told: CarrierMessage, decision: str | None = None
) -> bool:
    """The carrier has it. False if this attempt is no longer the message's. Raises UniqueViolationError when another
    message has that carrier's id."""
    return await _changed(
        connection,
        "update messages set carrier_message_id = $3, outcome_unknown_since = null, maybe_sent_since = null,"
        f" status = case when message_status_rank($4) > {_RANK} then $4 else status end,"
        f" error_code = case when message_status_rank($4) > {_RANK} then null else error_code end,"
        " decision = coalesce($5, decision),"
        " from_number = coalesce(from_number, nullif($6, '')), not_before = null, hold_reason = null,"
        " sent_at = coalesce(sent_at, clock_timestamp()),"
        f" finished_at = case when message_status_rank($4) <= {_RANK} then finished_at"
        "  when message_status_rank($4) = 60 then clock_timestamp() end"
        " where id = $1 and attempt = $2 and (carrier_message_id is null or carrier_message_id = $3)",
        message.id,
        message.attempt,
        told.carrier_message_id,
        told.status,
        decision,
        told.from_number,
    )


async def record_failed(connection: Connection, message: Message, error_code: str | None, decision: str) -> bool:
    """It was refused for good, or given up."""
    return await _finish(connection, message, "failed", error_code, decision)


async def record_withdrawn(connection: Connection, message: Message, code: str, why: str) -> bool:
    """It may not be sent after all."""
    return await _finish(connection, message, "canceled", code, f"Not sent: {why}.")


async def cancel(connection: Connection, organization_id: uuid.UUID, message_id: uuid.UUID) -> Message | None:
    """Take back what is still queued and surely was not sent; None if there is no such text."""
    row = await connection.fetchrow(
        "update messages set status = 'canceled', not_before = null, hold_reason = null,"
        " decision = 'Canceled before it was sent, as asked.', finished_at = clock_timestamp()"
        " where organization_id = $1 and id = $2 and status = 'queued' and maybe_sent_since is null"
        f" returning {MESSAGE_COLUMNS}",
        organization_id,
        message_id,
    )
    return None if row is None else message_of(row)


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
    connection: Connection,
    message: Message,
    at: datetime,
    error_code: str | None,
    decision: str,
    *,
    maybe_sent: bool = False,
) -> bool:
    """Back into its lane, held until `at`: the attempt was not carried out; or, with `maybe_sent`, it may have been,
    and the carrier is asked again under its key."""
    changed = await _changed(
        connection,
        "update messages set status = 'queued', not_before = $3, hold_reason = 'carrier', send_at = $3,"
        " error_code = $4, decision = $5, outcome_unknown_since = null, empty_listings = 0, last_listing_at = null,"
        " maybe_sent_since = case when $6 then coalesce(maybe_sent_since, attempt_started_at)"
        "  else maybe_sent_since end"
        " where id = $1 and attempt = $2 and status = 'sending' and carrier_message_id is null",
        message.id,
        message.attempt,
        at,
        error_code,
        decision,
        maybe_sent,
    )
    if changed:
        await wake(connection, LaneKey(message.carrier_account_id, message.sender), at)
    return changed


async def give_back(connection: Connection, message: Message) -> bool:
    """Its slot passed before anything was asked of the carrier: back into its lane, as if it had not been taken."""
    changed = await _changed(
        connection,
        "update messages set status = 'queued', attempt = attempt - 1"
        " where id = $1 and attempt = $2 and status = 'sending' and carrier_message_id is null"
        " and outcome_unknown_since is null",
        message.id,
        message.attempt,
    )
    if changed:
        await wake(connection, LaneKey(message.carrier_account_id, message.sender), await now(connection))
    return changed


async def pause_lane(connection: Connection, account_id: uuid.UUID, sender: str, until: datetime) -> None:
    """Give no slot of the lane away before then."""
    await connection.execute(
        "update lanes set next_at = greatest(next_at, $3), backlog_until = greatest(backlog_until, $3)"
        " where carrier_account_id = $1 and sender = $2",
        account_id,
        sender,
        until,
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
        "select count(*) from messages where carrier_account_id = $1 and to_number = $2 and sender = $3"
        " and body = $4 and media_count = $6"
        " and status = 'sending' and carrier_message_id is null and outcome_unknown_since is null and id <> $5",
        message.carrier_account_id,
        message.to_number,
        message.sender,
        message.body,
        message.id,
        message.media_count,
    )


_BY_CARRIERS_ID: Final = (
    f"select {MESSAGE_COLUMNS} from messages where carrier_account_id = $1 and carrier_message_id = $2 for update"
)


async def find_owner(
    connection: Connection, account_id: uuid.UUID, carrier_message_id: str, operation_id: uuid.UUID | None
) -> Message | None:
    """Whose the carrier's id is, locked: its owner; else the message that the callback names, if it has none; else,
    if that one has got another's, a twin of it that still waits for its own."""
    row = await connection.fetchrow(_BY_CARRIERS_ID, account_id, carrier_message_id)
    if row is None and operation_id is not None:
        row = await connection.fetchrow(
            f"select {_M} from messages m join messages named on named.id = $2"
            " where named.carrier_account_id = $1 and m.organization_id = named.organization_id"
            "  and m.carrier_account_id = $1 and m.carrier_message_id is null"
            "  and (m.id = named.id or (named.carrier_message_id is not null and m.status = 'sending'"
            "   and m.to_number = named.to_number and m.sender = named.sender and m.body = named.body"
            "   and m.media_count = named.media_count))"
            " order by m.id = named.id desc, m.id limit 1 for update of m",
            account_id,
            operation_id,
        )
        # The callback may have overtaken the answer, which was written down between the two looks.
        row = row or await connection.fetchrow(_BY_CARRIERS_ID, account_id, carrier_message_id)
    return None if row is None else message_of(row)


async def move_forward(
    connection: Connection,
    message: Message,
    carrier_message_id: str,
    status: str,
    error_code: str | None,
    decision: str | None,
    *,
    from_number: str | None = None,
    price: Decimal | None = None,
    price_currency: str | None = None,
) -> bool:
    """A status as the carrier reports it. False if the message had it already, or a later one: that changes nothing
    but what was not known, such as the carrier's id, the number that a messaging service picked, and the price."""
    row = await connection.fetchrow(
        f"with before as (select id, {_RANK} as rank from messages where id = $1 for update)"
        " update messages m set carrier_message_id = $2, outcome_unknown_since = null, maybe_sent_since = null,"
        "  not_before = null, hold_reason = null, from_number = coalesce(m.from_number, nullif($6, '')),"
        "  price = coalesce($7, m.price),"
        "  price_currency = case when $7::numeric is null then m.price_currency else $8 end,"
        "  status = case when message_status_rank($3) > before.rank then $3 else m.status end,"
        "  error_code = case when message_status_rank($3) > before.rank then $4 else m.error_code end,"
        "  decision = case when message_status_rank($3) > before.rank then $5 else m.decision end,"
        "  sent_at = coalesce(m.sent_at, clock_timestamp()),"
        "  finished_at = case when message_status_rank($3) <= before.rank then m.finished_at"
        "   when message_status_rank($3) = 60 then clock_timestamp() end"
        " from before where m.id = before.id returning message_status_rank($3) > before.rank as moved",
        message.id,
        carrier_message_id,
        status,
        error_code,
        decision,
        from_number,
        price,
        price_currency,
    )
    return row is not None and row["moved"]


async def count_repeats(connection: Connection, message_id: uuid.UUID) -> int:
    """How often the text has been sent before as another message."""
    return await connection.fetchval(
        "with recursive chain as (select retry_of from messages where id = $1 union all"
        "  select m.retry_of from messages m join chain on m.id = chain.retry_of)"
        " select count(*) from chain where retry_of is not null",
        message_id,
    )


async def insert_repeat(connection: Connection, message_id: uuid.UUID, new_id: uuid.UUID, at: datetime) -> bool:
    """The text once more, held until `at`; False if it has been repeated already."""
    inserted = await connection.execute(
        "insert into messages (id, organization_id, direction, origin, conversation_id, carrier_account_id, sender,"
        " from_number, messaging_service_id, to_number, body, encoding, segments, priority, status, send_at,"
        " not_before, hold_reason, decision, expires_at, recipient_time_zone, retry_of, part, parts, media_count,"
        " estimated_cost, price_currency)"
        " select $2, organization_id, direction, origin, conversation_id, carrier_account_id, sender,"
        "  case when messaging_service_id is null then from_number end, messaging_service_id, to_number, body,"
        "  encoding, segments, priority, 'queued', $3, $3, 'carrier', 'It repeats a text that was not delivered.',"
        "  expires_at, recipient_time_zone, id, part, parts, media_count, estimated_cost, price_currency"
        " from messages m where id = $1 and redacted_at is null"
        "  and not exists (select from messages r where r.organization_id = m.organization_id and r.retry_of = m.id)",
        message_id,
        new_id,
        at,
    )
    if inserted.endswith(" 0"):
        return False
    await connection.execute(
        "insert into message_media (organization_id, message_id, position, media_id, url, content_type, size_bytes)"
        " select organization_id, $2, position, media_id, url, content_type, size_bytes from message_media mm"
        " where message_id = $1 and organization_id = (select organization_id from messages where id = $1)",
        message_id,
        new_id,
    )
    return True


async def add_to_decision(connection: Connection, message_id: uuid.UUID, sentence: str) -> None:
    await connection.execute(
        "update messages set decision = concat_ws(' ', decision, $2::text) where id = $1", message_id, sentence
    )


async def _changed(connection: Connection, statement: str, *args: object) -> bool:
    return not (await connection.execute(statement, *args)).endswith(" 0")


TAKEN: Final = asyncpg.UniqueViolationError
"""Raised by `record_accepted`: the carrier's id belongs to another message."""
