"""Questions to carriers about texts: of one account a few at a time in one process.

A carrier that takes requests and answers none would else hold every job of the process, one request's time each.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from offhook.core.db.jobs import RetryLater
from offhook.core.errors import ConfigurationError, NotFound
from offhook.telephony.accounts import Accounts
from offhook.telephony.carrier import Carrier, CarrierAccount, CarrierRefused, NotSent, OutcomeUnknown
from offhook.telephony.messages.rooms import Rooms

QUESTIONS_PER_ACCOUNT: Final = 4

Answer = TypeVar("Answer")
Question = Callable[[Carrier, CarrierAccount], Awaitable[Answer]]


class NotAnswered(Exception):
    """The carrier gave no answer now; `reason` is for the operator."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Asking:
    """Asks carriers what became of texts."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._rooms = Rooms(QUESTIONS_PER_ACCOUNT)

    async def ask(self, account_id: uuid.UUID, question: Question[Answer], again_seconds: float) -> Answer:
        """The answer. Raises NotAnswered; RetryLater, in `again_seconds`, while enough is asked of the account."""
        with self._rooms.room(account_id) as room:
            if not room.take(1):
                raise RetryLater(again_seconds)
            try:
                account = await self._accounts.get_open(account_id)
                return await question(self._accounts.carrier(account.carrier), account)
            except CarrierRefused as refused:
                raise NotAnswered(refused.refusal.sentence) from refused
            except (NotSent, OutcomeUnknown) as error:
                raise NotAnswered(error.reason) from error
            except (NotFound, ConfigurationError) as error:
                raise NotAnswered(error.detail) from error
