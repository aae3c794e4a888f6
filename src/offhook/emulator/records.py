"""What is remembered of a message and of a callback. Times are epoch seconds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

TERMINAL = frozenset({"delivered", "undelivered", "failed", "canceled", "received", "read"})


@dataclass(frozen=True, slots=True)
class Message:
    sid: str
    account_sid: str
    to: str
    from_number: str
    body: str
    status: str
    created_at: float
    updated_at: float
    direction: str = "outbound-api"
    sent_at: float | None = None
    status_callback: str | None = None
    messaging_service_sid: str | None = None
    send_at: float | None = None
    media_urls: tuple[str, ...] = ()
    ending: str = "delivered"
    """The last status it will reach; `sent` for one whose receipt never comes."""
    ending_error_code: int | None = None
    error_code: int | None = None
    segments: int = 1
    encoding: str = "GSM-7"
    seq: int = 0
    """The transaction that made it: later messages have higher ones."""

    @classmethod
    def from_record(cls, record: dict[str, Any], seq: int) -> Message:
        fields: dict[str, Any] = {**record, "media_urls": tuple(record["media_urls"]), "seq": seq}
        return cls(**fields)

    def to_record(self) -> dict[str, Any]:
        record = asdict(self)
        del record["seq"]
        return record


@dataclass(frozen=True, slots=True)
class Callback:
    """A webhook that is owed: kept until it was answered or given up."""

    id: str
    """Also its I-Twilio-Idempotency-Token: the same in every try."""
    account_sid: str
    url: str
    fields: dict[str, str]

    def to_record(self) -> dict[str, Any]:
        return asdict(self)
