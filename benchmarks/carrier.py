"""A bare server in the carrier's place: it takes every text as Twilio does, and writes down when each arrived."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import aiohttp

from benchmarks.bare import Handler
from benchmarks.context import Context
from benchmarks.served import Served, serve_bare
from benchmarks.side import ACCOUNT_SID, AUTH_TOKEN
from offhook.telephony.carrier import CarrierAccount

MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"

_RESOURCE = json.dumps(
    {
        "account_sid": ACCOUNT_SID,
        "api_version": "2010-04-01",
        "body": "Your bike is ready. Book your next repair slot here: https://spokeandchain.example/book",
        "date_created": "Tue, 24 Nov 2026 09:00:00 +0000",
        "date_sent": None,
        "date_updated": "Tue, 24 Nov 2026 09:00:00 +0000",
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": "+12025550100",
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "sid": "SM" + "0" * 32,
        "status": "queued",
        "subresource_uris": {"media": f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/SM{'0' * 32}/Media.json"},
        "to": "+12025550140",
        "uri": f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/SM{'0' * 32}.json",
    }
)
"""As the API answers to a create request (facts/telephony.md 1.2), each with a `sid` of its own."""
_BEFORE_SID, _AFTER_SID = _RESOURCE.split("0" * 32, 1)


def bare_carrier(options: dict[str, Any], pool: object) -> Handler:
    """`options["answers_in_seconds"]`: how long each text takes. `GET /arrivals`: what came so far."""
    pause: float = options.get("answers_in_seconds", 0.0)
    keeps: bool = options.get("keeps_arrivals", False)
    arrivals: list[tuple[float, str, str, int]] = []

    async def handle(scope: dict[str, Any], body: bytes) -> tuple[int, bytes]:
        arrived_at = time.monotonic()
        if scope["method"] != "POST":
            return 200, _told(scope["path"], arrivals)
        if keeps:
            form = dict(parse_qsl(body.decode()))
            arrivals.append((arrived_at, form["From"], form["Body"], scope["client"][1]))
        if pause:
            await asyncio.sleep(pause)
        return 201, f"{_BEFORE_SID}{uuid.uuid4().hex}{_AFTER_SID}".encode()

    return handle


def _told(path: str, arrivals: list[tuple[float, str, str, int]]) -> bytes:
    """The answer to a GET: the arrivals, a message (delivered, whichever it is), or an empty listing."""
    if path == "/arrivals":
        return json.dumps(arrivals).encode()
    if path.endswith("/Messages.json"):
        return b'{"messages": [], "next_page_uri": null}'
    sid = path.rpartition("/")[2].removesuffix(".json")
    return json.dumps({**json.loads(_RESOURCE), "sid": sid, "status": "delivered"}).encode()


@dataclass(frozen=True, slots=True)
class Arrival:
    """A text as the carrier got it. `at_seconds`: this machine's monotonic clock, which all its processes share."""

    at_seconds: float
    sender: str
    body: str
    port: int
    """Of whoever sent it."""


@dataclass(frozen=True, slots=True)
class BareCarrier:
    """The running server."""

    served: Served

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.served.port}"

    @property
    def messages_url(self) -> str:
        return self.url + MESSAGES

    def account(self) -> CarrierAccount:
        """An account there, open."""
        return CarrierAccount(
            uuid.UUID(int=1), uuid.UUID(int=2), "twilio", ACCOUNT_SID, self.url, {"auth_token": AUTH_TOKEN}
        )

    async def arrivals(self) -> list[Arrival]:
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/arrivals") as response:
            return [Arrival(*arrival) for arrival in await response.json(content_type=None)]


@asynccontextmanager
async def running_carrier(context: Context, **options: Any) -> AsyncGenerator[BareCarrier]:
    """See `bare_carrier` for the options."""
    given: Mapping[str, Any] = options
    async with serve_bare(context.processors, "benchmarks.carrier:bare_carrier", given) as served:
        yield BareCarrier(served)
