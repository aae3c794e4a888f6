"""Carrier accounts opened for use, the organization's senders, and its own numbers; each remembered for seconds."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Final

from offhook.core.clock import Clock, SystemClock
from offhook.core.db.pool import Database
from offhook.core.errors import ConfigurationError, FieldProblem, InvalidInput, NotFound
from offhook.core.recent import Recent
from offhook.secrets import Sealer
from offhook.telephony import queries
from offhook.telephony.carrier import Carrier, CarrierAccount
from offhook.telephony.models import AccountRow, Sender

CACHED_SECONDS: Final = 5.0
"""How long a process may go on with what another one changed."""


class Accounts:
    """Opens accounts and finds senders."""

    def __init__(
        self, database: Database, sealer: Sealer, carriers: Mapping[str, Carrier], clock: Clock | None = None
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._carriers = carriers
        clock = clock or SystemClock()
        self._opened: Recent[uuid.UUID, CarrierAccount] = Recent(clock, CACHED_SECONDS)
        self._senders: Recent[uuid.UUID, Mapping[str, Sender]] = Recent(clock, CACHED_SECONDS)

    @property
    def longest_attempt_seconds(self) -> float:
        """Of any carrier."""
        return max(carrier.attempt_timeout_seconds for carrier in self._carriers.values())

    def carrier(self, name: str) -> Carrier:
        """Raises ConfigurationError for a carrier that this version does not have."""
        carrier = self._carriers.get(name)
        if carrier is None:
            raise ConfigurationError(f"this version of Offhook has no carrier {name!r}", code="unknown_carrier")
        return carrier

    async def find_open(self, account_id: uuid.UUID) -> CarrierAccount | None:
        """The account with its credentials in the clear, of whichever organization."""
        known = self._opened.get(account_id)
        if known is not None:
            return known
        async with self._database.system("open a carrier account") as connection:
            found = await queries.find_sealed_account(connection, account_id)
        if found is None:
            return None
        row, sealed = found
        return self._opened.put(account_id, await self._open(row, sealed))

    async def get_open(self, account_id: uuid.UUID) -> CarrierAccount:
        """As `find_open`; raises NotFound."""
        account = await self.find_open(account_id)
        if account is None:
            raise NotFound("There is no such carrier account.", code="carrier_account_not_found")
        return account

    def forget(self, account_id: uuid.UUID, organization_id: uuid.UUID) -> None:
        """Something about the account or its numbers was changed in this process."""
        self._opened.forget(account_id)
        self._senders.forget(organization_id)

    def forget_senders(self, organization_id: uuid.UUID) -> None:
        """The organization's numbers were changed in this process."""
        self._senders.forget(organization_id)

    async def sender(self, organization_id: uuid.UUID, from_number: str | None) -> Sender:
        """The number to text from. Raises InvalidInput that says which numbers there are to choose from."""
        senders = self._senders.get(organization_id)
        if senders is None or (from_number is not None and from_number not in senders):
            senders = self._senders.put(organization_id, await self._load_senders(organization_id))
        if from_number is not None:
            sender = senders.get(from_number)
            if sender is None:
                raise _no_sender("The sender is not a number of this organization's with a carrier account.")
            return sender
        if len(senders) == 1:
            return next(iter(senders.values()))
        if not senders:
            raise _no_sender("The organization has no number to text from: add one with a carrier account.")
        raise _no_sender("The organization has several numbers to text from: name one as `from`.")

    async def _load_senders(self, organization_id: uuid.UUID) -> Mapping[str, Sender]:
        async with self._database.tenant(organization_id) as connection:
            rows = await queries.list_senders(connection, organization_id)
        return {
            row["number"]: Sender(
                number=row["number"],
                account_id=row["account_id"],
                carrier=row["carrier"],
                seconds_per_segment=1.0 / row["messages_per_second"],
            )
            for row in rows
        }

    async def _open(self, row: AccountRow, sealed: bytes) -> CarrierAccount:
        plain = await self._sealer.open(row.organization_id, "carrier_accounts", row.id, "credentials", sealed)
        return CarrierAccount(
            id=row.id,
            organization_id=row.organization_id,
            carrier=row.carrier,
            external_account_id=row.external_account_id,
            base_url=row.base_url,
            credentials=json.loads(plain),
        )


def _no_sender(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, code="no_sender", fields=[FieldProblem("from", sentence, "no_sender")])
