"""What can be set: accounts, pace, callbacks. Times are seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT_ACCOUNT_SID = "AC0ff400c0ffee0ff400c0ffee0ff400c0"
DEFAULT_AUTH_TOKEN = "0ff400c0ffee0000emulator0000token"  # noqa: S105 (fictitious: opens nothing but this emulator)

DEFAULT_TELNYX_API_KEY = "KEY0ff400c0ffee0000emulator0000telnyx"

DEFAULT_TELNYX_NUMBERS: tuple[str, ...] = tuple(f"+1312555{n:04d}" for n in range(100, 200))
"""+1 312 555 01xx: fictitious too, and not Twilio's, so that each number is one carrier's."""

DEFAULT_NUMBERS: tuple[str, ...] = tuple(f"+1202555{n:04d}" for n in range(100, 200))
"""+1 202 555 01xx: the range kept for fiction in the North American plan."""

MAGIC_SENDER = "+15005550006"
"""Twilio's own magic sender, owned by every account (facts/telephony.md 1.10)."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the emulated carrier."""

    sid: str
    auth_token: str
    name: str = "Emulated account"
    keys: Mapping[str, str] = field(default_factory=dict[str, str])
    """API keys: SK… to secret. They may be used instead of sid and token; webhooks are signed with the token."""
    numbers: tuple[str, ...] = DEFAULT_NUMBERS
    verified: tuple[str, ...] | None = None
    """A trial account texts only these numbers (21608); None is a full account."""
    media_auth: bool = True
    """Whether the addresses of an inbound text's media want the account's credentials."""
    advanced_opt_out: bool = False
    """Whether webhooks tell OptOutType for every number; a messaging service can have it for its own."""
    telnyx_api_key: str | None = None
    """The bearer key of Telnyx's face; None shuts that face for the account."""
    telnyx_numbers: tuple[str, ...] = DEFAULT_TELNYX_NUMBERS

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Account:
        lists = ("numbers", "verified", "telnyx_numbers")
        fields: dict[str, Any] = {
            name: tuple(value) if name in lists and value is not None else value for name, value in record.items()
        }
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class Pace:
    """When a message reaches a status, in seconds after it was created (or after its SendAt)."""

    queued_seconds: float = 0.02
    sending_seconds: float = 0.05
    sent_seconds: float = 0.15
    ended_seconds: float = 0.3
    priced_seconds: float = 0.5
    """After its last status."""


@dataclass(frozen=True, slots=True)
class Settings:
    accounts: tuple[Account, ...] = (
        Account(DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, telnyx_api_key=DEFAULT_TELNYX_API_KEY),
    )
    pace: Pace = Pace()
    callback_statuses: frozenset[str] = frozenset(
        {"queued", "sent", "delivered", "undelivered", "failed", "canceled", "unconfirmed"}
    )
    """The statuses that are told to the customer, as far as a face has a callback for them."""
    callback_connect_seconds: float = 5.0  # Twilio's default (facts/telephony.md 4), as are the next two
    callback_read_seconds: float = 15.0
    callback_total_seconds: float = 15.0
    callback_retries: int = 1
    """How often a callback is tried again after a failed connection; `#rc=` in its URL overrides it."""
    callback_retry_pause_seconds: float = 0.1
    fault_seed: int = 0
    """Seeds the dice of faults that have a probability."""
    request_max_bytes: int = 1024 * 1024
    shutdown_seconds: float = 0.4
    """How long a request under way may still take once the emulator was told to stop."""
