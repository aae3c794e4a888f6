"""Finding out what became of an attempt that has no outcome: facts/telephony.md 1.8.

The carrier has no idempotency key, so its own list is the evidence. A message there with our words, between our
numbers, made since we began, and known to no other row, is ours. If none is, and none is in a second listing begun
more than `gap_seconds` after the first ended, the attempt had no effect and may be made again.

Identical twins are interchangeable, but each of the carrier's messages belongs to one row: while as many twins are
still in flight as there are unclaimed messages, nobody claims one.

Of a carrier that honours keys, the same request is made again under the same key instead. Of one that has neither, only
a callback can tell, and nothing is sent again.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from typing import Final

from offhook.core.db.jobs import RetryLater
from offhook.core.db.pool import Connection, Database
from offhook.core.errors import ConfigurationError, NotFound
from offhook.core.telemetry import get_logger
from offhook.core.texts.smart_encoding import same_words
from offhook.telephony.accounts import Accounts
from offhook.telephony.carrier import Carrier, CarrierAccount, CarrierMessage
from offhook.telephony.messages import queries
from offhook.telephony.messages.asking import Asking, NotAnswered
from offhook.telephony.messages.hearing import accept
from offhook.telephony.messages.models import Message
from offhook.telephony.messages.placing import GUARD_MARGIN_SECONDS
from offhook.telephony.messages.refusals import OUTCOME_UNKNOWN, give_up
from offhook.telephony.messages.sending import KEYS_KEPT

_log = get_logger(__name__)

MAX_UNKNOWN_ATTEMPTS: Final = 3
"""Attempts with an unknown outcome before somebody must look."""

CLOCK_SKEW: Final = timedelta(seconds=60)
"""Between our database's clock and the carrier's."""

UNHEARD: Final = timedelta(minutes=15)
"""How long a callback is waited for where nothing else can tell: ours; they come within seconds or not at all."""

UNANSWERED: Final = timedelta(hours=24)
"""How long a carrier is asked for its list that gives none: ours. By then a person would have looked."""

_TWIN_PAUSE_SECONDS: Final = 1.0
_FIRST_PAUSE_SECONDS: Final = 3.0
_LONGEST_PAUSE_SECONDS: Final = 60.0
_PAUSE_SHARE: Final = 0.25
"""A carrier that gives no list is asked again after this share of the time for which that has been so."""
_ENOUGH_EMPTY_LISTINGS: Final = 2
_AFTER_GAP_SECONDS: Final = 0.05


class Reconciliation:
    """Settles messages whose attempt has no outcome."""

    def __init__(self, database: Database, accounts: Accounts, asking: Asking, gap_seconds: float) -> None:
        self._database = database
        self._accounts = accounts
        self._asking = asking
        self._gap_seconds = gap_seconds

    async def settle(self, message_id: uuid.UUID, *, counting: bool = True) -> None:
        """Take one look. Raises RetryLater while it is not settled.

        `counting` False: only look for it, whatever the state of the attempt; for an asker who has come back.
        """
        found = await self._find(message_id)
        if found is None or not (found[0].status == "sending" and found[0].carrier_message_id is None):
            return
        message, now = found
        remaining = self._in_flight_seconds(message, now)
        if remaining > 0 and counting:
            raise RetryLater(remaining)
        if remaining <= 0:
            async with self._database.system("an attempt was abandoned") as connection:
                await queries.record_unknown(connection, message, "Outcome unknown: the attempt was abandoned.")
            found = await self._find(message_id)
            if found is None:
                return
            now = found[1]
        message = found[0]
        try:
            carrier, listed = await self._look(message, now)
        except NotAnswered as error:
            if counting:
                await self._wait_or_give_up(message, error.reason, now)
            return
        if listed is None:
            if counting:
                await self._settle_unlisted(message, carrier, now)
            return
        if listed and await self._adopt(message, listed, carrier):
            return
        if counting:
            await self._count(message, now)

    async def _look(self, message: Message, now: datetime) -> tuple[Carrier, Sequence[CarrierMessage] | None]:
        """The carrier, and those of its messages that may be this one, oldest first; None where it has no list."""
        try:
            account = await self._accounts.get_open(message.carrier_account_id)
        except (NotFound, ConfigurationError) as error:
            raise NotAnswered(error.detail) from error
        carrier = self._accounts.carrier(account.carrier)
        return carrier, await self._unclaimed(message, now) if carrier.lists_messages else None

    async def _wait_or_give_up(self, message: Message, reason: str, now: datetime) -> None:
        since = message.outcome_unknown_since or now
        if now < since + UNANSWERED:
            raise RetryLater(_pause_seconds(message, now))
        hours = int(UNANSWERED.total_seconds() / 3600)
        decision = (
            f"The outcome is unknown, and for {hours} hours the carrier has not shown its list: {reason.rstrip('.')}. "
            "It may have been sent, so it is not sent again."
        )
        async with self._database.system("a text stays unknown") as connection:
            await give_up(connection, message, OUTCOME_UNKNOWN, decision)

    async def _settle_unlisted(self, message: Message, carrier: Carrier, now: datetime) -> None:
        """Where no list is evidence."""
        since = message.outcome_unknown_since or now
        if message.status != "sending" or message.carrier_message_id is not None:
            return
        # Addresses of media are signed anew for every attempt, so a request with media is never quite the same.
        if carrier.honours_keys and not message.media_count:
            await self._ask_again(message, since, now)
        elif now < since + UNHEARD:
            raise RetryLater((since + UNHEARD - now).total_seconds())
        else:
            minutes = int(UNHEARD.total_seconds() / 60)
            decision = (
                f"The outcome is unknown: the carrier's answer was lost, it cannot be asked for it, and it has not "
                f"called back within {minutes} minutes. It may have been sent, so it is not sent again."
            )
            async with self._database.system("a text stays unknown") as connection:
                await give_up(connection, message, OUTCOME_UNKNOWN, decision)

    async def _ask_again(self, message: Message, since: datetime, now: datetime) -> None:
        tries = message.unknown_attempts
        first = message.maybe_sent_since or message.attempt_started_at or now
        may_ask = tries < MAX_UNKNOWN_ATTEMPTS and now < first + KEYS_KEPT
        heard_by = since + timedelta(seconds=self._gap_seconds)
        if not may_ask and now < heard_by:  # the last attempt's callback may be on its way
            raise RetryLater((heard_by - now).total_seconds())
        async with self._database.system("a text is asked for again") as connection:
            if may_ask:
                decision = "The outcome was unknown; the carrier is asked again under the same key: one text at most."
                at = now + timedelta(seconds=2.0**tries)
                await queries.requeue(connection, message, at, None, decision, maybe_sent=True)
            else:
                decision = (
                    f"Given up with the outcome unknown {tries} times: the carrier never answered clearly, and has not "
                    f"called back within {self._gap_seconds:g} s of the last."
                )
                await give_up(connection, message, OUTCOME_UNKNOWN, decision)

    def _in_flight_seconds(self, message: Message, now: datetime) -> float:
        """How long the attempt may still be under way."""
        if message.outcome_unknown_since is not None or message.attempt_started_at is None:
            return 0.0
        longest = self._accounts.longest_attempt_seconds + GUARD_MARGIN_SECONDS / 2
        return (message.attempt_started_at - now).total_seconds() + longest

    async def _find(self, message_id: uuid.UUID) -> tuple[Message, datetime] | None:
        async with self._database.system("reconcile a text") as connection:
            return await queries.find(connection, message_id)

    async def _unclaimed(self, message: Message, now: datetime) -> Sequence[CarrierMessage]:
        listed = await self._list(message, now)
        same = [candidate for candidate in listed if _may_be(candidate, message)]
        if not same:
            return []
        async with self._database.system("reconcile a text") as connection:
            owned = await queries.owned(
                connection, message.carrier_account_id, [candidate.carrier_message_id for candidate in same]
            )
            unclaimed = [candidate for candidate in same if candidate.carrier_message_id not in owned]
            twins = await queries.twins_in_flight(connection, message) if unclaimed else 0
        if unclaimed and twins >= len(unclaimed):
            raise RetryLater(_TWIN_PAUSE_SECONDS)
        # A carrier may count media late; one that is counted right is surely not another text's.
        return sorted(unclaimed, key=lambda one: (one.media_count != message.media_count, one.created_at))

    async def _list(self, message: Message, now: datetime) -> Sequence[CarrierMessage]:
        def question(carrier: Carrier, account: CarrierAccount) -> Awaitable[Sequence[CarrierMessage]]:
            return carrier.list_messages(
                account,
                to_number=message.to_number,
                from_number=None if message.messaging_service_id else message.from_number,
                since=message.created_at - CLOCK_SKEW,
            )

        try:
            return await self._asking.ask(message.carrier_account_id, question, _pause_seconds(message, now))
        except NotAnswered as error:
            _log.warning(
                "listing_failed", message_id=str(message.id), error_type=type(error.__cause__ or error).__name__
            )
            raise

    async def _adopt(self, message: Message, candidates: Sequence[CarrierMessage], carrier: Carrier) -> bool:
        for candidate in candidates:
            try:
                async with self._database.system("a text was found") as connection:
                    return await accept(
                        connection,
                        message,
                        candidate,
                        carrier,
                        "The outcome was unknown; it was found in the carrier's list.",
                    )
            except queries.TAKEN:
                continue
        return False

    async def _count(self, message: Message, listed_at: datetime) -> None:
        async with self._database.system("a text was not found") as connection:
            count = await queries.record_empty_listing(connection, message, listed_at, self._gap_seconds)
            if count >= _ENOUGH_EMPTY_LISTINGS:
                await self._conclude(connection, message)
                return
            found = await queries.find(connection, message.id)
        if found is not None and found[0].last_listing_at is not None:
            raise RetryLater(self._next_look_seconds((found[1] - found[0].last_listing_at).total_seconds()))

    def _next_look_seconds(self, elapsed: float) -> float:
        """Looks at doubling distances, because most lost answers show up at once; the last one just after the gap."""
        left = self._gap_seconds - elapsed + _AFTER_GAP_SECONDS
        return max(_AFTER_GAP_SECONDS, min(left, max(1.0, elapsed)))

    async def _conclude(self, connection: Connection, message: Message) -> None:
        """The attempt had no effect."""
        found = await queries.find(connection, message.id)
        tries = found[0].unknown_attempts if found else 0
        evidence = f"two listings {self._gap_seconds:g} s apart did not show it"
        if tries < MAX_UNKNOWN_ATTEMPTS:
            decision = f"The outcome was unknown; {evidence}, so it is sent again."
            await queries.requeue(connection, message, found[1] if found else message.updated_at, None, decision)
        else:
            decision = f"Given up with the outcome unknown {tries} times; evidence: after each, {evidence}."
            await give_up(connection, message, OUTCOME_UNKNOWN, decision)


def _pause_seconds(message: Message, now: datetime) -> float:
    """Until the carrier is asked again for a list that it did not give."""
    unknown = (now - (message.outcome_unknown_since or now)).total_seconds()
    return min(_LONGEST_PAUSE_SECONDS, max(_FIRST_PAUSE_SECONDS, unknown * _PAUSE_SHARE))


def _may_be(candidate: CarrierMessage, message: Message) -> bool:
    """Whether the carrier's message can be ours: same words, sender and recipient, and no media that ours lacks."""
    if message.messaging_service_id is not None:
        of_sender = candidate.messaging_service == message.sender
    else:
        of_sender = candidate.from_number == message.from_number
    return (
        of_sender
        and candidate.direction == "outbound"
        and candidate.to_number == message.to_number
        and same_words(candidate.body, message.body)
        and candidate.media_count in (message.media_count, 0)
    )
