"""A carrier's API that answers as a test tells it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from offhook.core.egress import Egress
from offhook.telephony.carrier import Carrier, CarrierAccount
from telephony.carriers.face import Face


@dataclass(frozen=True)
class Seen:
    request: web.Request
    body: bytes


@dataclass
class Answering:
    """A carrier and an account whose API this is, and the requests that came."""

    face: Face
    carrier: Carrier
    account: CarrierAccount
    url: str
    session: aiohttp.ClientSession
    seen: list[Seen] = field(default_factory=list[Seen])

    def with_egress(self, egress: Egress) -> Carrier:
        """The same carrier, able to fetch media elsewhere."""
        return self.face.make(self.session, egress)


Answer = Callable[[web.Request], Any]


@asynccontextmanager
async def answering(face: Face, answer: Answer) -> AsyncGenerator[Answering]:
    async with serving(answer) as (url, seen), aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Answering(face, face.make(session), face.account(url), url, session, seen)


@asynccontextmanager
async def serving(answer: Answer) -> AsyncGenerator[tuple[str, list[Seen]]]:
    """A server on loopback for which `answer` (or what it awaits) answers everything."""
    seen: list[Seen] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.append(Seen(request, await request.read()))
        answered = answer(request)
        return await answered if asyncio.iscoroutine(answered) else answered

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", seen
    finally:
        await runner.cleanup()


def nothing(_: web.Request) -> web.Response:
    """For a server that is not to be asked."""
    raise AssertionError("nobody was to be asked")


@asynccontextmanager
async def reaching(url: str) -> AsyncGenerator[Egress]:
    """An egress that may reach one place inside, as an operator would allow the emulator."""
    parts = urlsplit(url)
    egress = Egress([(parts.hostname or "", parts.port or 0)])
    try:
        yield egress
    finally:
        await egress.close()


def abort(request: web.Request) -> web.Response:
    """Break the connection off after the request has been read."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
