"""What the contract suite must know of a carrier to play its part. One `Face` per carrier, in the carrier's folder."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp
from aiohttp import web

from offhook.core.egress import Egress
from offhook.telephony.carrier import Carrier, CarrierAccount, InboundMedium, OutboundText, Treatment

TO, FROM = "+12025550140", "+12025550100"
OPERATION = uuid.UUID("01930000-0000-7000-8000-000000000001")
CALLBACK = f"https://offhook.example/webhooks/carriers/1/message-status?op={OPERATION}"
STATUS_URL = "https://offhook.example/webhooks/carriers/1/message-status"
TEXT = OutboundText(TO, FROM, "Grüße & mehr", CALLBACK)
MEDIA = ("https://offhook.example/media/1/2/3/a%20b.png?x=1&y=2", "https://offhook.example/media/4")
BODIES = [
    "plain", "", " leading and trailing ", "a&b=c+d%20;", "line\nbreak\r\n\ttab", "Grüße", "漢字", "👩‍👩‍👧‍👦 🇩🇪",
    "\u202eright to left\u202c", "zero\u200bwidth \ufeff bom", "e\u0301", "\U0010ffff", "x" * 1600,
]  # fmt: skip


@dataclass(frozen=True)
class Refused:
    """An answer that refuses, and what is to be done about it."""

    status: int
    content: Any
    code: str
    treatment: Treatment


@dataclass(frozen=True)
class Webhook:
    """As it reaches us. Names of headers in lower case, as the server hands them on."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Inbound:
    """A text to one of our numbers, for the carrier to tell."""

    body: str
    media: Sequence[InboundMedium] = ()
    consent: str | None = None
    service: str | None = None


@dataclass(frozen=True)
class Customer:
    """What a customer of the emulated carrier has, and how they tell it where their numbers' texts go."""

    external_account_id: str
    credentials: Mapping[str, str]
    number: str
    messaging_service: str
    create_route: str
    """The create request's name in faults."""
    set_inbound_url: Callable[[str], Awaitable[None]]


class Make(Protocol):
    def __call__(self, session: aiohttp.ClientSession, egress: Egress | None = None) -> Carrier: ...


@dataclass(frozen=True)
class Face:
    """A carrier seen from outside."""

    name: str
    make: Make
    external_account_id: str
    credentials: Mapping[str, str] = field(repr=False)
    other_credentials: Mapping[str, str] = field(repr=False)
    """Of an account whose webhooks are signed with another key."""
    messaging_service: str
    not_account_ids: tuple[str, ...]
    accepted: Callable[[int], Any]
    """The answer to a create request: the n-th message, in the first status, costing 0.0083 USD, of two segments."""
    delivered: Callable[[int], Any]
    """The same message when asked for later."""
    read_post: Callable[[web.Request, bytes], OutboundText]
    """What a create request says, in our words."""
    authorized: Callable[[web.Request], bool]
    """Whether the request carries the credentials."""
    refusals: Mapping[str, Refused]
    """`opted_out`, `invalid_recipient`, `sender_full`, `bad_credentials`, `unknown`."""
    status_webhook: Callable[[str, str, str | None], Webhook]
    """The message's id, the carrier's word, the code; signed now with `credentials`, for STATUS_URL with `op`."""
    inbound_webhook: Callable[[Inbound], Webhook]
    words: Mapping[str, str]
    """The carrier's word for `sent`, `delivered` and `undelivered`."""
    message_id: Callable[[int], str]
    undelivered_code: str
    customer: Callable[[aiohttp.ClientSession, str], Awaitable[Customer]]
    """Of the emulator at that address."""
    callbacks: int
    """How many the emulator sends of a text that is delivered."""

    def account(self, url: str | None = None, *, other: bool = False) -> CarrierAccount:
        credentials = self.other_credentials if other else self.credentials
        return CarrierAccount(uuid.uuid4(), uuid.uuid4(), self.name, self.external_account_id, url, credentials)
