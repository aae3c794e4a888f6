"""What is not kept: answers past their time, of tool calls and under idempotency keys; carrier events that were handled
long ago; the queue's own notes; and conversations that nobody closed.

A worker that vanishes closes nothing, nor does a browser that is shut; without an end, their answers would have no
expiry. Safe in several processes at once: rows that one of them has locked are left to it.
"""

from __future__ import annotations

from typing import Any, Final

import asyncpg

from offhook.conversations.service import ANSWERS_KEPT_HOURS
from offhook.core.clock import Clock
from offhook.core.db.jobs import FORGET_COUNTED, FORGET_LOGGED
from offhook.core.db.pool import Database
from offhook.core.errors import Unavailable
from offhook.core.http.idempotency import FORGET_EXPIRED
from offhook.core.telemetry import get_logger
from offhook.telephony.carrier_events import FORGET_HANDLED

_log = get_logger(__name__)

SWEEP_SECONDS: Final = 600.0
ABANDONED_HOURS: Final = 24
"""Without a tool call, after which a conversation counts as over."""

ABANDONED: Final = "abandoned"
BATCH: Final = 500
"""Rows of one transaction."""

_CLOSE: Final = """
with stale as (
    select c.organization_id, c.id from conversations c
    where c.closed_at is null and c.opened_at < now() - make_interval(hours => $2)
      and not exists (
          select from tool_calls t
          where t.organization_id = c.organization_id and t.conversation_id = c.id
            and t.started_at >= now() - make_interval(hours => $2)
      )
    order by c.opened_at limit $1 for update skip locked
), calls as (
    update voice_calls v set status = 'closed', closed_at = now(), close_reason = $3
    from stale s where v.organization_id = s.organization_id and v.conversation_id = s.id and v.status = 'open'
), answers as (
    update tool_calls t set answer_expires_at = now() + make_interval(hours => $4)
    from stale s
    where t.organization_id = s.organization_id and t.conversation_id = s.id and t.answer_expires_at is null
)
update conversations c set closed_at = now(), close_reason = $3
from stale s where c.organization_id = s.organization_id and c.id = s.id
"""

# A call that was let in just before its conversation closed has no expiry of its own.
_FORGET_LATE: Final = """
with due as (
    select t.organization_id, t.id from tool_calls t
    join conversations c on c.organization_id = t.organization_id and c.id = t.conversation_id
    where t.answer is not null and t.answer_expires_at is null and c.closed_at <= now() - make_interval(hours => $2)
    limit $1 for update of t skip locked
)
update tool_calls t set answer = null from due d where t.organization_id = d.organization_id and t.id = d.id
"""

_FORGET: Final = """
with due as (
    select organization_id, id from tool_calls
    where answer is not null and answer_expires_at <= now()
    order by answer_expires_at limit $1 for update skip locked
)
update tool_calls t set answer = null from due d where t.organization_id = d.organization_id and t.id = d.id
"""


class Retention:
    """Sweeps now and then. `batch`: rows of one transaction."""

    def __init__(self, database: Database, clock: Clock, *, batch: int = BATCH) -> None:
        self._database = database
        self._clock = clock
        self._batch = batch

    async def run(self) -> None:
        """Sweep every ten minutes until cancelled; what fails is tried again the next time."""
        while True:
            try:
                await self.sweep()
            except (Unavailable, asyncpg.PostgresError) as error:
                _log.warning("sweep_failed", error_type=type(error).__name__)
            await self._clock.sleep(SWEEP_SECONDS)

    async def sweep(self) -> tuple[int, int]:
        """Conversations closed and answers forgotten. Raises Unavailable."""
        closed = await self._all(_CLOSE, ABANDONED_HOURS, ABANDONED, ANSWERS_KEPT_HOURS)
        forgotten = await self._all(_FORGET) + await self._all(_FORGET_LATE, ANSWERS_KEPT_HOURS)
        for statement in (FORGET_EXPIRED, FORGET_HANDLED, FORGET_LOGGED, FORGET_COUNTED):
            await self._all(statement)
        if closed:
            _log.info("conversations_abandoned", count=closed)
        if forgotten:
            _log.info("answers_forgotten", count=forgotten)
        return closed, forgotten

    async def _all(self, statement: str, *args: Any) -> int:
        """Batch after batch, each in a transaction of its own, until one is not full."""
        total = 0
        while True:
            async with self._database.system("sweep what is not kept") as connection:
                status = await connection.execute(statement, self._batch, *args)
            changed = int(status.rpartition(" ")[2])
            total += changed
            if changed < self._batch:
                return total
