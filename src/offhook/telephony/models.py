"""Accounts, numbers and senders as values."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime


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

    @property
    def lane(self) -> str:
        """The name of its lane: every text of a sender waits in the same one."""
        return self.messaging_service or self.number or ""


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """One of the organization's numbers, as tools/ports.py's OwnNumber has it."""

    phone_number_id: uuid.UUID
    number: str = field(repr=False)
