"""Asking a process how it is."""

from __future__ import annotations

import socket

from aiohttp import web
from aiohttp.test_utils import TestServer

from offhook.apps.probe import probe


async def test_a_probe_tells_a_good_answer_from_a_bad_one_and_from_none() -> None:
    async def health(request: web.Request) -> web.Response:
        return web.Response(text="fine", status=int(request.query["status"]))

    app = web.Application()
    app.router.add_get("/health", health)
    async with TestServer(app) as server:
        good = await probe(str(server.make_url("/health?status=200")))
        bad = await probe(str(server.make_url("/health?status=503")))
    assert (good.problem, good.body) == (None, b"fine")
    assert bad.problem == "unhealthy (HTTP 503)"


async def test_a_port_where_nobody_listens_does_not_answer() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert (await probe(f"http://127.0.0.1:{bound.getsockname()[1]}/")).problem == "does not answer"
