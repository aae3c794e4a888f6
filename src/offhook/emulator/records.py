"""What is remembered: messages, media, messaging services, callbacks, faults. Times are epoch seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

TERMINAL = frozenset({"delivered", "undelivered", "failed", "canceled", "received", "read", "unconfirmed"})
VALIDITY_SECONDS = 36_000.0  # Twilio's default and longest (facts/telephony.md 1.1)


@dataclass(frozen=True, slots=True)
class Message:
    sid: str
    account_sid: str
    to: str = field(repr=False)
    from_number: str = field(repr=False)
    body: str = field(repr=False)
    status: str
    created_at: float
    updated_at: float
    face: str = "twilio"
    direction: str = "outbound-api"
    arrived_at: float | None = None
    """When the request for it came in: before `created_at`, where a fault had it carried out late."""
    sent_at: float | None = None
    status_callback: str | None = field(default=None, repr=False)
    messaging_service_sid: str | None = None
    """Twilio's messaging service or Telnyx's messaging profile."""
    send_at: float | None = None
    slot_starts_at: float | None = None
    """Its slot in the queue of a sender that has a rate of its own, and when the next begins."""
    slot_ends_at: float | None = None
    validity_seconds: float = VALIDITY_SECONDS
    media_urls: tuple[str, ...] = field(default=(), repr=False)
    """Addresses that an outbound message's media are fetched from when it is being sent."""
    media_count: int = 0
    """Media given with it, fetched or not; those that are kept are in the store's `media`."""
    ending: str = "delivered"
    """The last status it will reach; `sent` for one whose receipt never comes."""
    ending_error_code: int | None = None
    late_seconds: float = 0.0
    """How much later than others it reaches its last status."""
    error_code: int | None = None
    segments: int = 1
    encoding: str = "GSM-7"
    price: str | None = None
    tags: tuple[str, ...] = ()
    own: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """What only its face knows of it; JSON."""
    seq: int = 0
    """The transaction that made it: later messages have higher ones."""

    @property
    def phone(self) -> str:
        """The handset it was sent to or from."""
        return self.from_number if self.direction == "inbound" else self.to

    @classmethod
    def from_record(cls, record: dict[str, Any], seq: int) -> Message:
        lists = {name: tuple(record.get(name, ())) for name in ("media_urls", "tags")}
        known: dict[str, Any] = {**record, **lists, "seq": seq}
        return cls(**known)

    def to_record(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _MESSAGE_FIELDS}


_MESSAGE_FIELDS = tuple(one.name for one in fields(Message) if one.name != "seq")
"""Read one by one, because `asdict` copies deeply: a tenth of all that the emulator does, as measured."""


@dataclass(frozen=True, slots=True)
class Medium:
    """A picture, sound or file of a message; its bytes are in the home, under its sid."""

    sid: str
    account_sid: str
    message_sid: str
    content_type: str
    size_bytes: int
    created_at: float

    def to_record(self) -> dict[str, Any]:
        """As the store's record of a medium that is kept."""
        return {"type": "medium", **asdict(self)}


@dataclass(frozen=True, slots=True)
class Service:
    """Numbers that send as one: Twilio's messaging service, Telnyx's messaging profile."""

    sid: str
    account_sid: str
    name: str = ""
    face: str = "twilio"
    numbers: tuple[str, ...] = ()
    sticky: bool = True
    """A recipient gets every text from the number that sent it the first."""
    smart_encoding: bool = False
    advanced_opt_out: bool = False
    validity_seconds: float = VALIDITY_SECONDS
    inbound_url: str | None = field(default=None, repr=False)
    fallback_url: str | None = field(default=None, repr=False)
    status_callback: str | None = field(default=None, repr=False)
    own: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """What only its face knows of it; JSON."""

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Service:
        known: dict[str, Any] = {**record, "numbers": tuple(record["numbers"])}
        return cls(**known)

    def to_record(self) -> dict[str, Any]:
        """As the store's record of a service that is there, or is changed."""
        return {"type": "service", **asdict(self)}


@dataclass(frozen=True, slots=True)
class Callback:
    """A webhook that is owed: kept until it was answered or given up."""

    id: str
    """Also its I-Twilio-Idempotency-Token: the same in every try."""
    account_sid: str
    url: str = field(repr=False)
    fields: dict[str, Any] = field(repr=False)
    """What it tells: a form's names and values for Twilio, the JSON document for Telnyx."""
    face: str = "twilio"
    kind: str = "status"
    """`status`, or `inbound` for one whose answer is carried out."""
    message_sid: str | None = None
    to: str | None = field(default=None, repr=False)
    """The message's recipient, for faults that are limited to one."""
    fallback_url: str | None = field(default=None, repr=False)
    hops: int = 0
    """How many webhooks have sent it on by what they answered."""

    def to_record(self) -> dict[str, Any]:
        """As the store's record of a callback that is now owed."""
        return {"type": "callback", **{name: getattr(self, name) for name in _CALLBACK_FIELDS}}


_CALLBACK_FIELDS = tuple(one.name for one in fields(Callback))


@dataclass(frozen=True, slots=True)
class Fault:
    """`count` is how often it still strikes (None: until deleted); `seconds` is its latency, delay or duration."""

    id: int
    route: str
    kind: str
    count: int | None = 1
    seconds: float = 0.0
    status: int | None = 503
    """What is answered; None for an outage that breaks connections instead."""
    retry_after_seconds: int | None = None
    """The answer's Retry-After."""
    error_code: int = 30008
    to: str | None = field(default=None, repr=False)
    probability: float = 1.0
    after: int = 0
    """How many it still lets pass before it strikes."""
    until: float | None = None
    """When an outage is over; None: when it is deleted."""
