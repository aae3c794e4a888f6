"""One attempt to send a claimed message, and the record of what came of it.

No transaction is open while the carrier is asked. Whatever happens after the request has left is an unknown outcome
until the carrier says otherwise: reconcile.py gathers the evidence, and nothing is sent again before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

import asyncpg

from offhook.core.db.pool import Connection, Database
from offhook.core.errors import ConfigurationError, Conflict, NotFound, Unavailable
from offhook.core.telemetry import get_logger
from offhook.telephony.accounts import Accounts
from offhook.telephony.carrier import (
    MESSAGE_STATUS,
    Carrier,
    CarrierAccount,
    CarrierMessage,
    CarrierRefused,
    NotSent,
    OutboundText,
    OutcomeUnknown,
    Refusal,
    Treatment,
)
from offhook.telephony.consent.opting import SUPPRESSED, why
from offhook.telephony.consent.queries import find_reason
from offhook.telephony.messages import queries
from offhook.telephony.messages.hearing import accept
from offhook.telephony.messages.models import WAITED_FOR, Message
from offhook.telephony.messages.refusals import (
    NEVER_LEFT,
    NOT_SENT,
    OUTCOME_UNKNOWN,
    RETRIES,
    STOPS,
    WAITS,
    apply_refusal,
    give_up,
    pause_end,
)

_log = get_logger(__name__)

RECORDING_SECONDS: Final = 600.0
"""How long an outcome is kept in memory for a database that is away; after a death, the guard job asks the carrier."""

KEYS_KEPT: Final = timedelta(hours=23)
"""A text that is older is not asked for again: carriers keep keys for 24 hours (`Carrier.honours_keys`)."""

LOOK_SECONDS: Final = 1.0
"""For the last look at the suppression list. Shorter than GUARD_MARGIN_SECONDS, after which the attempt is taken for
over."""

_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 5.0

Turn = Callable[[], Awaitable[bool]]
"""Waits for the message's slot; False if the slot is lost."""


class MediaAddresses(Protocol):
    """Where carriers fetch what a text carries."""

    async def addresses(self, message: Message) -> tuple[str, ...]:
        """Raises Conflict where something was erased meanwhile, ConfigurationError, Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class _Ready:
    """All that the request needs, so that nothing is waited for once the slot comes."""

    carrier: Carrier
    account: CarrierAccount
    text: OutboundText


class Sending:
    """Makes the attempts of claimed messages."""

    def __init__(
        self, database: Database, accounts: Accounts, public_url: str | None, media: MediaAddresses | None = None
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._public_url = public_url
        self._media = media

    async def attempt(self, message: Message, turn: Turn) -> bool:
        """Ask the carrier to send a claimed message when its turn comes, once, and record the outcome. Whether there
        is one: an unknown outcome is to be found out."""
        try:
            ready = await self._ready(message)
        except (ConfigurationError, NotFound, Conflict) as error:
            code, decision = error.code, f"Not sent: {error.detail}"
            await self._record(message, lambda c: queries.record_failed(c, message, code, decision))
            return True
        except Unavailable as error:
            await self._not_sent(message, error.detail)
            return True
        maybe_sent_since = message.maybe_sent_since
        if maybe_sent_since is not None and message.send_at > maybe_sent_since + KEYS_KEPT:
            decision = "Given up: the outcome is unknown, and the carrier no longer knows the key of that attempt."
            await self._record(message, lambda c: give_up(c, message, OUTCOME_UNKNOWN, decision))
            return True
        if not await self._cleared(message, turn):
            return True
        try:
            sent = await ready.carrier.send_text(ready.account, ready.text)
        except CarrierRefused as refused:
            await self._refused(message, ready.account, refused.refusal)
        except NotSent as error:
            await self._not_sent(message, error.reason)
        except OutcomeUnknown as error:
            reason = f"Outcome unknown: {error.reason}; finding out."
            await self._record(message, lambda c: queries.record_unknown(c, message, reason))
            return False
        else:
            return await self._accepted(message, sent, ready.carrier)
        return True

    async def _cleared(self, message: Message, turn: Turn) -> bool:
        """Wait for the slot, then look at the suppression list a last time: who opted out since the claim is not
        texted. False where the text does not go now, which is written down."""
        if await turn():
            try:
                reason = await self._listed_for(message)
            except Unavailable:
                pass  # to the lane: nobody is texted who may be on the list
            else:
                if reason is None:
                    return True
                await self._record(message, lambda c: queries.record_withdrawn(c, message, SUPPRESSED, why(reason)))
                return False
        await self._record(message, lambda c: queries.give_back(c, message))
        return False

    async def _listed_for(self, message: Message) -> str | None:
        """Why the recipient is on the list; None: they are not. Raises Unavailable, also when it takes long."""
        try:
            async with asyncio.timeout(LOOK_SECONDS), self._database.system("look at the list") as connection:
                return await find_reason(connection, message.organization_id, message.to_number)
        except TimeoutError:
            raise Unavailable("the database takes too long to answer", code="database_unavailable") from None

    async def _ready(self, message: Message) -> _Ready:
        account = await self._accounts.get_open(message.carrier_account_id)
        carrier = self._accounts.carrier(account.carrier)
        media: tuple[str, ...] = ()
        if message.media_count and self._media is not None:
            media = await self._media.addresses(message)
        of_service = message.messaging_service_id is not None
        text = OutboundText(
            to_number=message.to_number,
            from_number=None if of_service else message.from_number,
            body=message.body,
            status_callback_url=self._callback_url(account, message),
            messaging_service=message.sender if of_service else None,
            media_urls=media,
            validity_seconds=_validity_seconds(message),
            idempotency_key=str(message.id),
            asked_before=message.maybe_sent_since is not None,
        )
        return _Ready(carrier, account, text)

    def _callback_url(self, account: CarrierAccount, message: Message) -> str | None:
        if self._public_url is None:
            return None
        return f"{self._public_url}/webhooks/carriers/{account.id}/{MESSAGE_STATUS}?op={message.id}"

    async def _accepted(self, message: Message, sent: CarrierMessage, carrier: Carrier) -> bool:
        try:
            await self._record(message, lambda c: accept(c, message, sent, carrier))
        except queries.TAKEN:
            await self._trade_places(message, sent)
            return False
        return True

    async def _trade_places(self, message: Message, sent: CarrierMessage) -> None:
        """A twin of unknown outcome was found by our carrier's id in a listing. The two are the same text, so it
        keeps the id and we take over its unknown attempt: as many are sent as were asked for."""

        async def swap(connection: Connection) -> bool:
            twin = await queries.find_owner(connection, message.carrier_account_id, sent.carrier_message_id, None)
            since = twin.attempt_started_at if twin else None
            decision = "Outcome unknown: an identical text was taken for this one; looking for the other."
            return await queries.record_unknown(connection, message, decision, since=since)

        _log.warning("twin_traded", message_id=str(message.id), attempt=message.attempt)
        await self._record(message, swap)

    async def _not_sent(self, message: Message, reason: str) -> None:
        sentence = f"Not sent: {reason.rstrip('.')}."
        if message.attempt >= NOT_SENT.attempts:
            await self._give_up(message, NEVER_LEFT, sentence)
            return
        pause = timedelta(seconds=NOT_SENT.delay_seconds(message.attempt))
        await self._record(message, lambda c: _again(c, message, pause, sentence))

    async def _refused(self, message: Message, account: CarrierAccount, refusal: Refusal) -> None:
        if refusal.treatment is Treatment.STOP_ACCOUNT and not await self._is_current(account):
            await self._not_sent(message, "the account was changed while it was asked")
            return
        backoff = RETRIES.get(refusal.treatment)
        if backoff is not None and message.attempt >= backoff.attempts:
            await self._give_up(message, refusal.code, refusal.sentence)
            return

        async def wait(connection: Connection) -> bool:
            until = await pause_end(connection, refusal, message.attempt)
            if refusal.treatment in WAITS:
                await queries.pause_lane(connection, message.carrier_account_id, message.sender, until)
            return await queries.requeue(connection, message, until, refusal.code, refusal.sentence)

        async def end(connection: Connection) -> bool:
            failed = await queries.record_failed(connection, message, refusal.code, refusal.sentence)
            if failed:
                await apply_refusal(connection, message, refusal)
            return failed

        async def hold(connection: Connection) -> bool:
            # The stop first: it locks what others lock before texts. The pump holds the text.
            await apply_refusal(connection, message, refusal)
            now = await queries.now(connection)
            return await queries.requeue(connection, message, now, refusal.code, refusal.sentence)

        waits = refusal.treatment in STOPS and message.origin not in WAITED_FOR
        await self._record(message, hold if waits else end if backoff is None else wait)
        if refusal.treatment is Treatment.STOP_ACCOUNT:
            self._accounts.forget(message.carrier_account_id, message.organization_id)

    async def _is_current(self, account: CarrierAccount) -> bool:
        try:
            return await self._accounts.is_current(account)
        except (Unavailable, ConfigurationError):
            return True

    async def _give_up(self, message: Message, code: str, sentence: str) -> None:
        surely = "" if message.maybe_sent_since else "; nothing was sent"
        decision = f"{sentence} Given up after {message.attempt} attempts{surely}."
        await self._record(message, lambda c: give_up(c, message, code, decision))

    async def _record(self, message: Message, record: Callable[[Connection], Awaitable[bool]]) -> None:
        """Write the outcome down, however long the database is away (within RECORDING_SECONDS)."""
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + RECORDING_SECONDS, _FIRST_PAUSE_SECONDS
        while True:
            try:
                async with self._database.system("record a text's outcome") as connection:
                    recorded = await record(connection)
                break
            except (Unavailable, asyncpg.DeadlockDetectedError):
                if loop.time() > deadline:
                    raise
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        if not recorded:
            _log.warning("late_outcome_dropped", message_id=str(message.id), attempt=message.attempt)


async def _again(connection: Connection, message: Message, pause: timedelta, sentence: str) -> bool:
    at = await queries.now(connection) + pause
    return await queries.requeue(connection, message, at, None, sentence)


def _validity_seconds(message: Message) -> int | None:
    """What is left of the time that the text can wait."""
    if message.expires_at is None:
        return None
    return max(1, int((message.expires_at - message.send_at).total_seconds()))
