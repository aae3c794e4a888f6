"""One attempt to send a claimed message, and the record of what came of it.

No transaction is open while the carrier is asked. Whatever happens after the request has left is an unknown outcome
until the carrier says otherwise: reconcile.py gathers the evidence, and nothing is sent again before.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from offhook.core.db.jobs import RetryLater
from offhook.core.db.pool import Connection, Database
from offhook.core.errors import ConfigurationError, NotFound, Unavailable
from offhook.core.telemetry import get_logger
from offhook.telephony import queries as telephony_queries
from offhook.telephony.accounts import Accounts
from offhook.telephony.carrier import (
    MESSAGE_STATUS,
    CarrierAccount,
    CarrierMessage,
    CarrierRefused,
    NotSent,
    OutboundText,
    OutcomeUnknown,
    Refusal,
    Treatment,
)
from offhook.telephony.consent.opting import How, Reason, opt_out
from offhook.telephony.messages import queries
from offhook.telephony.messages.models import Message
from offhook.telephony.messages.placing import GUARD_MARGIN_SECONDS, SUPPRESSED

_log = get_logger(__name__)

RECORDING_SECONDS: Final = 600.0
"""How long an outcome is kept in memory for a database that is away; after a death, the guard job asks the carrier."""

_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """`first_seconds * 2^(attempt - 1)` with jitter, at most `longest_seconds`, `attempts` times."""

    first_seconds: float
    longest_seconds: float
    attempts: int

    def delay_seconds(self, attempt: int) -> float:
        grown = self.first_seconds * 2 ** min(max(attempt - 1, 0), 30)
        return min(self.longest_seconds, grown) * (0.5 + random.random())  # noqa: S311 (jitter, not secrecy)


# Not carried out, so the pause is about load and patience, not about doubling: a voice call is waiting, and a text of
# yesterday helps nobody. 20429 starts at 100 ms in Twilio's own advice (facts/telephony.md 1.5).
RETRIES: Final[Mapping[Treatment, Backoff]] = {
    Treatment.RETRY: Backoff(0.2, 30.0, 20),
    Treatment.WAIT_SENDER: Backoff(60.0, 3600.0, 30),
    Treatment.WAIT_DAY: Backoff(3600.0, 3600.0, 30),
}
NOT_SENT: Final = Backoff(0.25, 60.0, 60)


class Sending:
    """Claims messages and makes their attempts."""

    def __init__(self, database: Database, accounts: Accounts, public_url: str | None) -> None:
        self._database = database
        self._accounts = accounts
        self._public_url = public_url

    async def send_queued(self, message_id: uuid.UUID) -> None:
        """Make the next attempt of a queued message. Raises RetryLater while its slot is ahead."""
        seconds = self._accounts.longest_attempt_seconds + GUARD_MARGIN_SECONDS
        async with self._database.system("claim a text") as connection:
            claim = await queries.claim(connection, message_id, seconds)
            if claim.suppressed:
                await queries.record_canceled(connection, message_id, "canceled", SUPPRESSED)
            elif claim.stopped_reason is not None:
                decision = f"Not sent: the carrier account is stopped. {claim.stopped_reason}"
                await queries.record_canceled(connection, message_id, "failed", decision)
        if claim.wait_seconds is not None:
            raise RetryLater(claim.wait_seconds)
        if claim.message is not None:
            await self.attempt(claim.message)

    async def attempt(self, message: Message) -> None:
        """Ask the carrier to send a claimed message, once, and record the outcome."""
        try:
            account = await self._accounts.get_open(message.carrier_account_id)
            carrier = self._accounts.carrier(account.carrier)
        except (ConfigurationError, NotFound) as error:
            code, decision = error.code, f"Not sent: {error.detail}"
            await self._record(message, lambda c: queries.record_failed(c, message, code, decision))
            return
        except Unavailable:
            await self._record(
                message, lambda c: queries.requeue(c, message, NOT_SENT.delay_seconds(1), None, "not sent yet")
            )
            return
        text = OutboundText(message.to_number, message.from_number, message.body, self._callback_url(account, message))
        try:
            sent = await carrier.send_text(account, text)
        except CarrierRefused as refused:
            await self._refused(message, refused.refusal)
        except NotSent as error:
            await self._again(message, NOT_SENT, None, f"Not sent: {error.reason}.", None)
        except OutcomeUnknown as error:
            reason = f"Outcome unknown: {error.reason}; looking for it in the carrier's list."
            await self._record(message, lambda c: queries.record_unknown(c, message, reason))
        else:
            await self._accepted(message, sent)

    def _callback_url(self, account: CarrierAccount, message: Message) -> str | None:
        if self._public_url is None:
            return None
        return f"{self._public_url}/webhooks/carriers/{account.id}/{MESSAGE_STATUS}?op={message.id}"

    async def _accepted(self, message: Message, sent: CarrierMessage) -> None:
        try:
            await self._record(
                message,
                lambda c: queries.record_accepted(c, message, sent.carrier_message_id, sent.status),
            )
        except queries.TAKEN:
            await self._trade_places(message, sent)

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

    async def _refused(self, message: Message, refusal: Refusal) -> None:
        backoff = RETRIES.get(refusal.treatment)
        if backoff is not None:
            await self._again(message, backoff, refusal.code, refusal.sentence, refusal.retry_after_seconds)
            return

        async def record(connection: Connection) -> bool:
            await apply_refusal(connection, message, refusal)
            return await queries.record_failed(connection, message, refusal.code, refusal.sentence)

        await self._record(message, record)
        if refusal.treatment is Treatment.STOP_ACCOUNT:
            self._accounts.forget(message.carrier_account_id, message.organization_id)

    async def _again(
        self, message: Message, backoff: Backoff, code: str | None, sentence: str, at_least_seconds: float | None
    ) -> None:
        if message.attempt >= backoff.attempts:
            decision = f"{sentence} Given up after {message.attempt} attempts; nothing was sent."
            await self._record(message, lambda c: queries.record_failed(c, message, code, decision))
            return
        delay = max(backoff.delay_seconds(message.attempt), at_least_seconds or 0.0)
        await self._record(message, lambda c: queries.requeue(c, message, delay, code, sentence))

    async def _record(self, message: Message, record: Callable[[Connection], Awaitable[bool]]) -> None:
        """Write the outcome down, however long the database is away (within RECORDING_SECONDS)."""
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + RECORDING_SECONDS, _FIRST_PAUSE_SECONDS
        while True:
            try:
                async with self._database.system("record a text's outcome") as connection:
                    recorded = await record(connection)
                break
            except Unavailable:
                if loop.time() > deadline:
                    raise
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        if not recorded:
            _log.warning("late_outcome_dropped", message_id=str(message.id), attempt=message.attempt)


async def apply_refusal(connection: Connection, message: Message, refusal: Refusal) -> None:
    """What a refusal means beyond its message: a number that opted out, an account that must not go on."""
    if refusal.treatment is Treatment.SUPPRESS:
        await opt_out(connection, message.organization_id, message.to_number, reason=Reason.CARRIER, how=How.CARRIER)
    elif refusal.treatment is Treatment.STOP_ACCOUNT:
        await telephony_queries.stop_account(
            connection, message.organization_id, message.carrier_account_id, f"{refusal.code}: {refusal.sentence}"
        )
