"""The virtual clock: what is due happens in order, over the network too, before the answer comes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from fixtures.emulator_bench import NUMBER, PHONE, Bench, Webhook
from fixtures.emulators import MESSAGES, EmulatorProcess, RunningEmulator, basic, running_emulator
from offhook.emulator import VirtualClock


async def test_nothing_happens_until_the_clock_is_moved_and_then_everything_that_is_due(bench: Bench) -> None:
    async with Webhook().running() as webhook:
        for n in range(3):
            await bench.create(Body=str(n), StatusCallback=f"{webhook.url}/s")
        for _ in range(50):
            await asyncio.sleep(0)
        moved = await bench.control("clock", 200, advance_seconds=1)
        assert moved["virtual"] is True
        assert [hook["MessageStatus"] for hook in webhook.received] == ["queued"] * 3 + ["sent"] * 3 + ["delivered"] * 3


async def test_the_same_steps_give_the_same_order_each_time(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    async def order(home: str) -> list[str]:
        clock = VirtualClock()
        async with running_emulator(tmp_path / home, clock=clock) as emulator, Webhook().running() as webhook:
            bench = Bench(emulator, clock, http)
            await bench.control("faults", route="callback", kind="reorder", count=3)
            await bench.control("faults", route="callback", kind="latency", seconds=0.2, probability=0.3, count=None)
            for n in range(4):
                await bench.create(Body=str(n), To=f"+1202555012{n}", StatusCallback=f"{webhook.url}/{n}")
                await clock.advance(0.07)
            await clock.advance(60)
            assert emulator.store.pending_callbacks == {}
            return [
                f"{path} {hook['MessageStatus']}" for path, hook in zip(webhook.paths, webhook.received, strict=True)
            ]

    assert await order("one") == await order("two")


async def test_retries_of_callbacks_go_by_the_clock(bench: Bench) -> None:
    async with Webhook().running() as webhook:
        webhook.answers = [(500, "text/xml", "")] * 20
        await bench.create(Body="x", StatusCallback=f"{webhook.url}/s#rc=5&rp=5xx")
        assert (await bench.control("clock", 200, advance_seconds=0))["virtual"]
        assert len(webhook.received) == 1
        await bench.control("clock", 200, advance_seconds=0.11)
        assert len(webhook.received) == 2
        await bench.control("clock", 200, advance_seconds=30)
        assert [hook["MessageStatus"] for hook in webhook.received].count("queued") == 6


async def test_a_webhook_that_texts_back_by_rest_is_waited_for(bench: Bench) -> None:
    async def answer(request: web.Request) -> web.Response:
        form = {"To": PHONE, "From": NUMBER, "Body": "by REST"}
        async with bench.http.post(bench.emulator.url + MESSAGES, headers=basic(), data=form) as created:
            assert created.status == 201
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/in", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await bench.control("numbers", number=NUMBER, sms_url=f"http://127.0.0.1:{runner.addresses[0][1]}/in")
    await bench.text("hello")
    await bench.control("clock", 200, advance_seconds=1)
    assert [(m["body"], m["status"]) for m in await bench.phone()] == [("hello", "received"), ("by REST", "delivered")]
    await runner.cleanup()


async def test_a_real_clock_is_shown_and_not_moved(emulator: RunningEmulator, http: aiohttp.ClientSession) -> None:
    url = f"{emulator.url}/_emulator/clock"
    async with http.get(url) as answer:
        shown = await answer.json()
    assert shown["virtual"] is False
    assert abs(shown["epoch_seconds"] - time.time()) < 60
    async with http.post(url, json={"advance_seconds": 1}) as answer:
        assert (answer.status, "--virtual-clock" in (await answer.json())["error"]) == (400, True)


@pytest.mark.parametrize("body", [{}, {"advance_seconds": -1}, {"advance_seconds": "1"}, {"advance_seconds": True}])
async def test_a_senseless_step_is_refused(bench: Bench, body: dict[str, object]) -> None:
    before = bench.clock.time()
    await bench.control("clock", 400, **body)
    assert bench.clock.time() == before


@pytest.fixture
async def stack() -> AsyncIterator[contextlib.AsyncExitStack]:
    """What is pushed on it happens at the end, however the test ends."""
    async with contextlib.AsyncExitStack() as opened:
        yield opened


async def test_a_process_with_a_virtual_clock_goes_on_where_it_was(
    tmp_path: Path, http: aiohttp.ClientSession, stack: contextlib.AsyncExitStack
) -> None:
    process = EmulatorProcess(tmp_path, "--virtual-clock")
    url = await process.start()
    stack.push_async_callback(process.end)
    form = {"To": PHONE, "From": NUMBER, "Body": "hello"}
    async with http.post(url + MESSAGES, headers=basic(), data=form) as answer:
        sid = (await answer.json())["sid"]
    async with http.post(f"{url}/_emulator/clock", json={"advance_seconds": 0.2}) as answer:
        assert answer.status == 200
    await process.end()
    url = await process.start()
    async with http.get(f"{url}/_emulator/messages") as answer:
        assert [m["status"] for m in (await answer.json())["messages"]] == ["sent"]
    async with http.post(f"{url}/_emulator/clock", json={"advance_seconds": 5}) as answer:
        assert answer.status == 200
    async with http.get(f"{url}{MESSAGES.removesuffix('.json')}/{sid}.json", headers=basic()) as answer:
        fetched = await answer.json()
    assert (fetched["status"], fetched["price"]) == ("delivered", "-0.00830")
