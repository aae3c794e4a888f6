"""`offhook up` starts, stays, and leaves nothing behind, whatever ends it. With a real LiveKit server where there is
one, since its worker's job processes are the ones that are easily forgotten."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from fixtures.livekit import SipCaller, server_binary
from fixtures.postgres import open_directory
from fixtures.product import Product, get_json, launch, running_product
from offhook.apps.instance import find_instance

pytestmark = [pytest.mark.ci, pytest.mark.timeout(180)]

LIVEKIT = {"OFFHOOK_LIVEKIT_SERVER": server_binary() or ""}
NO_LIVEKIT = {"OFFHOOK_LIVEKIT_SERVER": ""}


@pytest.fixture
def home() -> Iterator[Path]:
    with open_directory() as directory:
        yield directory / "home"


@pytest.fixture
async def product() -> AsyncGenerator[Product]:
    async with running_product(LIVEKIT) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def lasting() -> AsyncGenerator[Product]:
    """For tests that leave it as it was."""
    async with running_product(LIVEKIT) as running:
        yield running


beside = pytest.mark.asyncio(loop_scope="module")


def offspring(product: Product) -> list[psutil.Process]:
    """Every process below `offhook up`, at whatever depth and in whatever session."""
    return psutil.Process(product.process.pid).children(recursive=True)


async def until(reached: Callable[[], object], why: Callable[[], object], *, seconds: float = 20.0) -> None:
    give_up = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < give_up, why()
        await asyncio.sleep(0.05)


def living(processes: list[psutil.Process]) -> list[str]:
    """Those that still run, each by what it is; the dead whom nobody has asked for do not count."""
    found: list[str] = []
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(f"{process.pid} {' '.join(process.cmdline())[:120]}")
        except psutil.NoSuchProcess:
            continue
    return found


@beside
async def test_a_caller_could_be_answered_when_up_says_so(lasting: Product) -> None:
    relay = lasting.instance.relay_url.replace("ws://", "http://").replace("/conversations", "/health")
    expected = "registered" if lasting.instance.livekit else None
    assert (await get_json(relay))["livekit"] == expected


async def test_ctrl_c_leaves_nothing_behind(product: Product) -> None:
    left = offspring(product)
    assert len(left) >= len(product.instance.processes)
    product.stop()
    assert product.process.returncode == 0, product.said()
    assert living(left) == []
    assert find_instance(product.home) is None


async def test_ctrl_c_during_the_start_leaves_nothing_behind(home: Path) -> None:
    product = launch(home, LIVEKIT, "--no-demo")
    try:
        # The first processes run, the rest is on its way.
        await until(lambda: len(offspring(product)) >= 8, product.said, seconds=60)
        left = offspring(product)
        product.stop()
    finally:
        product.process.kill()
    assert product.process.returncode == 0, product.said()
    assert living(left) == []


async def test_sigkill_takes_everything_along_also_during_a_call(product: Product) -> None:
    async with AsyncExitStack() as stack:
        if livekit := product.instance.livekit:
            caller = SipCaller(livekit, "call-cut", our_number=product.instance.demo.number)
            await stack.enter_async_context(caller)
            await caller.hears("Spoke")
        left = offspring(product)
        product.process.kill()
        product.process.wait()
        await until(lambda: not living(left), lambda: living(left), seconds=15)


@beside
async def test_a_second_up_on_the_same_home_is_refused_and_the_first_goes_on(lasting: Product) -> None:
    second = launch(lasting.home, NO_LIVEKIT, "--no-demo")
    assert await asyncio.to_thread(second.process.wait, 30) != 0
    assert "Offhook runs already" in second.said()
    assert f"process {lasting.process.pid}" in second.said()
    async with lasting.client() as client:
        assert (await client.list_agents())["agents"]


@beside
async def test_another_home_is_another_instance_beside_it(lasting: Product) -> None:
    async with running_product(NO_LIVEKIT) as other:
        mine, theirs = lasting.instance, other.instance
        assert not {mine.api_url, mine.relay_url, mine.emulator_url} & {
            theirs.api_url,
            theirs.relay_url,
            theirs.emulator_url,
        }
        assert mine.demo.organization_id != theirs.demo.organization_id
        async with other.client() as client:
            assert [one["id"] for one in (await client.list_agents())["agents"]] == [theirs.demo.agent_id]
    async with lasting.client() as client:
        assert [one["id"] for one in (await client.list_agents())["agents"]] == [mine.demo.agent_id]


async def test_a_port_that_was_asked_for_and_is_in_use_is_an_error(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        product = launch(home, {**NO_LIVEKIT, "OFFHOOK_PORT": str(port)}, "--no-demo")
        assert await asyncio.to_thread(product.process.wait, 30) != 0
    assert f"port {port} is in use: set OFFHOOK_PORT" in " ".join(product.said().split())


async def test_a_warm_start_keeps_key_and_data_also_after_a_kill(home: Path) -> None:
    async with running_product(NO_LIVEKIT, home=home) as first:
        before = first.instance.demo
        async with first.client() as client:
            await client.place_message("+12025550155", "kept", operation_id="kept-1")
        left = offspring(first)
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait()
        await until(lambda: not living(left), lambda: living(left), seconds=15)
    async with running_product(NO_LIVEKIT, home=home) as second:
        assert second.instance.demo == before
        async with second.client() as client:
            messages = (await client.list_messages())["messages"]
    assert [message["body"] for message in messages] == ["kept"]
