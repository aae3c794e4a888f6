"""The attempts that this process makes: each as a task that goes on although its asker goes away.

Of one account only so many are under way at a time, so that a carrier's endpoint that answers nobody holds up no other
account; and those of one lane, its sender's or the whole account's, start one after another, however late this process
is.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from offhook.core.db.jobs import RetryLater
from offhook.core.db.pool import Database
from offhook.core.errors import Unavailable
from offhook.core.telemetry import get_logger
from offhook.telephony.messages import queries
from offhook.telephony.messages.lanes import ACCOUNT, Lane, LaneKey
from offhook.telephony.messages.models import Message
from offhook.telephony.messages.reconcile import Reconciliation
from offhook.telephony.messages.rooms import Room, Rooms
from offhook.telephony.messages.sending import Sending
from offhook.telephony.messages.slots import LATE_SECONDS, Spacing, is_too_late

_log = get_logger(__name__)

MAX_PER_ACCOUNT: Final = 32
"""Attempts of one account under way in one process."""
_CLOSING_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Cost:
    """By how much a text moves its lanes, in seconds."""

    sender: float
    total: float | None
    """The whole account's; None where that has no limit."""

    @classmethod
    def of(cls, message: Message, lane: Lane) -> Cost:
        total = None if lane.total is None else message.segments * lane.total.seconds_per_segment
        return cls(message.segments * lane.pace.seconds_per_segment, total)


@dataclass(slots=True)
class _Lane:
    spacing: Spacing = field(default_factory=Spacing)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class Attempts:
    """Launches attempts and knows those under way."""

    def __init__(self, database: Database, sending: Sending, reconciliation: Reconciliation) -> None:
        self._database = database
        self._sending = sending
        self._reconciliation = reconciliation
        self._tasks: dict[uuid.UUID, asyncio.Task[None]] = {}
        self.rooms = Rooms(MAX_PER_ACCOUNT)
        """By account."""
        self._lanes: dict[LaneKey, _Lane] = {}
        self._closing = asyncio.Event()
        self._moves: set[asyncio.Task[None]] = set()

    @property
    def is_closing(self) -> bool:
        """Whether nothing more is to be launched."""
        return self._closing.is_set()

    def find(self, message_id: uuid.UUID) -> asyncio.Task[None] | None:
        """The attempt of a message that is under way here."""
        return self._tasks.get(message_id)

    def launch(self, room: Room, message: Message, slot: float, cost: Cost) -> None:
        """Make a claimed message's attempt at `slot` (the event loop's time), in one of the places."""
        room.use()
        task = asyncio.create_task(self._attempt(message, slot, cost))
        self._tasks[message.id] = task
        task.add_done_callback(lambda done: self._forget(message, done))

    async def close(self) -> None:
        """Let attempts under way end, give back those whose slots have not come. What does not end in time is
        reconciled by its job."""
        self._closing.set()
        if self._tasks:
            await asyncio.wait([*self._tasks.values(), *self._moves], timeout=_CLOSING_SECONDS)
        for task in list(self._tasks.values()):
            task.cancel()

    async def look(self, message_id: uuid.UUID, *, counting: bool = True) -> None:
        """One look at an outcome that may be unknown; the guard job takes the next ones."""
        try:
            await self._reconciliation.settle(message_id, counting=counting)
        except (RetryLater, Unavailable):
            return

    async def _attempt(self, message: Message, slot: float, cost: Cost) -> None:
        async def turn() -> bool:
            return await self._turn(message, slot, cost)

        if not await self._sending.attempt(message, turn):
            await self.look(message.id)

    async def _turn(self, message: Message, slot: float, cost: Cost) -> bool:
        """Wait for the slot, behind those before it; False if it is lost."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        costs = {LaneKey(message.carrier_account_id, message.sender): cost.sender}
        if cost.total is not None:
            costs[LaneKey(message.carrier_account_id, ACCOUNT)] = cost.total
        async with AsyncExitStack() as stack:
            spacings: list[Spacing] = []
            for key in costs:  # the sender's first: whoever has the account's waits for no slot of its own any more
                spacing = await stack.enter_async_context(self._lane(key))
                turn = spacing.turn(slot, began, loop.time())
                if turn is None or not await self._sleep(turn - loop.time()):
                    return False
                spacings.append(spacing)
            started = loop.time()
            if is_too_late(slot, began, started):
                return False
            for spacing, seconds in zip(spacings, costs.values(), strict=True):
                spacing.start(slot, started, seconds)
        if started - slot > LATE_SECONDS:
            self._move_lanes(costs)
        return True

    @asynccontextmanager
    async def _lane(self, key: LaneKey) -> AsyncGenerator[Spacing]:
        """A lane in this process, for oneself."""
        lane = self._lanes.setdefault(key, _Lane())
        lane.users += 1
        try:
            async with lane.lock:
                yield lane.spacing
        finally:
            lane.users -= 1
            if lane.users == 0 and lane.spacing.is_free(asyncio.get_running_loop().time()):
                self._lanes.pop(key, None)

    def _move_lanes(self, costs: Mapping[LaneKey, float]) -> None:
        """A text has started late: those after it, in other processes too, are to be as far behind it as ever."""

        async def move() -> None:
            with suppress(Unavailable):
                async with self._database.system("a text was late") as connection:
                    now = await queries.now(connection)
                    for key, seconds in costs.items():  # in the order in which the pump locks them
                        until = now + timedelta(seconds=seconds)
                        await queries.pause_lane(connection, key.account_id, key.sender, until)

        task = asyncio.create_task(move())
        self._moves.add(task)
        task.add_done_callback(self._moves.discard)

    async def _sleep(self, seconds: float) -> bool:
        """False if this process is about to end."""
        if seconds > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), seconds)
        return not self._closing.is_set()

    def _forget(self, message: Message, task: asyncio.Task[None]) -> None:
        self._tasks.pop(message.id, None)
        self.rooms.give(message.carrier_account_id, 1)
        if not task.cancelled() and task.exception() is not None:
            _log.warning("attempt_failed", message_id=str(message.id), error_type=type(task.exception()).__name__)
