"""The emulator as a carrier's customer has it, for every carrier alike."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
from aiohttp import web

from fixtures.emulators import RunningEmulator, running_emulator
from offhook.emulator import Settings
from offhook.emulator.settings import Pace
from offhook.telephony.carrier import Carrier, CarrierAccount, CarrierEvent, OutboundText
from telephony.carriers.answering import Seen, serving
from telephony.carriers.face import Customer, Face, Webhook

PHONE = "+12025550140"
_PACE = Pace(0.01, 0.02, 0.03, 0.05, 0.05)


@dataclass
class Emulated:
    """A carrier, an account at the emulator, and a server where its webhooks arrive."""

    face: Face
    carrier: Carrier
    account: CarrierAccount
    customer: Customer
    emulator: RunningEmulator
    session: aiohttp.ClientSession
    our_url: str
    arrived: list[Seen]

    def text(self, body: str = "Hello", **more: Any) -> OutboundText:
        text = OutboundText(PHONE, self.customer.number, body, f"{self.our_url}/message-status?op=1")
        return dataclasses.replace(text, **more)

    async def control(self, path: str, body: Any = None) -> Any:
        method = "GET" if body is None else "POST"
        async with self.session.request(method, f"{self.emulator.url}/_emulator/{path}", json=body) as response:
            assert response.status < 300, await response.text()
            return await response.json()

    async def fault(self, kind: str, **more: Any) -> None:
        await self.control("faults", {"kind": kind, "route": self.customer.create_route, **more})

    async def phone(self) -> list[dict[str, Any]]:
        return (await self.control(f"phones/{PHONE}"))["messages"]

    async def webhooks(self, kind: str, count: int) -> list[Webhook]:
        """The first `count` webhooks that arrived at that address, in their order."""
        deadline = time.monotonic() + 10
        while True:
            found = [seen for seen in self.arrived if seen.request.path == f"/{kind}"]
            if len(found) >= count:
                return [self._webhook(seen) for seen in found[:count]]
            assert time.monotonic() < deadline, f"{len(found)} of {count}"
            await asyncio.sleep(0.02)

    def _webhook(self, seen: Seen) -> Webhook:
        headers = {name.lower(): value for name, value in seen.request.headers.items()}
        return Webhook(f"{self.our_url}{seen.request.raw_path}", headers, seen.body)

    def verified(self, webhook: Webhook) -> bool:
        return self.carrier.verify(self.account, url=webhook.url, headers=webhook.headers, body=webhook.body)

    def parsed(self, webhook: Webhook) -> CarrierEvent | None:
        parts = urlsplit(webhook.url)
        return self.carrier.parse_event(
            kind=parts.path.removeprefix("/"), query=dict(parse_qsl(parts.query)), body=webhook.body
        )


@asynccontextmanager
async def emulated(face: Face, home: Path) -> AsyncGenerator[Emulated]:
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(running_emulator(home, Settings(pace=_PACE)))
        session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        our_url, arrived = await stack.enter_async_context(serving(lambda _: web.Response(status=204)))
        customer = await face.customer(session, emulator.url)
        account = dataclasses.replace(
            face.account(emulator.url),
            external_account_id=customer.external_account_id,
            credentials=customer.credentials,
        )
        yield Emulated(face, face.make(session), account, customer, emulator, session, our_url, arrived)
