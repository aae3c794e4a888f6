"""What a carrier is to Offhook. One folder per carrier in `carriers/` fills this in; nothing else names a carrier."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
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


@dataclass(frozen=True, slots=True)
class OutboundText:
    to_number: str = field(repr=False)
    from_number: str = field(repr=False)
    body: str = field(repr=False)
    status_callback_url: str | None
    """Carries the operation id in its query (`?op=…`), so that a callback names its message even if the answer
    to the request was lost."""


@dataclass(frozen=True, slots=True)
class CarrierMessage:
    """A message as the carrier tells it. `status` is one of ours (see migrations/0003)."""

    carrier_message_id: str
    status: str
    to_number: str = field(repr=False)
    from_number: str = field(repr=False)
    body: str = field(repr=False)
    created_at: datetime
    direction: str
    error_code: str | None = None
    segments: int | None = None


class Treatment(StrEnum):
    """What to do about a refusal: policy as data, one table per carrier."""

    RETRY = "retry"
    """Not carried out; try again soon, with growing pauses."""
    DEFER = "defer"
    """Not carried out; the sender's or the day's limit is reached: much later."""
    FAIL = "fail"
    """Permanent for this message."""
    SUPPRESS = "suppress"
    """Permanent, and the recipient goes on the suppression list."""
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


MESSAGE_STATUS: Final = "message-status"
"""The `kind` in the address that a carrier calls back about a text."""


@dataclass(frozen=True, slots=True)
class MessageStatusEvent:
    """A message's status, from a signed callback. `status` is one of ours."""

    external_id: str
    """What makes the event itself the same when delivered twice."""
    carrier_message_id: str
    status: str
    operation_id: uuid.UUID | None
    error_code: str | None = None


CarrierEvent = MessageStatusEvent
"""The union grows: inbound texts, calls, recordings."""


class Carrier(Protocol):
    """One carrier. Stateless but for its HTTP session; every method takes the account."""

    @property
    def name(self) -> str: ...

    @property
    def external_account_id_pattern(self) -> str:
        """What the carrier's own account ids look like, as a regular expression."""
        ...

    @property
    def attempt_timeout_seconds(self) -> float:
        """The longest that `send_text` may take: after it, an attempt without an outcome was abandoned."""
        ...

    async def send_text(self, account: CarrierAccount, text: OutboundText) -> CarrierMessage:
        """Raises CarrierRefused, OutcomeUnknown or NotSent. Never retries by itself."""
        ...

    async def get_message(self, account: CarrierAccount, carrier_message_id: str) -> CarrierMessage:
        """Raises CarrierRefused (also where there is none), NotSent or OutcomeUnknown."""
        ...

    async def list_messages(
        self, account: CarrierAccount, *, to_number: str, from_number: str, since: datetime
    ) -> Sequence[CarrierMessage]:
        """All messages of the pair created since then, newest first, all pages. Raises as `get_message`."""
        ...

    def verify(self, account: CarrierAccount, *, url: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the webhook's signature is the carrier's, over the bytes as received and the configured URL."""
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
