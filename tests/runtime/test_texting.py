"""`offhook.send_sms`, and the same of the example, against the endpoint on a real socket."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from livekit.agents import Agent

import offhook
from fixtures.fake_gateway import FakeGateway
from fixtures.scripted_model import ScriptedLLM, text_session
from offhook.runtime import texting

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "send_sms_agent.py"
MESSAGE = "Book your repair slot here: https://spokeandchain.example/book"


def example() -> Any:
    specification = importlib.util.spec_from_file_location("send_sms_agent", EXAMPLE)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(params=["offhook", "example"])
def module(request: pytest.FixtureRequest) -> Any:
    """Where `send_sms` is."""
    return texting if request.param == "offhook" else example()


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AGENT_SEND_SMS_URL", "AGENT_SEND_SMS_TOKEN", "LIVEKIT_AGENT_CONFIG_TOKEN"):
        monkeypatch.delenv(name, raising=False)


Say = Callable[[dict[str, Any]], Awaitable[tuple[str, bool]]]


@pytest.fixture
def say(module: Any) -> Say:
    """The model calls the tool with these arguments: what it is told, and whether that is an error."""

    async def run(arguments: dict[str, Any]) -> tuple[str, bool]:
        model = ScriptedLLM({"calls": [("send_sms", arguments)]}, "Well.")
        async with text_session(model) as session:
            await session.start(Agent(instructions="x", tools=[module.send_sms]))
            await session.run(user_input="text me the link")
            output = model.outputs()[0]
            return output.output, output.is_error

    return run


def configured(monkeypatch: pytest.MonkeyPatch, gateway: FakeGateway, name: str = "AGENT_SEND_SMS_TOKEN") -> None:
    monkeypatch.setenv("AGENT_SEND_SMS_URL", f"{gateway.url}/api/livekit/agent-send-sms")
    monkeypatch.setenv(name, "token-1")


def answering(http_status: int, **answer: Any) -> FakeGateway:
    async def answer_so(_: dict[str, Any]) -> dict[str, Any]:
        return {"http_status": http_status, "answer": answer}

    return FakeGateway(execute=answer_so)


@pytest.mark.parametrize("name", ["AGENT_SEND_SMS_TOKEN", "LIVEKIT_AGENT_CONFIG_TOKEN"])
async def test_a_text_goes_to_the_room_that_was_named(say: Say, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    async with answering(200, success=True, messageSid="SM1", to="+12025550142") as gateway:
        configured(monkeypatch, gateway, name)
        assert await say({"message": MESSAGE, "room_name": "call-1"}) == ("The text was sent.", False)
        assert gateway.texts == [{"roomName": "call-1", "body": MESSAGE, "authorization": "Bearer token-1"}]


async def test_without_a_name_the_room_is_the_current_call(
    say: Say, module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = SimpleNamespace(room=SimpleNamespace(name="call-2"))
    monkeypatch.setattr(module, "get_job_context", lambda *, required: job)
    async with answering(200, success=True, messageSid="SM1") as gateway:
        configured(monkeypatch, gateway)
        assert (await say({"message": MESSAGE}))[1] is False
        assert gateway.texts[0]["roomName"] == "call-2"


async def test_a_queued_text_is_told_as_on_its_way(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    async with answering(200, success=True, messageSid=None, status="queued") as gateway:
        configured(monkeypatch, gateway)
        told, is_error = await say({"message": MESSAGE, "room_name": "call-1"})
        assert "on its way" in told
        assert is_error is False


@pytest.mark.parametrize(
    ("until", "told"),
    [
        ("2026-11-25T08:00:00-05:00", "It goes on Wednesday, 25 November at 08:00, their time"),
        ("2026-11-25T08:00:00+00:00", "at 08:00, UTC"),
        (None, texting.HELD),
    ],
)
@pytest.mark.parametrize("module", ["offhook"], indirect=True)
async def test_a_held_text_is_told_with_its_hour(
    say: Say, monkeypatch: pytest.MonkeyPatch, until: str | None, told: str
) -> None:
    async with answering(200, success=True, messageSid=None, status="queued", heldUntil=until) as gateway:
        configured(monkeypatch, gateway)
        assert told in (await say({"message": MESSAGE, "room_name": "call-1"}))[0]


async def test_unset_the_model_is_told_that_sms_is_not_configured(say: Say) -> None:
    told, is_error = await say({"message": MESSAGE, "room_name": "call-1"})
    assert "SMS is not configured" in told
    assert is_error is True


async def test_without_a_room_the_model_is_told_that_there_is_no_call(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with answering(200, success=True) as gateway:
        configured(monkeypatch, gateway)
        told, is_error = await say({"message": MESSAGE})
        assert "no current call" in told
        assert is_error is True
        assert gateway.texts == []


async def test_a_refusal_is_told_with_its_reason(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    async with answering(404, error="room_not_found", message="No call is known for this room.") as gateway:
        configured(monkeypatch, gateway)
        told, is_error = await say({"message": MESSAGE, "room_name": "call-9"})
        assert told == "The text was not sent: No call is known for this room."
        assert is_error is True


async def test_nobody_at_the_address_is_told_as_not_sent(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    async with answering(200) as gateway:
        configured(monkeypatch, gateway)
    assert "cannot be reached" in (await say({"message": MESSAGE, "room_name": "call-1"}))[0]


async def test_an_answer_that_does_not_come_leaves_it_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texting, "TIMEOUT_SECONDS", 0.2)

    async def hang(_: dict[str, Any]) -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async with FakeGateway(execute=hang) as gateway:
        configured(monkeypatch, gateway)
        model = ScriptedLLM({"calls": [("send_sms", {"message": MESSAGE, "room_name": "call-1"})]}, "Well.")
        async with text_session(model) as session:
            await session.start(Agent(instructions="x", tools=[offhook.send_sms]))
            await session.run(user_input="text me the link")
        assert model.outputs()[0].output == texting.UNKNOWN


def test_the_example_knows_nothing_of_offhook_but_the_endpoint() -> None:
    lines = [line.strip() for line in EXAMPLE.read_text().splitlines()]
    imports = [line for line in lines if line.startswith(("import offhook", "from offhook"))]
    assert imports == ["from offhook.runtime.rehearsal import RehearsalLLM"]
