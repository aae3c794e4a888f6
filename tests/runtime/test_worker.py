"""The worker in a real room: livekit-server on loopback, a caller of kind SIP, the fake gateway, the real process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fixtures.fake_gateway import AGENT_ID, KEY, LINK, OUR_NUMBER, FakeGateway, eventually
from fixtures.livekit import LiveKitServer, SipCaller, WorkerProcess, livekit_running, worker_running

pytestmark = pytest.mark.ci

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "send_sms_agent.py"
PROGRAM = """
from offhook.core.settings import Settings
from offhook.runtime.process import AgentProcessSettings, main
main(AgentProcessSettings.from_settings(Settings.from_environment()))
"""


@asynccontextmanager
async def agent_process(server: LiveKitServer, gateway: FakeGateway, directory: Path) -> AsyncGenerator[WorkerProcess]:
    environment = server.environment | {
        "OFFHOOK_URL": gateway.url,
        "OFFHOOK_API_KEY": KEY,
        "OFFHOOK_AGENT_PORT": "0",
        "OFFHOOK_HOME": str(directory),
        "OPENAI_API_KEY": "",
        "OPENAI_BASE_URL": "",
        "GEMINI_API_KEY": "",
    }
    async with worker_running([sys.executable, "-c", PROGRAM], directory / "worker.log", environment) as worker:
        yield worker


async def test_a_caller_asks_for_the_link_and_the_worker_has_it_texted(tmp_path: Path) -> None:
    async with (
        FakeGateway() as gateway,
        livekit_running(tmp_path) as server,
        agent_process(server, gateway, tmp_path) as worker,
    ):
        async with SipCaller(server, "call-1") as caller:
            await caller.hears("how can I help?")
            opened = gateway.opened[0]
            assert opened["channel"] == "phone"
            assert opened["room_name"] == "call-1"
            assert opened["room_sid"].startswith("RM_")
            assert (opened["person_number"], opened["our_number"]) == ("+12025550142", OUR_NUMBER)
            assert opened["participant_identity"] == "sip_+12025550142"
            assert opened["carrier_call_id"] == "SCL_call-1"

            await caller.say("text me the booking link")
            await caller.hears("Done. Status: sent. A real model would phrase this.")
            assert [call["function"] for call in gateway.calls] == ["send_booking_link"]
            assert gateway.calls[0]["user_turn"] == 1
            await caller.until(lambda one: one.agent and one.agent.attributes.get("offhook.model"))
            assert caller.agent is not None
            assert caller.agent.attributes["offhook.model"] == "rehearsal (simulated)"
            assert caller.agent_joined_at is not None
            print(f"the agent joined {caller.agent_joined_at - caller.joined_at:.2f} s after the caller")
        await eventually(lambda: gateway.closed, seconds=10)
        assert gateway.closed[0][0] == opened["id"]
        assert "+12025550142" not in worker.output
        assert "booking link" not in worker.output


async def test_the_dispatch_names_the_agent_and_variables(tmp_path: Path) -> None:
    async with (
        FakeGateway() as gateway,
        livekit_running(tmp_path) as server,
        agent_process(server, gateway, tmp_path),
    ):
        metadata = f'{{"agent_id": "{AGENT_ID}", "variables": {{"ticket": 4}}}}'
        async with SipCaller(server, "call-2", our_number="+12025550199", metadata=metadata) as caller:
            await caller.hears("how can I help?")
        assert gateway.opened[0]["agent_id"] == AGENT_ID
        assert gateway.opened[0]["variables"] == {"ticket": 4}


async def test_where_no_agent_answers_the_caller_hears_so_and_the_operator_finds_why(tmp_path: Path) -> None:
    async with (
        FakeGateway() as gateway,
        livekit_running(tmp_path) as server,
        agent_process(server, gateway, tmp_path) as worker,
    ):
        async with SipCaller(server, "call-3", our_number="+12025550199") as caller:
            await caller.hears("nobody is set up to take this call")
            await caller.until(lambda one: not one.room.isconnected())
        await worker.until_logged("give the number called an agent")
        await worker.until_logged('"code": "agent_not_found"')
        assert gateway.closed == []


async def test_health_says_whether_livekit_knows_the_worker(tmp_path: Path) -> None:
    async with (
        FakeGateway() as gateway,
        livekit_running(tmp_path) as server,
        agent_process(server, gateway, tmp_path) as worker,
    ):
        await until_livekit_is(worker, "registered")
        server.process.kill()
        await until_livekit_is(worker, "connecting")


async def until_livekit_is(worker: WorkerProcess, state: str) -> None:
    [listening] = [line for line in worker.output.splitlines() if "the relay listens" in line]
    url = f"http://127.0.0.1:{json.loads(listening)['port']}/health"
    ends = time.monotonic() + 15
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(url) as response:
                health = await response.json()
            if health["livekit"] == state:
                assert (response.status, health["status"]) == (200, "ok")
                return
            assert time.monotonic() < ends, health
            await asyncio.sleep(0.05)


async def test_sigterm_stops_the_worker_and_its_jobs_and_closes_the_conversation(tmp_path: Path) -> None:
    async with (
        FakeGateway() as gateway,
        livekit_running(tmp_path) as server,
        agent_process(server, gateway, tmp_path) as worker,
        SipCaller(server, "call-4") as caller,
    ):
        await caller.hears("how can I help?")
        began = time.monotonic()
        worker.process.send_signal(signal.SIGTERM)
        await worker.until_gone(seconds=15.0)
        print(f"stopped in {time.monotonic() - began:.2f} s")
        assert worker.process.returncode == 0
        assert [conversation for conversation, _ in gateway.closed] == [gateway.opened[0]["id"]]


async def test_jobs_do_not_outlive_a_worker_that_was_killed(tmp_path: Path) -> None:
    async with (
        FakeGateway() as gateway,
        livekit_running(tmp_path) as server,
        agent_process(server, gateway, tmp_path) as worker,
        SipCaller(server, "call-5") as caller,
    ):
        await caller.hears("how can I help?")
        assert worker.offspring()
        os.kill(worker.process.pid, signal.SIGKILL)
        await worker.until_gone(seconds=15.0)


async def test_the_example_agent_which_knows_only_the_endpoint_has_the_link_texted(tmp_path: Path) -> None:
    async def accept(_: dict[str, Any]) -> dict[str, Any]:
        return {"answer": {"success": True, "messageSid": "SM1", "to": "+12025550142"}}

    async with FakeGateway(execute=accept) as gateway, livekit_running(tmp_path) as server:
        environment = server.environment | {
            "AGENT_SEND_SMS_URL": f"{gateway.url}/api/livekit/agent-send-sms",
            "AGENT_SEND_SMS_TOKEN": "token-1",
            "AGENT_NAME": "spoke-and-chain",
            "MODEL": "rehearsal",
            "LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE": "0",
        }
        command = [sys.executable, str(EXAMPLE), "start"]
        async with (
            worker_running(command, tmp_path / "example.log", environment),
            SipCaller(server, "call-6", agent_name="spoke-and-chain") as caller,
        ):
            await caller.hears("Spoke and Chain, hello!")
            await caller.say(f'Please text me this: "{LINK}"')
            await caller.hears("The text was sent.")
        assert gateway.texts == [{"roomName": "call-6", "body": LINK, "authorization": "Bearer token-1"}]
