"""The pump: takes texts out of a lane in order of priority, asks the gate about each, and starts each at its slot.

A look at a lane is one small transaction with the lane's row locked, so every claim goes through here, one lane at a
time, whoever looks: a job, or a process in which somebody waits for a text. After a look, a pump that a job runs waits
for the next slot itself if that is near, and otherwise leaves a job for it. Killed at any point, it loses nothing:
its job is delivered again.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from offhook.core.clock import SystemClock
from offhook.core.db.jobs import RetryLater
from offhook.core.db.pool import Connection, Database
from offhook.core.errors import Unavailable
from offhook.core.recent import Recent
from offhook.core.telemetry import get_logger
from offhook.telephony.accounts import Accounts
from offhook.telephony.consent.gate import Gate
from offhook.telephony.messages import lanes
from offhook.telephony.messages.attempts import Attempts, Cost
from offhook.telephony.messages.holds import apply_verdicts
from offhook.telephony.messages.lanes import TIDY_BATCH, Lane, LaneKey, Taking, Waiting
from offhook.telephony.messages.models import Message, Priority
from offhook.telephony.messages.placing import ABANDONED_SECONDS, GUARD_MARGIN_SECONDS, JOB_LEAD_SECONDS
from offhook.telephony.messages.slots import HORIZON_SECONDS, LEAD_SECONDS, Pace, plan, start_of

_log = get_logger(__name__)

STAY_SECONDS: Final = 1.5
"""A pump waits for a slot itself if it is that near: a long code's next text (1 segment/s, facts/telephony.md 1.9)."""
MAX_STAYING: Final = 100
"""Pumps that wait so in one process; more lanes than that go through the queue, so that its other jobs have room."""
LOOKS_AT_ONCE: Final = 3
"""Looks of one organization in one process: they wait for each other's locks, and each holds a connection meanwhile."""
_AWAY_SECONDS: Final = 0.5
_FULL_SECONDS: Final = 1.0
_CROWDED_SECONDS: Final = 5.0
"""Until a lane of an account that answers nobody is looked at again, where so many lanes wait in this process."""
SWEEP_SECONDS: Final = 20.0
_KNOWN_SECONDS: Final = 3600.0
"""How long a lane's key is remembered by its id. It never changes."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a lane found. `again_seconds` None: this pump has nothing more to do here."""

    again_seconds: float | None
    full: bool = False
    """The account has as many attempts under way here as it may."""


_END: Final = Look(None)


@dataclass(frozen=True, slots=True)
class _Choice:
    """Which texts a look takes."""

    messages: Sequence[Message]
    slots: Sequence[datetime]
    paces: Sequence[Pace]
    judged: bool
    """The gate held or withdrew some, which is to be seen anew."""
    left: bool
    """Ready texts are left."""


class Pump:
    """Looks at lanes."""

    def __init__(self, database: Database, accounts: Accounts, attempts: Attempts, gate: Gate) -> None:
        self._database = database
        self._accounts = accounts
        self._attempts = attempts
        self._gate = gate
        self._staying = 0
        self._keys: Recent[uuid.UUID, tuple[LaneKey, uuid.UUID]] = Recent(SystemClock(), _KNOWN_SECONDS)
        """By the lane's id; with the organization's."""
        self._looks: set[asyncio.Task[Look]] = set()
        self._turns: defaultdict[uuid.UUID, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(LOOKS_AT_ONCE))
        """By organization."""

    async def on_job(self, payload: bytes) -> None:
        """Pump a lane until there is nothing to do soon. `payload`: the lane's id, and the name of the promise."""
        lane_id, me = uuid.UUID(bytes=payload[:16]), uuid.UUID(bytes=payload[16:])
        try:
            found = self._keys.get(lane_id) or await self._find_key(lane_id)
            if found is not None:
                await self._pump(*found, me)
        except Unavailable as error:
            raise RetryLater(_AWAY_SECONDS) from error

    async def _find_key(self, lane_id: uuid.UUID) -> tuple[LaneKey, uuid.UUID] | None:
        async with self._database.system("pump a lane") as connection:
            found = await lanes.find_key(connection, lane_id)
        return None if found is None else self._keys.put(lane_id, found)

    async def _pump(self, key: LaneKey, organization_id: uuid.UUID, me: uuid.UUID) -> None:
        while True:
            if self._attempts.is_closing:
                raise RetryLater(_AWAY_SECONDS)  # in another process
            look = await self._shielded(organization_id, key, me)
            if look.again_seconds is None:
                return
            self._staying += 1
            try:
                if look.full:
                    await self._attempts.rooms.wait(key.account_id, look.again_seconds)
                else:
                    await asyncio.sleep(look.again_seconds)
            finally:
                self._staying -= 1

    async def look(self, message: Message) -> Look:
        """One look at a lane for somebody who waits for this text: texts up to it are taken, as far as their slots
        are near. `again_seconds`: when it is worth another. Raises Unavailable."""
        if self._attempts.is_closing:
            return _END
        key = LaneKey(message.carrier_account_id, message.sender)
        return await self._shielded(message.organization_id, key, None, message.id)

    async def sweep(self) -> None:
        """Wake lanes and texts under way that nobody looks after, now and then, for ever: a process of the queue runs
        this."""
        while True:
            try:
                async with self._database.system("sweep the lanes") as connection:
                    found, unguarded = await lanes.sweep(connection), await lanes.guard_again(connection)
                if found:
                    _log.info("lanes_swept", count=found)
                if unguarded:
                    _log.warning("texts_guarded_again", count=unguarded)
            except Unavailable:
                pass
            await asyncio.sleep(SWEEP_SECONDS)

    async def _shielded(
        self, organization_id: uuid.UUID, key: LaneKey, me: uuid.UUID | None, until: uuid.UUID | None = None
    ) -> Look:
        """A look in its organization's turn. What was claimed is sent although whoever waits for it goes away in the
        middle."""

        async def in_turn() -> Look:
            async with self._turns[organization_id]:
                return Look(0.0) if self._attempts.is_closing else await self._look(key, me, until)

        task = asyncio.create_task(in_turn())
        self._looks.add(task)
        task.add_done_callback(self._looks.discard)
        return await asyncio.shield(task)

    async def _look(self, key: LaneKey, me: uuid.UUID | None, until: uuid.UUID | None) -> Look:
        loop = asyncio.get_running_loop()
        with self._attempts.rooms.room(key.account_id) as room:
            async with self._database.system("pump a lane") as connection:
                lane = await lanes.lock(connection, key)
                if lane is None:
                    return _END
                if lane.untidy:
                    await lanes.tidy(connection, lane)
                    return Look(0.0)
                places = room.take(_fitting(lane.pace))
                waiting = await lanes.waiting(connection, key, max(1, places))
                read_at = loop.time()
                if me is not None and not _is_ours(lane, me, waiting.now):
                    return _END
                choice = await self._choose(connection, lane, waiting, places, until)
                look, pump_at = self._next(
                    lane, waiting, choice, full=places < _fitting(lane.pace) and places <= len(choice.messages)
                )
                by = me
                if me is not None and pump_at is not None and look.again_seconds is None:
                    await lanes.queue_pump(connection, lane, pump_at)
                    by = lanes.job_at(lane, pump_at)
                taking = Taking(choice.messages, choice.slots, choice.paces, pump_at, by)
                guard_seconds = self._accounts.longest_attempt_seconds + GUARD_MARGIN_SECONDS
                taken = await lanes.take(connection, lane, taking, guard_seconds)
            for message in taken:
                slot = read_at + (message.send_at - waiting.now).total_seconds()
                self._attempts.launch(room, message, slot, Cost.of(message, lane))
        return look

    async def _choose(
        self, connection: Connection, lane: Lane, waiting: Waiting, places: int, until: uuid.UUID | None
    ) -> _Choice:
        """What has a slot within the horizon, of that which the gate lets go."""
        paces = (lane.pace,) if lane.total is None else (lane.pace, lane.total)
        if lane.stopped_hold is not None:
            return _Choice((), (), paces, judged=False, left=False)
        ready = waiting.ready[:places]
        first = plan([m.segments for m in ready], paces, waiting.now, HORIZON_SECONDS)
        chosen = _until(ready[: len(first.slots)], until)
        left = waiting.more or len(waiting.ready) > len(chosen)
        if not chosen:
            return _Choice((), (), paces, judged=False, left=left)
        verdicts = await self._gate.judge(connection, chosen)
        if verdicts:
            # Where one is held, many are: all at once, not one look and one lock of the gate's for each.
            many = (await lanes.waiting(connection, lane.key, TIDY_BATCH)).ready
            verdicts = await self._gate.judge(connection, many)
            await apply_verdicts(connection, lane.organization_id, verdicts)
            chosen = _until(many, until)
        free = [message for message in chosen if message.id not in verdicts][:places]
        final = plan([m.segments for m in free], paces, waiting.now, HORIZON_SECONDS)
        return _Choice(free[: len(final.slots)], final.slots, final.paces, judged=bool(verdicts), left=left)

    def _next(self, lane: Lane, waiting: Waiting, choice: _Choice, *, full: bool) -> tuple[Look, datetime | None]:
        """When this pump looks again, and by when somebody does: for `lanes.pump_at`."""
        now = waiting.now
        if choice.judged:
            return Look(0.0), now
        may_stay = self._staying < MAX_STAYING
        if choice.left and full:
            if may_stay:
                return Look(_FULL_SECONDS, full=True), now + timedelta(seconds=_FULL_SECONDS)
            # Not all of them at the same moment.
            return _END, now + timedelta(seconds=_CROWDED_SECONDS * random.uniform(0.5, 1.0))  # noqa: S311 (jitter)
        due: list[datetime] = [] if waiting.next_tidying is None else [waiting.next_tidying]
        if choice.left:
            lead = LEAD_SECONDS if _is_urgent(lane, waiting.ready) else LEAD_SECONDS / 2
            due.append(start_of(choice.paces, now) - timedelta(seconds=lead))
        at = min(due, default=None)
        if at is None:
            return _END, None
        at = max(at, now)
        seconds = (at - now).total_seconds()
        if seconds <= STAY_SECONDS and may_stay:
            return Look(seconds), at
        return _END, max(at - timedelta(seconds=JOB_LEAD_SECONDS - LEAD_SECONDS), now)


def _fitting(pace: Pace) -> int:
    """How many texts can have slots within the horizon at most."""
    return int(HORIZON_SECONDS / pace.seconds_per_segment) + 1


def _is_urgent(lane: Lane, ready: Sequence[Message]) -> bool:
    """Whether to look for a slot first. Lanes of one account that share its limit meet there, and a text that somebody
    waits for goes before others of that account too."""
    return lane.total is None or (bool(ready) and ready[0].priority == Priority.CONVERSATION)


def _is_ours(lane: Lane, me: uuid.UUID, now: datetime) -> bool:
    """Whether the promise to look at the lane is this job's, or nobody's any more."""
    if lane.pump_by == me or lane.pump_at is None:
        return True
    return lane.pump_at < now - timedelta(seconds=ABANDONED_SECONDS)


def _until(messages: Sequence[Message], last: uuid.UUID | None) -> Sequence[Message]:
    """Those up to the one named; all, if it is not among them."""
    for place, message in enumerate(messages, start=1):
        if message.id == last:
            return messages[:place]
    return messages
