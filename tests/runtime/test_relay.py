"""The relay over a real WebSocket, with a gateway on a real socket and the rehearsal model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from fixtures.fake_gateway import AGENT_ID, KEY, OUR_NUMBER, FakeGateway, eventually
from offhook.runtime.relay import MAX_FRAME_BYTES, MAX_PROMPT_CHARACTERS, Relay

START = {"type": "start", "agent_id": AGENT_ID, "channel": "web"}


class Socket:
    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws

    async def send(self, frame: dict[str, Any]) -> None:
        await self.ws.send_str(json.dumps(frame))

    async def until(self, kind: str) -> list[dict[str, Any]]:
        frames: list[dict[str, Any]] = []
        while True:
            frames.append(await self.ws.receive_json(timeout=8))
            if frames[-1]["type"] == kind:
                return frames


@asynccontextmanager
async def relay_of(gateway: FakeGateway, **environment: str) -> AsyncGenerator[Relay]:
    relay = Relay(api_url=gateway.url, host="127.0.0.1", port=0, environment=environment)
    await relay.start()
    try:
        yield relay
    finally:
        await relay.aclose()


@asynccontextmanager
async def connected(relay: Relay, key: str = KEY) -> AsyncGenerator[Socket]:
    async with aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{relay.port}/conversations"
        async with session.ws_connect(url, headers={"Authorization": f"Bearer {key}"}) as ws:
            yield Socket(ws)


def said(frames: list[dict[str, Any]]) -> str:
    return "".join(frame["text"] for frame in frames if frame["type"] == "text")


async def test_a_conversation_from_start_to_end() -> None:
    async with FakeGateway() as gateway, relay_of(gateway) as relay, connected(relay) as socket:
        await socket.send(START | {"person_number": "+12025550142", "our_number": OUR_NUMBER, "variables": {"a": 1}})
        started, *greeting = await socket.until("turn_ended")
        assert started["agent_name"] == "Spoke & Chain"
        assert started["model"] == "rehearsal (simulated)"
        assert started["greets"] is True
        assert said(greeting) == "Spoke & Chain, how can I help?"
        assert gateway.opened[0]["id"] == started["conversation_id"]
        assert gateway.opened[0]["variables"] == {"a": 1}

        await socket.send({"type": "prompt", "text": "text me the booking link"})
        frames = await socket.until("turn_ended")
        kinds = [frame["type"] for frame in frames]
        assert kinds[:2] == ["tool_call_started", "tool_call_ended"]
        assert set(frames[0]) == {"type", "id", "name"}
        assert set(frames[1]) == {"type", "id", "name", "duration_ms", "is_error"}
        assert frames[0]["id"] == gateway.calls[0]["id"]
        assert said(frames) == "Done. Status: sent. A real model would phrase this."
        assert [frame["last"] for frame in frames if frame["type"] == "text"].index(True) == len(kinds) - 4

        await socket.send({"type": "end"})
        assert [frame["type"] for frame in await socket.until("ended")] == ["ended"]
        assert gateway.closed == [(started["conversation_id"], "ended")]


async def test_an_agent_without_a_greeting_says_so_at_once() -> None:
    async with FakeGateway(greeting=None) as gateway, relay_of(gateway) as relay, connected(relay) as socket:
        await socket.send(START)
        [started] = await socket.until("started")
        assert started["greets"] is False


async def test_a_caller_who_hangs_up_closes_the_conversation() -> None:
    async with FakeGateway() as gateway, relay_of(gateway) as relay:
        async with connected(relay) as socket:
            await socket.send(START)
            await socket.until("turn_ended")
        await eventually(lambda: gateway.closed)
        assert gateway.closed[0][1] == "disconnected"


async def test_many_conversations_share_the_process_and_stay_apart() -> None:
    async with FakeGateway() as gateway, relay_of(gateway) as relay:

        async def talk(ticket: int) -> list[dict[str, Any]]:
            async with connected(relay) as socket:
                await socket.send(START)
                await socket.until("turn_ended")
                await socket.send({"type": "prompt", "text": "what is the state of my repair"})
                await socket.until("turn_ended")
                await socket.send({"type": "prompt", "text": f"{ticket}"})
                await socket.until("turn_ended")
                await socket.send({"type": "prompt", "text": f"+120255501{ticket}"})
                return await socket.until("turn_ended")

        await asyncio.gather(*(talk(number) for number in range(10, 22)))
        arguments = [call["arguments"] for call in gateway.calls]
        assert sorted(one["ticket"] for one in arguments) == list(range(10, 22))
        assert all(one["phone"] == f"+120255501{one['ticket']}" for one in arguments)


HOSTILE = [
    ("not json", "not_json"),
    ("[1, 2]", "not_json"),
    ("null", "not_json"),
    ('{"type": "dance"}', "unknown_frame"),
    ('{"type": ["start"]}', "unknown_frame"),
    ("{}", "unknown_frame"),
    ('{"type": "prompt"}', "invalid_frame"),
    ('{"type": "prompt", "text": 4}', "invalid_frame"),
    ('{"type": "prompt", "text": ""}', "invalid_frame"),
    (json.dumps({"type": "prompt", "text": "x" * (MAX_PROMPT_CHARACTERS + 1)}), "invalid_frame"),
    ('{"type": "prompt", "text": "before the start"}', "not_started"),
    ('{"type": "start", "channel": "phone"}', "invalid_frame"),
    ('{"type": "start", "secret": true}', "invalid_frame"),
    (json.dumps({"type": "prompt", "text": "x" * MAX_FRAME_BYTES}), "frame_too_large"),
    ("[" * 30_000, "not_json"),
    ('{"type": "prompt", "text": "\\ud800"}', "not_json"),
]


async def test_hostile_frames_get_an_error_frame_and_the_conversation_goes_on() -> None:
    async with FakeGateway() as gateway, relay_of(gateway) as relay, connected(relay) as socket:
        for frame, code in HOSTILE:
            await socket.ws.send_str(frame)
            answer = (await socket.until("error"))[-1]
            assert answer["code"] == code, frame[:60]
        await socket.ws.send_bytes(b"\xff\xfe\x00")
        assert (await socket.until("error"))[-1]["code"] == "not_json"
        await socket.send(START)
        await socket.until("turn_ended")
        await socket.send(START)
        assert (await socket.until("error"))[-1]["code"] == "already_started"
        await socket.send({"type": "prompt", "text": "the link"})
        assert said(await socket.until("turn_ended")) == "Done. Status: sent. A real model would phrase this."


async def test_a_frame_beyond_all_measure_closes_the_socket_unread() -> None:
    async with FakeGateway() as gateway, relay_of(gateway) as relay, connected(relay) as socket:
        await socket.ws.send_str("x" * (2 * 1024 * 1024))
        message = await socket.ws.receive(timeout=5)
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


@pytest.mark.parametrize(
    ("start", "key", "code"),
    [
        (START | {"agent_id": "nobody"}, KEY, "agent_not_found"),
        (START, "offhook_live_wrong_key", "unauthenticated"),
    ],
)
async def test_where_the_gateway_opens_nothing_the_reason_is_told(start: dict[str, Any], key: str, code: str) -> None:
    async with FakeGateway() as gateway, relay_of(gateway) as relay, connected(relay, key) as socket:
        await socket.send(start)
        frames = await socket.until("ended")
        assert [frame.get("code") for frame in frames] == [code, None]


async def test_without_a_key_there_is_no_socket() -> None:
    async with FakeGateway() as gateway, relay_of(gateway) as relay, aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{relay.port}/conversations") as response:
            assert response.status == 401
            assert (await response.json(content_type=None))["code"] == "unauthenticated"
        async with session.get(f"http://127.0.0.1:{relay.port}/health") as response:
            assert await response.json() == {"status": "ok", "livekit": None, "conversations": 0}


async def test_a_model_that_cannot_be_made_is_said_before_the_start() -> None:
    settings = {"llm": {"plugin": "nonsense_of_ours"}}
    async with FakeGateway(settings=settings) as gateway, relay_of(gateway) as relay, connected(relay) as socket:
        await socket.send(START)
        error = (await socket.until("ended"))[0]
        assert error["code"] == "configuration"
        assert "pip install livekit-plugins-nonsense-of-ours" in error["detail"]
        assert gateway.closed[0][1] == "failed"


async def test_a_new_prompt_ends_what_the_agent_still_says_and_is_answered() -> None:
    async with FakeGateway() as gateway, relay_of(gateway) as relay, connected(relay) as socket:
        await socket.send(START)
        await socket.send({"type": "prompt", "text": "tell me a story"})
        await socket.send({"type": "prompt", "text": "the link"})
        frames: list[dict[str, Any]] = []
        for _ in range(3):
            frames += await socket.until("turn_ended")
        assert said(frames).endswith("Done. Status: sent. A real model would phrase this.")


async def test_too_many_prompts_at_once_are_refused() -> None:
    async def hang(_: dict[str, Any]) -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async with FakeGateway(execute=hang) as gateway, relay_of(gateway) as relay, connected(relay) as socket:
        await socket.send(START)
        await socket.until("turn_ended")
        await socket.send({"type": "prompt", "text": "the link"})
        await socket.until("tool_call_started")
        for number in range(9):
            await socket.send({"type": "prompt", "text": f"and {number}"})
        assert (await socket.until("error"))[-1]["code"] == "too_many_prompts"


async def test_closing_the_relay_closes_its_conversations() -> None:
    async with FakeGateway() as gateway:
        async with relay_of(gateway) as relay, connected(relay) as socket:
            await socket.send(START)
            await socket.until("turn_ended")
            await relay.aclose()
        assert [reason for _, reason in gateway.closed] == ["shutdown"]
