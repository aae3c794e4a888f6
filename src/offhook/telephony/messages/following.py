"""Asking the carrier what became of a text whose callbacks did not come: lost, or nothing can reach this machine.

Carriers call back once or twice and then no more (facts/telephony.md 4), so a text without a final status is looked up,
at growing distances, until no status can come any more.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable
from typing import Final

from offhook.core.db.jobs import RetryLater
from offhook.core.db.pool import Database
from offhook.core.telemetry import get_logger
from offhook.telephony.accounts import Accounts
from offhook.telephony.carrier import Carrier, CarrierAccount, CarrierMessage
from offhook.telephony.messages import queries
from offhook.telephony.messages.asking import Asking, NotAnswered
from offhook.telephony.messages.hearing import Told, hear
from offhook.telephony.messages.models import Message

_log = get_logger(__name__)

LOOKS_AT_SECONDS: Final = (30.0, 120.0, 600.0, 3_600.0, 14_400.0, 39_600.0)
"""After the text was handed over. The first look of all is the guard job's, seconds after the attempt. A carrier keeps
a text for at most 10 h (Twilio's ValidityPeriod), so after 11 h there is nothing to learn."""
_UNANSWERED_SHARE: Final = 0.25
"""A look that the carrier did not answer is taken again after this share of the time that has passed: soon for a text
that was just sent, and never so often that a carrier that is away for hours is asked in vain all the time."""
_UNANSWERED_SECONDS: Final = 5.0


class Following:
    """Looks texts up that the carrier has and that have no final status."""

    def __init__(self, database: Database, accounts: Accounts, asking: Asking) -> None:
        self._database = database
        self._accounts = accounts
        self._asking = asking

    async def follow(self, message_id: uuid.UUID) -> None:
        """Take one look. Raises RetryLater while a later one may tell more."""
        async with self._database.system("follow a text") as connection:
            found = await queries.find(connection, message_id)
        if found is None:
            return
        message, now = found
        if message.finished_at is not None or message.carrier_message_id is None or message.sent_at is None:
            return
        passed = (now - message.sent_at).total_seconds()
        soon = max(_UNANSWERED_SECONDS, passed * _UNANSWERED_SHARE)
        told = await self._told(message, message.carrier_message_id, soon)
        if told is not None and await self._record(message, told):
            return
        next_look = next((at for at in LOOKS_AT_SECONDS if at > passed), None)
        if next_look is not None:
            raise RetryLater(min(next_look - passed, soon) if told is None else next_look - passed)
        _log.info("text_without_final_status", message_id=str(message.id), status=message.status)

    async def _told(self, message: Message, carrier_message_id: str, again_seconds: float) -> CarrierMessage | None:
        """None where the carrier gives no answer now."""

        def question(carrier: Carrier, account: CarrierAccount) -> Awaitable[CarrierMessage]:
            return carrier.get_message(account, carrier_message_id)

        try:
            return await self._asking.ask(message.carrier_account_id, question, again_seconds)
        except NotAnswered as error:
            _log.info("look_failed", message_id=str(message.id), error_type=type(error.__cause__ or error).__name__)
            return None

    async def _record(self, message: Message, told: CarrierMessage) -> bool:
        """Whether nothing more is to be learned: it has a final status, and its price if that comes."""
        account = await self._accounts.get_open(message.carrier_account_id)
        carrier = self._accounts.carrier(account.carrier)
        async with self._database.system("a text was followed") as connection:
            await hear(connection, message, Told.by(told), carrier)
            found = await queries.find(connection, message.id)
        return found is None or found[0].finished_at is not None
