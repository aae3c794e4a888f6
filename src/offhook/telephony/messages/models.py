"""A text on its way: what is wished, placed, stored and answered."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any, Final, Protocol

from offhook.core.db.pool import Row
from offhook.core.errors import Effect
from offhook.core.texts import PLAIN, TextOptions
from offhook.telephony.models import Sender


class Priority(IntEnum):
    """Who goes first in a lane. Within one, the order of asking."""

    CONVERSATION = 0
    """A person waits for it: a tool's text during a call, a reply."""
    NORMAL = 10
    CAMPAIGN = 20
    """Nobody waits: many texts, as the lane has room."""


WAITED_FOR: Final = frozenset({"tool", "livekit"})
"""Origins of texts whose asker waits for what becomes of them."""


@dataclass(frozen=True, slots=True)
class PlacedMedium:
    """What a text carries: one of ours, or somebody else's address. Checked already."""

    media_id: uuid.UUID | None
    url: str | None = field(repr=False)
    content_type: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class Placement:
    """A text about to be placed: valid, its sender known. `claim_within_seconds`: how long somebody waits for it, who
    looks at its lane at once; None: nobody does, and it is left to the queue."""

    message_id: uuid.UUID
    organization_id: uuid.UUID
    conversation_id: uuid.UUID | None
    origin: str
    operation_id: str | None
    sender: Sender
    to_number: str = field(repr=False)
    body: str = field(repr=False)
    encoding: str
    segments: int
    claim_within_seconds: float | None
    attempt_seconds: float
    """How long an attempt of its carrier may take."""
    priority: Priority = Priority.NORMAL
    validity_seconds: int | None = None
    """Not sent any more when it has waited that long; None: it waits as long as it must."""
    recipient_time_zone: str | None = None
    """IANA; None: read off the number."""
    part: int = 1
    parts: int = 1
    media: tuple[PlacedMedium, ...] = field(default=(), repr=False)
    estimated_cost: Decimal | None = None
    price_currency: str | None = None


_WAITS_FOR_SOMEBODY: Final = frozenset({"sender_stopped", "account_stopped", "time_zone_unknown"})


@dataclass(frozen=True, slots=True)
class Message:
    """A message as stored. `attempt` fences: an outcome is recorded only for the attempt that had it."""

    id: uuid.UUID
    organization_id: uuid.UUID
    direction: str
    origin: str
    operation_id: str | None
    conversation_id: uuid.UUID | None
    carrier_account_id: uuid.UUID
    from_number: str | None = field(repr=False)
    """What the recipient sees; None until a messaging service has picked it."""
    to_number: str = field(repr=False)
    body: str = field(repr=False)
    encoding: str
    segments: int
    status: str
    send_at: datetime
    """When it is expected to go, or went: by its lane's pace and what holds it."""
    created_at: datetime
    updated_at: datetime
    attempt: int = 0
    attempt_started_at: datetime | None = None
    carrier_message_id: str | None = None
    outcome_unknown_since: datetime | None = None
    maybe_sent_since: datetime | None = None
    """When an earlier attempt began that may have been carried out; None: none may have been."""
    unknown_attempts: int = 0
    empty_listings: int = 0
    last_listing_at: datetime | None = None
    error_code: str | None = None
    decision: str | None = None
    sent_at: datetime | None = None
    finished_at: datetime | None = None
    sender: str = field(default="", repr=False)
    """Its lane: a number, or a messaging service's id at the carrier."""
    messaging_service_id: uuid.UUID | None = None
    priority: int = Priority.NORMAL
    not_before: datetime | None = None
    """Held until then."""
    hold_reason: str | None = None
    expires_at: datetime | None = None
    recipient_time_zone: str | None = None
    retry_of: uuid.UUID | None = None
    part: int = 1
    parts: int = 1
    media_count: int = 0
    estimated_cost: Decimal | None = None
    price: Decimal | None = None
    price_currency: str | None = None
    redacted_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is not known yet that the carrier has it or will not get it."""
        return self.status == "queued" or (self.status == "sending" and self.carrier_message_id is None)

    @property
    def held_until(self) -> datetime | None:
        """When what holds it is over; None where nothing does, where somebody must act first, or where it will have
        expired by then."""
        until = None if self.status != "queued" or self.hold_reason in _WAITS_FOR_SOMEBODY else self.not_before
        expires = until is not None and self.expires_at is not None and self.expires_at <= until
        return None if expires else until


MESSAGE_COLUMNS = (
    "id, organization_id, direction, origin, operation_id, conversation_id, carrier_account_id, from_number, "
    "to_number, body, encoding, segments, status, carrier_message_id, attempt, attempt_started_at, send_at, "
    "outcome_unknown_since, maybe_sent_since, unknown_attempts, empty_listings, last_listing_at, "
    "error_code, decision, created_at, updated_at, sent_at, finished_at, sender, messaging_service_id, priority, "
    "not_before, hold_reason, expires_at, recipient_time_zone, retry_of, part, parts, "
    "media_count, estimated_cost, price, price_currency, redacted_at"
)


def message_of(row: Row) -> Message:
    """A row with MESSAGE_COLUMNS."""
    values: Mapping[str, Any] = row
    return Message(**{name: values[name] for name in Message.__slots__})


@dataclass(frozen=True, slots=True)
class Placed:
    """What placing gave: the message as it stands. `was_there`: the same operation had been placed before."""

    message: Message
    was_there: bool


class TextRequest(Protocol):
    """One text to one recipient: the shape of tools/ports.py's TextRequest, which telephony must not import."""

    @property
    def operation_id(self) -> str: ...
    @property
    def organization_id(self) -> uuid.UUID: ...
    @property
    def conversation_id(self) -> uuid.UUID | None: ...
    @property
    def origin(self) -> str: ...
    @property
    def to_number(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def from_number(self) -> str | None: ...
    @property
    def options(self) -> TextOptions: ...
    @property
    def wait_seconds(self) -> float: ...


@dataclass(frozen=True, slots=True)
class NewText:
    """A TextRequest of our own. `operation_id` None: nothing names the wish, so placed twice it is sent twice."""

    organization_id: uuid.UUID
    origin: str
    to_number: str = field(repr=False)
    body: str = field(repr=False)
    operation_id: str | None = None
    conversation_id: uuid.UUID | None = None
    from_number: str | None = field(default=None, repr=False)
    options: TextOptions = PLAIN


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is known about a text at the time of the answer, as tools/ports.py's TextReceipt has it."""

    message_id: uuid.UUID
    to_number: str = field(repr=False)
    status: str
    effect: Effect
    carrier_message_id: str | None
    segments: int
    send_at: datetime
    error_code: str | None
    decision: str | None
    hold_reason: str | None = None
    """Why it waits, as a code; `decision` is the sentence."""
    held_until: datetime | None = None
    """When what holds it is over, on the recipient's clock where that is known; None: nobody can tell."""
    parts: int = 1
    """Of a text that was split: as many messages; `message_id` is the first one's."""
