"""Flow 1 in a real room: livekit-server, a caller of kind SIP over the rtc SDK, the product as `offhook up` runs it.

Once with an agent of Offhook's, once with examples/send_sms_agent.py, which knows nothing but one endpoint.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from fixtures.livekit import ROOT, SipCaller, WorkerProcess, server_binary, worker_running
from fixtures.product import Product, get_json, running_product

pytestmark = [pytest.mark.ci, pytest.mark.timeout(180)]

T = TypeVar("T")
CALLER = "+12025550142"


@dataclass(frozen=True)
class RoomServer:
    """What a caller needs to join."""

    url: str
    api_key: str
    api_secret: str


async def until(reached: Callable[[], Awaitable[T | None]], *, seconds: float = 40.0) -> T:
    """Poll until it gives something true."""
    give_up = time.monotonic() + seconds
    while True:
        value = await reached()
        if value:
            return value
        assert time.monotonic() < give_up, "it did not come about"
        await asyncio.sleep(0.1)


@pytest.fixture
async def product() -> AsyncGenerator[Product]:
    binary = server_binary()
    if binary is None:
        pytest.skip("no livekit-server: run `make livekit`")
    async with running_product({"OFFHOOK_LIVEKIT_SERVER": binary}) as running:

        async def registered() -> bool:
            return "registered worker" in (running.home / "logs" / "agent.log").read_text()

        await until(registered)
        yield running


def room_server(product: Product) -> Any:
    livekit = product.instance.livekit
    assert livekit is not None
    return RoomServer(livekit.url, livekit.api_key, livekit.api_secret)


async def texts_to_the_caller(product: Product) -> list[dict[str, Any]]:
    return (await get_json(f"{product.instance.emulator_url}/_emulator/messages?to=%2B{CALLER[1:]}"))["messages"]


async def call_row(product: Product, room: str, status: str) -> dict[str, Any] | None:
    async with product.client() as client:
        calls = (await client.request("GET", "/api/voice-calls", query={"room_name": room}))["voice_calls"]
    return calls[0] if calls and calls[0]["status"] == status else None


async def test_a_caller_asks_an_agent_of_offhooks_for_the_link_and_gets_the_text(product: Product) -> None:
    async with SipCaller(room_server(product), "call-ours", CALLER, product.instance.demo.number) as caller:
        await caller.hears("Spoke")
        await caller.say("Please text me the booking link.")
        [text] = await until(lambda: texts_to_the_caller(product))
        opened = await until(lambda: call_row(product, "call-ours", "open"))
    assert "https://spokeandchain.example/book" in text["body"]
    assert (opened["client_phone"], opened["our_number"]) == (CALLER, product.instance.demo.number)
    assert opened["conversation_id"] is not None
    closed = await until(lambda: call_row(product, "call-ours", "closed"))
    assert closed["closed_at"] is not None


async def test_the_call_is_closed_also_when_the_worker_is_killed(product: Product) -> None:
    async with SipCaller(room_server(product), "call-killed", CALLER, product.instance.demo.number) as caller:
        await caller.hears("Spoke")
        await until(lambda: call_row(product, "call-killed", "open"))
        assert product.kill("agent")
    await until(lambda: call_row(product, "call-killed", "closed"))


@asynccontextmanager
async def example_agent(product: Product, directory: Path) -> AsyncGenerator[WorkerProcess]:
    """examples/send_sms_agent.py as its author would run it, but for the model."""
    livekit = product.instance.livekit
    assert livekit is not None
    environment = {
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.api_key,
        "LIVEKIT_API_SECRET": livekit.api_secret,
        "AGENT_SEND_SMS_URL": f"{product.instance.api_url}/api/livekit/agent-send-sms",
        "AGENT_SEND_SMS_TOKEN": product.instance.agent_sms_secret,
        "AGENT_NAME": "spoke-and-chain",
        "MODEL": "rehearsal",
    }
    command = [sys.executable, str(ROOT / "examples" / "send_sms_agent.py"), "start"]
    async with worker_running(command, directory / "example.log", environment) as worker:
        yield worker


async def test_an_agent_that_knows_only_the_endpoint_texts_its_caller(product: Product, tmp_path: Path) -> None:
    async with example_agent(product, tmp_path) as worker:
        caller = SipCaller(
            room_server(product), "call-theirs", CALLER, product.instance.demo.number, agent_name="spoke-and-chain"
        )
        async with caller:
            await caller.hears("Spoke")
            await caller.say("Send me an SMS text message with the link.")
            # Said at once, the words would interrupt the question that they answer.
            await caller.until(lambda one: any(said.endswith("?") and "Spoke" not in said for said in one.heard))
            await caller.say('"Book here: https://spokeandchain.example/book"')
            [text] = await until(lambda: texts_to_the_caller(product))
            opened = await until(lambda: call_row(product, "call-theirs", "open"))
            os.kill(worker.process.pid, signal.SIGKILL)
        closed = await until(lambda: call_row(product, "call-theirs", "closed"))
    assert text["body"] == "Book here: https://spokeandchain.example/book"
    assert opened["conversation_id"] is None
    assert closed["id"] == opened["id"]
