"""What a carrier is to Offhook. One folder per carrier in `carriers/` fills this in; nothing else names a carrier."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final, Protocol


@dataclass(frozen=True, slots=True)
class CarrierAccount:
    """An organization's account at a carrier, opened for use: the credentials are in the clear here and only here."""

    id: uuid.UUID
    organization_id: uuid.UUID
    carrier: str
    external_account_id: str
    base_url: str | None
    credentials: Mapping[str, str] = field(repr=False)
    revision: bytes = field(default=b"", repr=False)
    """Changes with address and credentials: a no to older ones says nothing about those of now."""


@dataclass(frozen=True, slots=True)
class OutboundText:
    to_number: str = field(repr=False)
    from_number: str | None = field(repr=False)
    """E.164; None: the messaging service picks one."""
    body: str = field(repr=False)
    """May be empty where there are media."""
    status_callback_url: str | None
    """Carries the operation id in its query (`?op=…`), so that a callback names its message even if the answer
    to the request was lost."""
    messaging_service: str | None = None
    """The carrier's own id of it."""
    media_urls: tuple[str, ...] = field(default=(), repr=False)
    """Addresses that the carrier can fetch from."""
    validity_seconds: int | None = None
    """How long the carrier may keep trying; None: as long as it does."""
    idempotency_key: str | None = None
    """The same in every attempt of one text; sent along where `Carrier.honours_keys`."""
    asked_before: bool = False
    """An attempt under the key may have been carried out."""


@dataclass(frozen=True, slots=True)
class CarrierMessage:
    """A message as the carrier tells it. `status` is one of ours (see migrations/0003)."""

    carrier_message_id: str
    status: str
    to_number: str = field(repr=False)
    from_number: str = field(repr=False)
    """Empty while a messaging service has not picked one."""
    body: str = field(repr=False)
    created_at: datetime
    direction: str
    error_code: str | None = None
    segments: int | None = None
    messaging_service: str | None = None
    media_count: int = 0
    price: Decimal | None = None
    """What it cost, positive, in `price_currency`; None until the carrier knows."""
    price_currency: str | None = None


class Treatment(StrEnum):
    """What to do about a refusal: policy as data, one table per carrier."""

    RETRY = "retry"
    """Not carried out; try again soon, with growing pauses."""
    WAIT_SENDER = "wait_sender"
    """Not carried out; the sender's rate or queue is full: its whole lane pauses."""
    WAIT_DAY = "wait_day"
    """Not carried out; the day's limit is reached: the sender's lane pauses until the limit's day is over."""
    RETRY_LATER = "retry_later"
    """Not delivered, and a later text may be: sent again as a new message, at most `Refusal.repeats` times."""
    FAIL = "fail"
    """Permanent for this message."""
    ALERT = "alert"
    """Permanent for this message, and an operator must look."""
    SUPPRESS = "suppress"
    """Permanent: the recipient has opted out, and goes on the suppression list."""
    UNREACHABLE = "unreachable"
    """Permanent: the number takes no texts at all, and goes on the suppression list as such."""
    STOP_SENDER = "stop_sender"
    """Permanent, and nothing more is sent from this sender until an operator has acted."""
    STOP_ACCOUNT = "stop_account"
    """Permanent, and nothing more is sent from this account until an operator has acted."""


@dataclass(frozen=True, slots=True)
class Refusal:
    code: str
    """The vendor's code as it gave it; `http_503` and the like where there was none."""
    treatment: Treatment
    sentence: str
    """What it means and who must act, for the operator; no message body, no full number."""
    retry_after_seconds: float | None = None
    repeats: int = 0
    """With RETRY_LATER: how often."""


class CarrierRefused(Exception):
    """The carrier answered no: known not to have been carried out."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.code}: {refusal.sentence}")
        self.refusal = refusal


class OutcomeUnknown(Exception):
    """The request left and no clear answer came (timeout, reset, 5xx): it may have been carried out."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotSent(Exception):
    """The request never left (connection refused, name not found): known not to have been carried out."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotOffered(Exception):
    """The carrier has no such operation."""


MESSAGE_STATUS: Final = "message-status"
"""The `kind` in the address that a carrier calls back about a text."""
INBOUND_TEXT: Final = "inbound-text"
"""The `kind` in the address that an operator enters at the carrier for texts to a number."""


_MORE_THAN_ANY_PRICE: Final = Decimal(1_000_000)


def operation_in(text: str | None) -> uuid.UUID | None:
    """The operation id in a callback's address (`?op=…`); None for what is none."""
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


def price_in(text: object) -> Decimal | None:
    """A carrier's amount as `CarrierMessage.price`: positive, whichever sign it has there; None for what is none, or
    more than any text costs (and than the database's column holds)."""
    try:
        price = abs(Decimal(text)) if isinstance(text, str) else None
    except InvalidOperation:
        return None
    return price if price is not None and price.is_finite() and price < _MORE_THAN_ANY_PRICE else None


@dataclass(frozen=True, slots=True)
class MessageStatusEvent:
    """A message's status, from a signed callback. `status` is one of ours."""

    external_id: str
    """What makes the event itself the same when delivered twice."""
    carrier_message_id: str
    status: str
    operation_id: uuid.UUID | None
    error_code: str | None = None
    from_number: str | None = field(default=None, repr=False)
    """The number that a messaging service picked."""


@dataclass(frozen=True, slots=True)
class InboundMedium:
    url: str = field(repr=False)
    content_type: str


@dataclass(frozen=True, slots=True)
class InboundTextEvent:
    """Somebody texted one of our numbers."""

    external_id: str
    carrier_message_id: str
    from_number: str = field(repr=False)
    to_number: str = field(repr=False)
    body: str = field(repr=False)
    media: tuple[InboundMedium, ...] = field(default=(), repr=False)
    consent: str | None = None
    """`stop`, `start` or `help` where the carrier says that it took the text for that, and has answered it itself."""
    messaging_service: str | None = None


CarrierEvent = MessageStatusEvent | InboundTextEvent


@dataclass(frozen=True, slots=True)
class TextLimits:
    """What a carrier takes in one text. Checked before anything is stored; each number carries its source there."""

    max_characters: int
    max_segments: int | None
    """None: only characters count."""
    max_media: int
    media_types: Mapping[str, int]
    """Accepted content types, each with its largest size in bytes. `image/*` stands for what is not listed itself."""
    max_media_total_bytes: int | None
    media_countries: frozenset[str]
    """ISO 3166 of the senders that may send media."""


@dataclass(frozen=True, slots=True)
class Prices:
    """The carrier's usual prices, for estimates where the account has none of its own."""

    segment: Decimal
    media: Decimal
    """Of one text with media, whatever it weighs."""
    currency: str
    source: str


class Carrier(Protocol):
    """One carrier. Stateless but for its HTTP session; every method takes the account."""

    @property
    def name(self) -> str: ...

    @property
    def external_account_id_pattern(self) -> str:
        """What the carrier's own account ids look like, as a regular expression."""
        ...

    @property
    def messaging_service_id_pattern(self) -> str:
        """What the carrier's ids of messaging services look like."""
        ...

    @property
    def base_url_pattern(self) -> str:
        """What the origins of the carrier's own API look like, in lower case: an account may be at any of them, and
        elsewhere only where the deployment's operator allows."""
        ...

    @property
    def attempt_timeout_seconds(self) -> float:
        """The longest that `send_text` may take: after it, an attempt without an outcome was abandoned."""
        ...

    @property
    def lists_messages(self) -> bool:
        """Whether `list_messages` is evidence: complete, and soon after the fact. Where it is not, an unknown outcome
        is settled by a callback or stays unknown, and is never sent again."""
        ...

    @property
    def honours_keys(self) -> bool:
        """Whether `send_text` again with the same `idempotency_key` and the same fields, within 24 hours, has no second
        effect and answers as the first did. An unknown outcome may then be settled by asking again."""
        ...

    @property
    def honours_validity(self) -> bool:
        """Whether `OutboundText.validity_seconds` reaches the carrier. Where it does not, a text that the carrier has
        taken is tried for as long as the carrier does."""
        ...

    @property
    def limits(self) -> TextLimits: ...

    @property
    def prices(self) -> Prices: ...

    async def send_text(self, account: CarrierAccount, text: OutboundText) -> CarrierMessage:
        """Raises CarrierRefused, OutcomeUnknown or NotSent. Never retries by itself."""
        ...

    async def get_message(self, account: CarrierAccount, carrier_message_id: str) -> CarrierMessage:
        """Raises CarrierRefused (also where there is none), NotSent or OutcomeUnknown."""
        ...

    async def list_messages(
        self, account: CarrierAccount, *, to_number: str, from_number: str | None, since: datetime
    ) -> Sequence[CarrierMessage]:
        """All messages of the pair created since then, newest first, all pages; `from_number` None: from whichever
        sender. Raises as `get_message`, and NotOffered where `lists_messages` is false."""
        ...

    async def redact_message(self, account: CarrierAccount, carrier_message_id: str, *, with_media: bool) -> None:
        """Have the carrier forget the words and, `with_media`, what it keeps of the media. A message that it does not
        have any more is forgotten. Raises CarrierRefused (also where it forgets only what has ended), NotSent,
        OutcomeUnknown, and NotOffered."""
        ...

    def fetch_media(
        self, account: CarrierAccount, url: str
    ) -> AbstractAsyncContextManager[tuple[str, AsyncIterator[bytes]]]:
        """Content type and bytes of an inbound medium. Entering raises as `get_message`; a URL that is not the
        carrier's own is fetched without credentials."""
        ...

    def verify(self, account: CarrierAccount, *, url: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the webhook's signature is the carrier's, over the bytes as received and the configured URL; where
        the carrier signs the time, also whether it is recent."""
        ...

    def parse_event(self, *, kind: str, query: Mapping[str, str], body: bytes) -> CarrierEvent | None:
        """The event in a verified webhook; None for one that means nothing to us. Raises ValueError if malformed."""
        ...

    def refusal_of(self, error_code: str) -> Refusal:
        """What an error code means and what to do about it: those in callbacks too."""
        ...

    def credentials_schema(self) -> Mapping[str, Any]:
        """JSON Schema of what an operator enters to connect an account."""
        ...
