"""Accounts, numbers and senders as values."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A carrier account as stored; its credentials stay sealed until it is opened."""

    id: uuid.UUID
    organization_id: uuid.UUID
    carrier: str
    label: str
    external_account_id: str
    base_url: str | None
    messages_per_second: float
    stopped_reason: str | None
    created_at: datetime
    updated_at: datetime
    total_per_second: float | None = None
    """Over all its senders together; None: only each sender's own pace counts."""
    segment_price: Decimal | None = None
    media_price: Decimal | None = None
    """Of one text with media, whatever it weighs."""
    price_currency: str = "USD"


@dataclass(frozen=True, slots=True)
class AccountTerms:
    """What an organization has agreed with its carrier; null: what is usual there."""

    total_per_second: float | None = None
    segment_price: Decimal | None = None
    media_price: Decimal | None = None
    price_currency: str = "USD"


@dataclass(frozen=True, slots=True)
class NumberRow:
    """A phone number of the organization's; `carrier_account_id` None: it cannot text."""

    id: uuid.UUID
    organization_id: uuid.UUID
    number: str = field(repr=False)
    label: str
    carrier_account_id: uuid.UUID | None
    agent_id: uuid.UUID | None
    created_at: datetime
    messages_per_second: float | None = None
    """None: its account's."""
    stopped_reason: str | None = None
    """Set: its texts wait until it is started again."""


@dataclass(frozen=True, slots=True)
class MessagingServiceRow:
    """A carrier's pool of senders, which picks the number itself."""

    id: uuid.UUID
    organization_id: uuid.UUID
    carrier_account_id: uuid.UUID
    external_id: str
    label: str
    messages_per_second: float | None
    """None: its account's."""
    created_at: datetime
    stopped_reason: str | None = None
    """Set: its texts wait until it is started again."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """What texts cost, as far as it is known: the account's own prices, else the carrier's usual ones."""

    segment: Decimal | None
    media: Decimal | None
    """Of one text with media, whatever it weighs."""
    currency: str
    source: str


@dataclass(frozen=True, slots=True)
class Sender:
    """What to text from, a number or a messaging service, with its account and pace."""

    number: str | None = field(repr=False)
    """E.164; None: the messaging service picks one."""
    account_id: uuid.UUID
    carrier: str
    seconds_per_segment: float
    messaging_service_id: uuid.UUID | None = None
    messaging_service: str | None = None
    """The carrier's own id of it."""
    tariff: Tariff | None = None

    @property
    def lane(self) -> str:
        """The name of its lane: every text of a sender waits in the same one."""
        return self.messaging_service or self.number or ""


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """One of the organization's numbers, as tools/ports.py's OwnNumber has it."""

    phone_number_id: uuid.UUID
    number: str = field(repr=False)
