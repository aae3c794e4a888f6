"""Which model an agent gets; the OpenAI plugin really calls a server of ours on loopback."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from livekit.agents import llm

from fixtures.fake_gateway import AGENT_ID, KEY, FakeGateway
from offhook.client import Client
from offhook.core.errors import ConfigurationError
from offhook.runtime import models
from offhook.runtime.rehearsal import LABEL, RehearsalLLM
from offhook.runtime.text import Failed, Text, TextConversation, TextEvent


def chunk(**delta: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "fake",
        "choices": [{"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": None}],
    }


def tool_call(name: str) -> dict[str, Any]:
    function = {"name": name, "arguments": "{}"}
    return chunk(tool_calls=[{"index": 0, "id": "call_1", "type": "function", "function": function}])


def finish(reason: str) -> dict[str, Any]:
    return chunk() | {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


class FakeOpenAI:
    """Streams chat completions: first the call of a function, then, with its result, a sentence."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.status = 200

    async def complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(body)
        self.keys.append(request.headers.get("Authorization", ""))
        if self.status != 200:
            return web.json_response({"error": {"message": "no"}}, status=self.status)
        answered = body["messages"][-1]["role"] == "tool"
        chunks = [chunk(content="It is "), chunk(content="on its way."), finish("stop")]
        if not answered:
            chunks = [tool_call("send_booking_link"), finish("tool_calls")]
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for one in chunks:
            await response.write(f"data: {json.dumps(one)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[str]:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self.complete)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        finally:
            await runner.cleanup()


async def test_the_openai_plugin_calls_the_server_that_was_named_and_uses_the_functions() -> None:
    fake, events = FakeOpenAI(), list[TextEvent]()

    async def note(event: TextEvent) -> None:
        events.append(event)

    async with fake.running() as base_url, FakeGateway(greeting=None) as gateway, Client(gateway.url, KEY) as client:
        environment = {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": base_url, "OPENAI_MODEL": "fake-1"}
        talk = await TextConversation.open(client, sink=note, environment=environment, agent_id=AGENT_ID)
        assert talk.models.label == "openai fake-1"
        await talk.hear("text me the link")
        await talk.close("ended")
        assert "".join(event.text for event in events if isinstance(event, Text)) == "It is on its way."
        assert [call["function"] for call in gateway.calls] == ["send_booking_link"]
    first, second = fake.requests
    assert first["model"] == "fake-1"
    assert [one["function"]["name"] for one in first["tools"]] == ["send_booking_link", "look_up_repair"]
    assert second["messages"][-1]["content"] == '{"status": "sent"}'
    assert fake.keys[0] == "Bearer sk-test"


async def test_a_model_that_fails_is_told_as_an_error_of_the_turn() -> None:
    fake, events = FakeOpenAI(), list[TextEvent]()
    fake.status = 401

    async def note(event: TextEvent) -> None:
        events.append(event)

    async with fake.running() as base_url, FakeGateway(greeting=None) as gateway, Client(gateway.url, KEY) as client:
        environment = {"OPENAI_BASE_URL": base_url}
        talk = await TextConversation.open(client, sink=note, environment=environment, agent_id=AGENT_ID)
        await talk.hear("text me the link")
        await talk.close("ended")
    failed = [event for event in events if isinstance(event, Failed)]
    assert [event.code for event in failed] == ["model_failed"]
    assert "link" not in failed[0].detail


def test_without_a_key_it_is_the_rehearsal_model() -> None:
    chosen = models.choose({}, {})
    assert isinstance(chosen.llm, RehearsalLLM)
    assert chosen.label == LABEL


def test_the_agents_settings_come_before_the_environment() -> None:
    chosen = models.choose({"llm": {"plugin": "rehearsal"}}, {"OPENAI_API_KEY": "sk-test"})
    assert isinstance(chosen.llm, RehearsalLLM)
    named = models.choose({"llm": {"model": "gpt-x", "options": {"temperature": 0.2}}}, {"OPENAI_API_KEY": "sk-test"})
    assert named.llm.model == "gpt-x"
    assert named.label == "openai gpt-x"


def test_a_gemini_key_makes_the_google_plugin_speak() -> None:
    pytest.importorskip("livekit.plugins.google")
    chosen = models.choose({}, {"GEMINI_API_KEY": "k-test"})
    assert isinstance(chosen.llm, llm.LLM)
    assert chosen.label.startswith("google gemini-")


def test_a_missing_plugin_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "livekit.plugins.google", None)
    with pytest.raises(ConfigurationError, match=r'pip install "offhook\[gemini\]"'):
        models.choose({}, {"GEMINI_API_KEY": "k-test"})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"llm": {"plugin": "../etc"}}, "no LiveKit plugin"),
        ({"llm": {"plugin": "openai", "options": {"base_url": "http://evil.example"}}}, "base_url"),
        ({"llm": {"plugin": "openai", "options": {"api_key": "x"}}}, "api_key"),
        ({"llm": {"plugin": "no_such"}}, "pip install livekit-plugins-no-such"),
        ({"tts": {"plugin": "openai", "options": {"temperature": 3}}}, "cannot be made"),
    ],
)
def test_settings_that_make_no_model_say_why(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        models.choose(settings, {"OPENAI_API_KEY": "sk-test"})


@pytest.mark.parametrize("settings", [{"llm": None}, {"llm": "gpt"}, {"stt": []}, {"llm": {"plugin": ""}}])
def test_settings_that_say_nothing_change_nothing(settings: dict[str, Any]) -> None:
    assert models.choose(settings, {}).label == LABEL
