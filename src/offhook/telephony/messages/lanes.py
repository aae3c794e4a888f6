"""The SQL of lanes: a sender's texts in the order in which they go, and who looks after them.

A lane is a row per sender ('' is the account's own, where it has a limit over all its senders). Everybody who changes
what a lane holds locks that row last and commits, so a pump that locks it sees every text that was placed before it,
and whoever places one after it sees what the pump wrote down. That is the whole of it: no wake-up is lost.

`pump_at` promises that somebody looks at the lane no later than then. `pump_by` names the one job that keeps the
promise, and stands in that job: delivered again, it knows that it is still meant, and a job whose promise was taken
over knows that it is not.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from offhook.core.db.jobs import enqueue, queue_ids
from offhook.core.db.pool import Connection
from offhook.core.ids import new_id
from offhook.telephony.messages.models import MESSAGE_COLUMNS, Message, message_of
from offhook.telephony.messages.placing import ABANDONED, JOB_LEAD_SECONDS, PUMP, PUMP_PRIORITY, RECONCILE, queue_pumps
from offhook.telephony.messages.slots import Pace

TIDY_BATCH: Final = 200
"""Texts that are released, expired or held in one transaction, so that nobody waits long for the lane."""
STOPPED_TEXTS_WAIT: Final = "24 hours"
"""How long a text waits for its sender or account to be started again."""

UNGUARDED_SECONDS: Final = 120
"""After its slot, a text without outcome has a job that looks after it, or none any more."""
RECONCILE_PRIORITY: Final = -10
"""What became of a text can wait for all else that is due: what people answer, above all."""

ACCOUNT: Final = ""
"""The sender of the whole account's lane."""

_M: Final = ", ".join(f"m.{name}" for name in MESSAGE_COLUMNS.split(", "))
_WAITING: Final = "m.carrier_account_id = $1 and m.sender = $2 and m.status = 'queued'"


@dataclass(frozen=True, slots=True)
class LaneKey:
    account_id: uuid.UUID
    sender: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane as it was locked, with what its account says."""

    id: uuid.UUID
    key: LaneKey
    organization_id: uuid.UUID
    pace: Pace
    total: Pace | None
    """The whole account's, locked too."""
    pump_at: datetime | None
    pump_by: uuid.UUID | None
    stopped_hold: str | None
    """`sender_stopped` or `account_stopped`: nothing goes."""
    stopped_reason: str | None
    untidy: bool
    """Held texts are due, texts have expired, or a stop has not been written onto its texts."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a lane holds at `now`."""

    now: datetime
    ready: Sequence[Message]
    more: bool
    next_tidying: datetime | None
    """When a held text is due or one expires."""


async def find_key(connection: Connection, lane_id: uuid.UUID) -> tuple[LaneKey, uuid.UUID] | None:
    """The lane's key and its organization."""
    row = await connection.fetchrow(
        "select carrier_account_id, sender, organization_id from lanes where id = $1", lane_id
    )
    return None if row is None else (LaneKey(row["carrier_account_id"], row["sender"]), row["organization_id"])


async def lock(connection: Connection, key: LaneKey) -> Lane | None:
    """The lane, ours until the transaction ends."""
    row = await connection.fetchrow(
        "select l.id, l.organization_id, l.next_at, l.pump_at, l.pump_by,"
        " 1 / coalesce(n.messages_per_second, s.messages_per_second, a.messages_per_second) as pace,"
        " 1 / a.total_per_second as total_pace,"
        " case when a.stopped_reason is not null then 'account_stopped'"
        "  when l.stopped_reason is not null then 'sender_stopped' end as stopped_hold,"
        " coalesce(a.stopped_reason, l.stopped_reason) as stopped_reason,"
        f" exists (select from messages m where {_WAITING} and m.not_before is not null"
        "  and m.not_before <= clock_timestamp()) or"
        f" exists (select from messages m where {_WAITING} and m.expires_at <= clock_timestamp()) or"
        " (coalesce(a.stopped_reason, l.stopped_reason) is not null and"
        f"  exists (select from messages m where {_WAITING} and m.not_before is null)) as untidy"
        " from lanes l"
        " join carrier_accounts a on a.organization_id = l.organization_id and a.id = l.carrier_account_id"
        " left join phone_numbers n on n.organization_id = l.organization_id and n.number = l.sender"
        " left join messaging_services s on s.carrier_account_id = l.carrier_account_id and s.external_id = l.sender"
        " where l.carrier_account_id = $1 and l.sender = $2 for update of l",
        key.account_id,
        key.sender,
    )
    if row is None:
        return None
    total_pace: float | None = row["total_pace"]
    total: Pace | None = None
    if total_pace is not None:
        total = Pace(await _lock_account(connection, key.account_id, row["organization_id"]), total_pace)
    return Lane(
        id=row["id"],
        key=key,
        organization_id=row["organization_id"],
        pace=Pace(row["next_at"], row["pace"]),
        total=total,
        pump_at=row["pump_at"],
        pump_by=row["pump_by"],
        stopped_hold=row["stopped_hold"],
        stopped_reason=row["stopped_reason"],
        untidy=row["untidy"],
    )


async def _lock_account(connection: Connection, account_id: uuid.UUID, organization_id: uuid.UUID) -> datetime:
    """Always after a sender's lane, so that two who lock both wait and do not block each other."""
    return await connection.fetchval(
        "insert into lanes (organization_id, carrier_account_id, sender) values ($1, $2, $3)"
        " on conflict (carrier_account_id, sender) do update set next_at = lanes.next_at returning next_at",
        organization_id,
        account_id,
        ACCOUNT,
    )


async def waiting(connection: Connection, key: LaneKey, limit: int) -> Waiting:
    """The first `limit` ready texts, in order. Reads the clock, so call it after `lock`."""
    rows = await connection.fetch(
        "select at.now_at, held.not_before as next_held, expiring.expires_at as next_expiry,"
        f" ready.* from (select clock_timestamp() as now_at) as at"
        f" left join lateral (select m.not_before from messages m where {_WAITING} and m.not_before is not null"
        "  order by m.not_before limit 1) as held on true"
        f" left join lateral (select m.expires_at from messages m where {_WAITING} and m.expires_at is not null"
        "  order by m.expires_at limit 1) as expiring on true"
        f" left join lateral (select {_M} from messages m where {_WAITING} and m.not_before is null"
        "  order by m.priority, m.id limit $3) as ready on true",
        key.account_id,
        key.sender,
        limit + 1,
    )
    first = rows[0]
    ready = [message_of(row) for row in rows if row["id"] is not None]
    due = [at for at in (first["next_held"], first["next_expiry"]) if at is not None]
    return Waiting(first["now_at"], ready[:limit], len(ready) > limit, min(due, default=None))


async def tidy(connection: Connection, lane: Lane) -> None:
    """One batch of what time has brought: texts that expired, held ones that are due; in a stopped lane, texts that
    are held from now on and those that have been held for too long."""
    key = (lane.key.account_id, lane.key.sender, TIDY_BATCH)
    await connection.execute(
        "update messages set status = 'canceled', error_code = 'expired', not_before = null, hold_reason = null,"
        " decision = 'Not sent any more: the time that it could wait is over.',"
        " finished_at = clock_timestamp() where id in"
        f" (select m.id from messages m where {_WAITING} and m.expires_at <= clock_timestamp()"
        "   order by m.expires_at limit $3) and status = 'queued'",
        *key,
    )
    if lane.stopped_hold is not None:
        await _hold_stopped(connection, lane)
        return
    # Why it was held is told no longer; an error that it is tried again after is.
    await connection.execute(
        "update messages set not_before = null, hold_reason = null,"
        " decision = case when error_code is null then null else decision end where id in"
        f" (select m.id from messages m where {_WAITING} and m.not_before <= clock_timestamp()"
        "   order by m.not_before limit $3) and status = 'queued'",
        *key,
    )


async def _hold_stopped(connection: Connection, lane: Lane) -> None:
    what = "account" if lane.stopped_hold == "account_stopped" else "sender"
    key = (lane.key.account_id, lane.key.sender, TIDY_BATCH)
    await connection.execute(
        "update messages set status = 'failed', error_code = $4, decision = $5, not_before = null,"
        " hold_reason = null, finished_at = clock_timestamp() where id in"
        f" (select m.id from messages m where {_WAITING} and m.not_before <= clock_timestamp() and m.hold_reason = $4"
        "   order by m.not_before limit $3) and status = 'queued'",
        *key,
        lane.stopped_hold,
        f"Given up: the {what} was stopped for over {STOPPED_TEXTS_WAIT}. {lane.stopped_reason}",
    )
    await connection.execute(
        f"update messages set not_before = clock_timestamp() + interval '{STOPPED_TEXTS_WAIT}', hold_reason = $4,"
        " decision = $5 where id in"
        f" (select m.id from messages m where {_WAITING} and coalesce(m.not_before, '-infinity') <= clock_timestamp()"
        "   and m.hold_reason is distinct from $4 limit $3) and status = 'queued'",
        *key,
        lane.stopped_hold,
        f"Held: the {what} is stopped. {lane.stopped_reason} It goes when the {what} is started again.",
    )


_TAKE: Final = (
    "with claimed as (update messages m set status = 'sending', attempt = m.attempt + 1, attempt_started_at = slot.at,"
    "  send_at = slot.at, hold_reason = null, outcome_unknown_since = null, empty_listings = 0,"
    "  last_listing_at = null, error_code = null, decision = null"
    "  from unnest($1::uuid[], $2::timestamptz[]) as slot (id, at) where m.id = slot.id and m.status = 'queued'"
    f"  returning {_M}), guard as ("
    + queue_ids(
        "claimed", f"'{RECONCILE}'", at="attempt_started_at + make_interval(secs => $3)", priority=RECONCILE_PRIORITY
    )
    + "), lane as (update lanes set next_at = $5, pump_at = case when $7::uuid is null then pump_at else $6 end,"
    "  pump_by = coalesce($7, pump_by),"
    "  backlog_until = case when $7 is not null and $6::timestamptz is null then $5 else backlog_until end"
    "  where id = $4)"
    " select * from claimed order by attempt_started_at, id"
)


@dataclass(frozen=True, slots=True)
class Taking:
    """What a look takes of a lane."""

    messages: Sequence[Message]
    slots: Sequence[datetime]
    paces: Sequence[Pace]
    """Of the lane, and of the account's where that has one."""
    pump_at: datetime | None
    """The new promise; None: nothing waits any more, so the lane's backlog ends where its slots do."""
    by: uuid.UUID | None
    """Whose promise it is; None: the promise that there is stays."""


async def take(connection: Connection, lane: Lane, taking: Taking, guard_seconds: float) -> list[Message]:
    """Claim the next attempts of texts, each with a job that looks after it if we die, and write down what was taken
    of the lane. Those that were canceled meanwhile are not among the result. `guard_seconds`: after how long from the
    slot that job runs."""
    rows = await connection.fetch(
        _TAKE,
        [message.id for message in taking.messages],
        list(taking.slots),
        guard_seconds,
        lane.id,
        taking.paces[0].next_at,
        taking.pump_at,
        taking.by,
    )
    if lane.total is not None:
        await connection.execute(
            "update lanes set next_at = $3 where carrier_account_id = $1 and sender = $2",
            lane.key.account_id,
            ACCOUNT,
            taking.paces[1].next_at,
        )
    return [message_of(row) for row in rows]


def job_at(lane: Lane, at: datetime) -> uuid.UUID:
    """The name of the lane's job of that time: there is at most one, however often the lane is left until then."""
    return uuid.uuid5(lane.id, at.isoformat())


async def queue_pump(connection: Connection, lane: Lane, at: datetime) -> None:
    """The job that looks at the lane then."""
    by = job_at(lane, at)
    await enqueue(
        connection, PUMP, lane.id.bytes + by.bytes, execute_after=at, dedupe_key=str(by), priority=PUMP_PRIORITY
    )


_PROMISED: Final = f"pump_at <= greatest($3, next_at) and pump_at > clock_timestamp() - {ABANDONED}"
_WAKE: Final = (
    "with lane as (update lanes set"
    f" pump_at = case when {_PROMISED} then pump_at"
    f"  else greatest($3, next_at - interval '{JOB_LEAD_SECONDS} seconds') end,"
    f" pump_by = case when {_PROMISED} then pump_by else $4 end"
    " where carrier_account_id = $1 and sender = $2 returning id, pump_at, pump_by)"
    + queue_pumps("lane where pump_by = $4")
)


async def wake(connection: Connection, key: LaneKey, at: datetime) -> None:
    """Something in the lane can go at `at`, if it has a slot by then: see that somebody looks."""
    # The row is written in any case: a pump that is at work must end before this is decided.
    await connection.execute(_WAKE, key.account_id, key.sender, at, new_id())


_SWEEP: Final = (
    "with lane as (update lanes l set pump_at = clock_timestamp(), pump_by = $1 where l.id in"
    f" (select l.id from lanes l where (l.pump_at is null or l.pump_at < clock_timestamp() - {ABANDONED})"
    "   and exists (select from messages m where m.carrier_account_id = l.carrier_account_id"
    "    and m.sender = l.sender and m.status = 'queued')"
    "   order by l.carrier_account_id, l.sender for update skip locked) returning l.id, l.pump_at, l.pump_by), job as ("
    + queue_pumps("lane")
    + ") select count(*) from lane"
)


_UNGUARDED: Final = (
    "select m.id from messages m where m.status = 'sending' and m.carrier_message_id is null"
    f" and m.attempt_started_at < clock_timestamp() - interval '{UNGUARDED_SECONDS} seconds'"
    f" and not exists (select from pgqueuer j where j.entrypoint = '{RECONCILE}' and j.payload = uuid_send(m.id))"
    " order by m.id limit $1"
)


async def guard_again(connection: Connection) -> int:
    """Texts under way whose guard is gone, as after a restored backup: each gets a job that finds out. How many."""
    rows = await connection.fetch(_UNGUARDED, TIDY_BATCH)
    for row in rows:
        message_id: uuid.UUID = row["id"]
        await enqueue(connection, RECONCILE, message_id, dedupe_key=f"guard:{message_id}", priority=RECONCILE_PRIORITY)
    return len(rows)


async def sweep(connection: Connection) -> int:
    """Lanes that hold texts and that nobody looks after, as after a restored backup: each gets a job. How many."""
    return await connection.fetchval(_SWEEP, new_id())
