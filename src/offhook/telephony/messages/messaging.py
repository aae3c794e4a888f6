"""Texts: placed once, taken from their sender's lane in order, sent within the request where that is possible.

place ──> queued ──(the pump gives it a slot)──> sending ──> accepted ──> sent ──> delivered
           ^  ^ └── held, by the gate or a stop      │  └──> failed
           │  └───── not carried out (refused for now, no connection) ──┤
           └──────── unknown, and two listings say no ──── reconcile <──┘
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from offhook.core.db.jobs import Handler
from offhook.core.db.pool import Connection, Database
from offhook.core.db.shared import SharedCommit
from offhook.core.errors import Conflict, Effect, NotFound, OffhookError, Unavailable
from offhook.telephony.accounts import Accounts
from offhook.telephony.consent.zones import at_recipients
from offhook.telephony.messages import queries
from offhook.telephony.messages.attempts import Attempts
from offhook.telephony.messages.following import Following
from offhook.telephony.messages.intake import Intake
from offhook.telephony.messages.models import Message, NewText, Placed, Placement, Receipt, TextRequest
from offhook.telephony.messages.placing import PUMP, RECONCILE, place
from offhook.telephony.messages.pump import Pump
from offhook.telephony.messages.reading import find_message
from offhook.telephony.messages.reconcile import Reconciliation

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


Wish = Sequence[Placement]
"""A text, or the parts that it is split into: all of them are placed, or none."""


class Messaging:
    """Places and sends texts; what the Messenger port of tools is filled with."""

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        intake: Intake,
        pump: Pump,
        attempts: Attempts,
        reconciliation: Reconciliation,
        following: Following,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._intake = intake
        self._pump = pump
        self._attempts = attempts
        self._reconciliation = reconciliation
        self._following = following
        self._commit: SharedCommit[Wish, Sequence[Placed]] = SharedCommit(
            database, "place texts", _place_wishes, apart=lambda wish: wish[0].sender.account_id
        )

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """The jobs that this module's messages need run."""
        return {PUMP: self._pump.on_job, RECONCILE: self._on_reconcile}

    async def place(self, text: NewText) -> Message:
        """As `place_parts`, of a text that is not split: the first."""
        return (await self.place_parts(text))[0]

    async def place_parts(self, text: NewText) -> Sequence[Message]:
        """Store the text, one message unless it is split, and leave its sending to the queue.

        Raises InvalidInput, NotFound, Conflict, Unavailable.
        """
        placed = await self._commit.submit(await self._intake.placements(text))
        return [one.message for one in placed]

    async def text(self, request: TextRequest) -> Receipt:
        """Place the text and, if its sender's lane is free in time, send it now.

        Asked again with the same operation id, it finds out what became of the first. Raises as `place_parts`.
        """
        wait_seconds = min(request.wait_seconds, MAX_WAIT_SECONDS)
        deadline = asyncio.get_running_loop().time() + wait_seconds
        placed = await self._commit.submit(await self._intake.placements(request, claim_within_seconds=wait_seconds))
        return receipt_of(*await asyncio.gather(*(self._carried(one, deadline) for one in placed)))

    async def cancel(self, organization_id: uuid.UUID, message_id: uuid.UUID) -> Message:
        """Take back a text that has not been taken from its lane. Raises NotFound, Conflict that says why not."""
        async with self._database.tenant(organization_id) as connection:
            canceled = await queries.cancel(connection, organization_id, message_id)
            found = canceled or await find_message(connection, organization_id, message_id)
        if found is None:
            raise NotFound("There is no such message.", code="message_not_found")
        if canceled is None and found.status != "canceled":
            sentence = _TOO_LATE.get(found.status, "The text has ended.")
            raise Conflict(f"{sentence} It cannot be taken back any more.", code="message_not_queued")
        return found

    async def _carried(self, placed: Placed, deadline: float) -> Message:
        """The message when the carrier has it, when it is known to wait for longer, or when the asker's time is
        over."""
        message, loop = placed.message, asyncio.get_running_loop()
        if not message.is_open:
            return message
        if placed.was_there and message.status == "sending" and self._attempts.find(message.id) is None:
            # Its process may be dead. A look at the carrier's list harms nothing, and often ends the matter.
            await self._attempts.look(message.id, counting=False)
            message = await self._current(message)
        while message.is_open and loop.time() < deadline:
            attempt = self._attempts.find(message.id)
            if attempt is not None:
                await asyncio.wait([attempt], timeout=max(0.0, deadline - loop.time()))
                return await self._current(message)
            if message.hold_reason is not None or message.outcome_unknown_since is not None:
                return message
            pause = await self._look(message, deadline) if message.status == "queued" else _POLL_SECONDS
            if self._attempts.find(message.id) is None:
                await asyncio.sleep(min(pause, max(0.0, deadline - loop.time())))
                message = await self._current(message)
        return message

    async def _look(self, message: Message, deadline: float) -> float:
        """Look at the text's lane; seconds until another look is worth it. Not when the carrier could not answer in
        time any more."""
        if asyncio.get_running_loop().time() > deadline - _SENDING_RESERVE_SECONDS:
            return _POLL_SECONDS
        try:
            look = await self._pump.look(message)
        except Unavailable:
            return _POLL_SECONDS
        return _POLL_SECONDS if look.again_seconds is None else min(look.again_seconds, _POLL_SECONDS)

    async def _current(self, message: Message) -> Message:
        try:
            async with self._database.system("the outcome of a text") as connection:
                found = await queries.find(connection, message.id)
        except Unavailable:
            return message  # what is known is enough for an honest answer: on its way, or not known
        return found[0] if found else message

    async def close(self) -> None:
        """Let attempts that are under way end; what does not end within their time is reconciled by the jobs."""
        await self._commit.close()
        await self._attempts.close()

    async def _on_reconcile(self, payload: bytes) -> None:
        message_id = uuid.UUID(bytes=payload)
        await self._reconciliation.settle(message_id)
        await self._following.follow(message_id)


async def _place_wishes(connection: Connection, wishes: Sequence[Wish]) -> list[Sequence[Placed] | OffhookError]:
    results = iter(await place(connection, [part for wish in wishes for part in wish]))
    return [_placed_or_refused([next(results) for _ in wish]) for wish in wishes]


def _placed_or_refused(parts: Sequence[Placed | OffhookError]) -> Sequence[Placed] | OffhookError:
    """Of one wish. What refuses one part refuses all: they have one recipient and one sender, read in one statement."""
    refused = next((part for part in parts if isinstance(part, OffhookError)), None)
    return refused or [part for part in parts if isinstance(part, Placed)]


_TOO_LATE: Final[Mapping[str, str]] = {
    "queued": "An earlier attempt may have been carried out: the carrier is asked again.",
    "sending": "The text is on its way to the carrier.",
    "accepted": "The carrier has the text.",
    "sent": "The carrier has handed the text on.",
    "received": "The text was texted to you.",
}


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
    if status == "queued" and message.maybe_sent_since is not None:
        effect = Effect.UNKNOWN
    elif status == "sending" and message.carrier_message_id is not None:
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
        held_until=_held_until(message),
    )


def _held_until(message: Message) -> datetime | None:
    """On the recipient's clock."""
    until = message.held_until
    return None if until is None else at_recipients(until, message.to_number, message.recipient_time_zone)
