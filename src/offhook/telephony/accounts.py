"""Carrier accounts opened for use, the organization's senders, and its own numbers; each remembered for seconds."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from offhook.core.clock import Clock, SystemClock
from offhook.core.db.pool import Database, Row
from offhook.core.errors import ConfigurationError, FieldProblem, InvalidInput, NotFound
from offhook.core.recent import Recent
from offhook.secrets import Sealer
from offhook.telephony import queries
from offhook.telephony.base_urls import Address, is_allowed
from offhook.telephony.carrier import Carrier, CarrierAccount, Prices
from offhook.telephony.models import AccountRow, Sender, Tariff

CACHED_SECONDS: Final = 5.0
"""How long a process may go on with what another one changed."""
NOT_ALLOWED: Final = "the operator of this Offhook does not allow it with OFFHOOK_EGRESS_ALLOW"


@dataclass(frozen=True, slots=True)
class _Senders:
    numbers: Mapping[str, Sender]
    services: Mapping[uuid.UUID, Sender]

    def only(self) -> Sender:
        """Raises InvalidInput where there is not exactly one."""
        every = [*self.numbers.values(), *self.services.values()]
        if len(every) == 1:
            return every[0]
        if not every:
            raise _no_sender("The organization has no number to text from: add one with a carrier account.")
        if not self.services:
            raise _no_sender("The organization has several numbers to text from: name one as `from`.")
        raise _no_sender("The organization has several senders: name one as `from` or `messaging_service_id`.")


class Accounts:
    """Opens accounts and finds senders."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        carriers: Mapping[str, Carrier],
        clock: Clock | None = None,
        *,
        allowed: Collection[Address] = (),
    ) -> None:
        """`allowed`: where accounts may be besides at their carrier."""
        self._database = database
        self._sealer = sealer
        self._carriers = carriers
        self._allowed = allowed
        clock = clock or SystemClock()
        self._opened: Recent[uuid.UUID, CarrierAccount] = Recent(clock, CACHED_SECONDS)
        self._senders: Recent[uuid.UUID, _Senders] = Recent(clock, CACHED_SECONDS)

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

    def allows(self, base_url: str | None, carrier: Carrier) -> bool:
        """Whether an account of that carrier's may be at that address; None: the carrier's own."""
        return base_url is None or is_allowed(base_url, carrier, self._allowed)

    async def find_open(self, account_id: uuid.UUID) -> CarrierAccount | None:
        """The account with its credentials in the clear, of whichever organization. Raises ConfigurationError where
        it must not be used as it stands there."""
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

    async def is_current(self, account: CarrierAccount) -> bool:
        """Whether the account still has the address and credentials that it was opened with, here or elsewhere."""
        self._opened.forget(account.id)
        now = await self.find_open(account.id)
        return now is not None and now.revision == account.revision

    def forget(self, account_id: uuid.UUID, organization_id: uuid.UUID) -> None:
        """Something about the account or its numbers was changed in this process."""
        self._opened.forget(account_id)
        self._senders.forget(organization_id)

    def forget_senders(self, organization_id: uuid.UUID) -> None:
        """The organization's numbers were changed in this process."""
        self._senders.forget(organization_id)

    async def sender(
        self, organization_id: uuid.UUID, from_number: str | None, messaging_service_id: uuid.UUID | None = None
    ) -> Sender:
        """The number or messaging service to text from: at most one is named. Raises InvalidInput that says which
        there are to choose from."""
        senders = self._senders.get(organization_id)
        if senders is None or not _has(senders, from_number, messaging_service_id):
            senders = self._senders.put(organization_id, await self._load_senders(organization_id))
        if from_number is not None:
            sender = senders.numbers.get(from_number)
            if sender is None:
                raise _no_sender("The sender is not a number of this organization's with a carrier account.")
            return sender
        if messaging_service_id is not None:
            service = senders.services.get(messaging_service_id)
            if service is None:
                raise _no_sender("The organization has no messaging service with that id.", "messaging_service_id")
            return service
        return senders.only()

    async def _load_senders(self, organization_id: uuid.UUID) -> _Senders:
        async with self._database.tenant(organization_id) as connection:
            rows = await queries.list_senders(connection, organization_id)
        every = [self._sender(row) for row in rows]
        return _Senders(
            {sender.number: sender for sender in every if sender.number is not None},
            {sender.messaging_service_id: sender for sender in every if sender.messaging_service_id is not None},
        )

    def _sender(self, row: Row) -> Sender:
        carrier = self._carriers.get(row["carrier"])
        return Sender(
            number=row["number"],
            account_id=row["account_id"],
            carrier=row["carrier"],
            seconds_per_segment=1.0 / row["messages_per_second"],
            messaging_service_id=row["service_id"],
            messaging_service=row["external_id"],
            tariff=None if carrier is None else _tariff(row, carrier.prices),
        )

    async def _open(self, row: AccountRow, sealed: bytes) -> CarrierAccount:
        if not self.allows(row.base_url, self.carrier(row.carrier)):
            raise ConfigurationError(
                f"The carrier account is not used: its base_url is not {row.carrier}'s own, and {NOT_ALLOWED}.",
                code="base_url_not_allowed",
            )
        plain = await self._sealer.open(row.organization_id, "carrier_accounts", row.id, "credentials", sealed)
        return CarrierAccount(
            id=row.id,
            organization_id=row.organization_id,
            carrier=row.carrier,
            external_account_id=row.external_account_id,
            base_url=row.base_url,
            credentials=json.loads(plain),
            revision=hashlib.sha256(f"{row.base_url or ''} ".encode() + sealed).digest(),
        )


def _has(senders: _Senders, number: str | None, service_id: uuid.UUID | None) -> bool:
    """Whether what is named is among them, or nothing is."""
    return (number is None or number in senders.numbers) and (service_id is None or service_id in senders.services)


def _tariff(row: Row, usual: Prices) -> Tariff:
    """The account's own prices; the carrier's where it has none and both count in one currency."""
    segment, media, currency = row["segment_price"], row["media_price"], row["price_currency"]
    if segment is None and media is None:
        return Tariff(usual.segment, usual.media, usual.currency, usual.source)
    same = currency == usual.currency
    return Tariff(
        segment if segment is not None or not same else usual.segment,
        media if media is not None or not same else usual.media,
        currency,
        "the carrier account's own prices",
    )


def _no_sender(sentence: str, field: str = "from") -> InvalidInput:
    return InvalidInput(sentence, code="no_sender", fields=[FieldProblem(field, sentence, "no_sender")])
