"""Texts: placed once, paced by their sender's lane, sent within the request where that is possible.

place ──> queued ──(its slot comes: a job, or the asker waits)──> sending ──> accepted ──> sent ──> delivered
            ^                                                      │  └──> failed
            ├── not carried out (refused for now, no connection) ──┤
            └── unknown, and two listings say no ──── reconcile <──┘
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, cast

from offhook.core.db.jobs import Handler, RetryLater
from offhook.core.db.pool import Database
from offhook.core.db.shared import SharedCommit
from offhook.core.errors import Effect, Unavailable
from offhook.core.telemetry import get_logger
from offhook.telephony.messages import queries
from offhook.telephony.messages.following import Following
from offhook.telephony.messages.intake import Intake
from offhook.telephony.messages.models import Message, NewText, Placed, Placement, Receipt, TextRequest
from offhook.telephony.messages.placing import RECONCILE, SEND, place
from offhook.telephony.messages.reconcile import Reconciliation
from offhook.telephony.messages.sending import Sending

_log = get_logger(__name__)

MAX_WAIT_SECONDS: Final = 8.0  # product.md section 7
_SENDING_RESERVE_SECONDS: Final = 0.5
"""Of the asker's patience, what is left for the carrier when the slot comes."""

_POLL_SECONDS: Final = 0.1

_EFFECTS: Final[Mapping[str, Effect]] = {
    "queued": Effect.NONE,
    "failed": Effect.NONE,
    "canceled": Effect.NONE,
    "sending": Effect.UNKNOWN,
}
"""Of the other statuses the carrier has the text: done."""


class Messaging:
    """Places and sends texts; what the Messenger port of tools is filled with."""

    def __init__(
        self,
        database: Database,
        intake: Intake,
        sending: Sending,
        reconciliation: Reconciliation,
        following: Following,
    ) -> None:
        self._database = database
        self._intake = intake
        self._sending = sending
        self._reconciliation = reconciliation
        self._following = following
        self._commit: SharedCommit[Placement, Placed] = SharedCommit(database, "place texts", place)
        self._attempts: dict[uuid.UUID, asyncio.Task[None]] = {}

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """The jobs that this module's messages need run."""
        return {SEND: self._on_send, RECONCILE: self._on_reconcile}

    async def place(self, text: NewText) -> Message:
        """As `place_parts`, of a text that is not split: the first."""
        return (await self.place_parts(text))[0]

    async def place_parts(self, text: NewText) -> Sequence[Message]:
        """Store the text, one message unless it is split, and leave its sending to the queue.

        Raises InvalidInput, NotFound, Conflict, Unavailable.
        """
        return [placed.message for placed in await self._store(await self._intake.placements(text))]

    async def text(self, request: TextRequest) -> Receipt:
        """Place the text and, if its sender's lane is free in time, send it now.

        Asked again with the same operation id, it finds out what became of the first. Raises as `place_parts`.
        """
        deadline = asyncio.get_running_loop().time() + min(request.wait_seconds, MAX_WAIT_SECONDS)
        placements = await self._intake.placements(
            request,
            claim_within_seconds=max(0.0, min(request.wait_seconds, MAX_WAIT_SECONDS) - _SENDING_RESERVE_SECONDS),
        )
        placed = await self._store(placements)
        return receipt_of(*await asyncio.gather(*(self._carried(one, deadline) for one in placed)))

    async def _store(self, placements: Sequence[Placement]) -> Sequence[Placed]:
        stored = await asyncio.gather(*map(self._commit.submit, placements), return_exceptions=True)
        for one in stored:
            if isinstance(one, BaseException):
                raise one
        return cast("list[Placed]", stored)

    async def _carried(self, placed: Placed, deadline: float) -> Message:
        """The message when the carrier has it, or when the asker's time is over."""
        if placed.claimed:
            attempt = self._launch(placed)
            await asyncio.wait([attempt], timeout=max(0.0, deadline - asyncio.get_running_loop().time()))
        elif placed.was_there and placed.message.is_open:
            await self._follow(placed.message, deadline)
        else:
            return placed.message
        return await self._current(placed.message)

    async def close(self) -> None:
        """Let attempts that are under way end; what does not end within their time is reconciled by the jobs."""
        await self._commit.close()
        if self._attempts:
            await asyncio.wait(list(self._attempts.values()), timeout=1.0)
        for task in list(self._attempts.values()):
            task.cancel()

    def _launch(self, placed: Placed) -> asyncio.Task[None]:
        """The attempt goes on although its asker goes away."""
        message = placed.message
        task = asyncio.create_task(self._attempt(message, placed.seconds_to_slot))
        self._attempts[message.id] = task
        task.add_done_callback(lambda done: self._forget(message.id, done))
        return task

    def _forget(self, message_id: uuid.UUID, task: asyncio.Task[None]) -> None:
        self._attempts.pop(message_id, None)
        if not task.cancelled() and task.exception() is not None:
            _log.warning("attempt_failed", message_id=str(message_id), error_type=type(task.exception()).__name__)

    async def _attempt(self, message: Message, seconds_to_slot: float) -> None:
        if seconds_to_slot > 0:
            await asyncio.sleep(seconds_to_slot)
        await self._sending.attempt(message)
        await self._look(message.id)

    async def _look(self, message_id: uuid.UUID, *, counting: bool = True) -> None:
        """One look at an outcome that may be unknown; the guard job takes the next ones."""
        try:
            await self._reconciliation.settle(message_id, counting=counting)
        except (RetryLater, Unavailable):
            return

    async def _follow(self, message: Message, deadline: float) -> None:
        """Until the text that somebody placed before has an outcome, or the asker's time is over."""
        loop = asyncio.get_running_loop()
        attempt = self._attempts.get(message.id)
        if attempt is not None:
            await asyncio.wait([attempt], timeout=max(0.0, deadline - loop.time()))
            return
        if message.status == "sending":
            # Its process may be dead. A look at the carrier's list harms nothing, and often ends the matter.
            await self._look(message.id, counting=False)
        while loop.time() < deadline:
            current = await self._current(message)
            if not current.is_open or current.outcome_unknown_since is not None:
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def _current(self, message: Message) -> Message:
        try:
            async with self._database.system("the outcome of a text") as connection:
                found = await queries.find(connection, message.id)
        except Unavailable:
            return message  # what is known is enough for an honest answer: on its way, or not known
        return found[0] if found else message

    async def _on_send(self, payload: bytes) -> None:
        message_id = uuid.UUID(bytes=payload)
        await self._sending.send_queued(message_id)
        await self._look(message_id)

    async def _on_reconcile(self, payload: bytes) -> None:
        message_id = uuid.UUID(bytes=payload)
        await self._reconciliation.settle(message_id)
        await self._following.follow(message_id)


def receipt_of(*parts: Message) -> Receipt:
    """A text as its asker sees it: of several parts, as the one that stands worst, with the effect of all."""
    receipts = [_receipt(message) for message in parts]
    worst = min(receipts, key=lambda receipt: _STANDING.get(receipt.status, len(_STANDING)))
    effects = {receipt.effect for receipt in receipts}
    effect = next(effect for effect in (Effect.UNKNOWN, Effect.DONE, Effect.NONE) if effect in effects)
    return replace(
        worst,
        message_id=parts[0].id,
        effect=effect,
        segments=sum(receipt.segments for receipt in receipts),
        parts=len(receipts),
    )


_STANDING: Final = {"failed": 0, "undelivered": 0, "canceled": 0, "sending": 1, "queued": 2, "accepted": 3}


def _receipt(message: Message) -> Receipt:
    status = message.status
    effect = _EFFECTS.get(status, Effect.DONE)
    if status == "sending" and message.carrier_message_id is not None:
        effect = Effect.DONE
    elif status in ("failed", "undelivered") and message.carrier_message_id is None and message.error_code is not None:
        effect = Effect.UNKNOWN if message.unknown_attempts and message.error_code == "outcome_unknown" else Effect.NONE
    return Receipt(
        message_id=message.id,
        to_number=message.to_number,
        status=status,
        effect=effect,
        carrier_message_id=message.carrier_message_id,
        segments=message.segments,
        send_at=message.send_at,
        error_code=message.error_code,
        decision=message.decision,
        hold_reason=message.hold_reason if status == "queued" else None,
        held_until=message.not_before if status == "queued" else None,
    )
