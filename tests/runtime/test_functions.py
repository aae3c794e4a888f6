"""Release functions in a real LiveKit session: scripted model, gateway on a real socket."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

import pytest

from fixtures.fake_gateway import AGENT_ID, KEY, LOOK_UP, SEND_LINK, FakeGateway, eventually
from fixtures.scripted_model import ScriptedLLM, text_session
from offhook.client import Client
from offhook.runtime import functions as module
from offhook.runtime.conversation import Conversation
from offhook.runtime.functions import CallEnded, CallStarted

CALL: dict[str, Any] = {"calls": [("send_booking_link", {})]}


class Talk:
    """One conversation of a scripted model with a gateway."""

    def __init__(self, gateway: FakeGateway, *script: Any) -> None:
        self.gateway = gateway
        self.model = ScriptedLLM(*script)
        self.events: list[Any] = []

    async def __aenter__(self) -> Talk:
        async def watch(event: Any) -> None:
            self.events.append(event)

        self.client = Client(self.gateway.url, KEY)
        self.conversation = await Conversation.open(self.client, channel="web", agent_id=AGENT_ID, watcher=watch)
        self.session = text_session(self.model)
        self.conversation.listen(self.session)
        await self.session.start(self.conversation.agent(greets=False))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.aclose()
        await self.conversation.close("test")
        await self.client.aclose()

    async def say(self, text: str = "text me the link") -> str:
        await self.session.run(user_input=text)
        outputs = self.model.outputs()
        return outputs[-1].output if outputs else ""


async def test_a_function_runs_at_the_gateway_and_its_result_is_json_for_the_model() -> None:
    async def answer(_: dict[str, Any]) -> dict[str, Any]:
        return {"answer": {"status": "sent", "to": None, "grüße": True}}

    async with FakeGateway(execute=answer) as gateway, Talk(gateway, CALL, "It is on its way.") as talk:
        output = await talk.say()
        assert json.loads(output) == {"status": "sent", "to": None, "grüße": True}
        assert talk.model.outputs()[0].is_error is False
        call = gateway.calls[0]
        assert (call["function"], call["arguments"], call["user_turn"]) == ("send_booking_link", {}, 1)
        assert [type(event) for event in talk.events] == [CallStarted, CallEnded]
        assert talk.events[0].id == call["id"]
        assert talk.events[1].is_error is False
    assert gateway.closed == [(talk.conversation.id, "test")]


async def test_arguments_go_to_the_gateway_as_the_model_gave_them() -> None:
    step = {"calls": [("look_up_repair", {"ticket": "17", "bogus": [1]})]}
    async with FakeGateway() as gateway, Talk(gateway, step, "Done.") as talk:
        await talk.say()
        assert gateway.calls[0]["arguments"] == {"ticket": "17", "bogus": [1]}


async def test_turns_of_the_person_are_counted_and_every_call_has_an_id_of_its_own() -> None:
    twice = {"calls": [("send_booking_link", {}), ("send_booking_link", {})]}
    async with FakeGateway() as gateway, Talk(gateway, twice, "Sent.", CALL, "Again.") as talk:
        await talk.say()
        await talk.say("and again")
        assert [one["user_turn"] for one in gateway.calls] == [1, 1, 2]
        assert len({one["id"] for one in gateway.calls}) == 3


async def test_a_failure_reaches_the_model_as_the_sentence_meant_for_it() -> None:
    async def refuse(_: dict[str, Any]) -> dict[str, Any]:
        return {"status": "failed", "is_error": True, "answer": {"error": "The caller opted out of texts."}}

    async with FakeGateway(execute=refuse) as gateway, Talk(gateway, CALL, "Sorry.") as talk:
        assert await talk.say() == "The caller opted out of texts."
        assert talk.model.outputs()[0].is_error is True
        assert talk.events[1].is_error is True


async def test_a_gateway_that_is_gone_is_told_as_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GATEWAY_GRACE_SECONDS", -2.8)
    async with FakeGateway() as gateway, Talk(gateway, CALL, "Sorry.") as talk:
        await gateway.kill()
        assert await talk.say() == module.NOT_REACHED


async def hang(_: dict[str, Any]) -> dict[str, Any]:
    await asyncio.Event().wait()
    return {}


@pytest.mark.parametrize(
    ("step", "grace", "said"),
    [
        (CALL, -2.8, module.UNKNOWN),
        ({"calls": [("look_up_repair", {})]}, -0.8, module.NO_ANSWER),
    ],
)
async def test_at_the_deadline_the_model_hears_what_is_and_is_not_known(
    monkeypatch: pytest.MonkeyPatch, step: dict[str, Any], grace: float, said: str
) -> None:
    monkeypatch.setattr(module, "GATEWAY_GRACE_SECONDS", grace)
    async with FakeGateway(execute=hang) as gateway, Talk(gateway, step, "Hm.") as talk:
        assert await talk.say() == said


async def test_a_gateway_killed_between_the_call_and_its_answer_gives_it_to_the_retry() -> None:
    reached = asyncio.Event()

    async def written_down(call: dict[str, Any]) -> dict[str, Any]:
        gateway.ledger[call["id"]] = {"answer": {"status": "sent"}}
        reached.set()
        return await hang(call)

    async with FakeGateway(execute=written_down) as gateway, Talk(gateway, CALL, "Sent.") as talk:
        turn = asyncio.ensure_future(talk.say())
        await reached.wait()
        await gateway.kill()
        await gateway.start()
        assert json.loads(await turn) == {"status": "sent"}
        assert gateway.executed == ["send_booking_link"]


async def test_a_hung_function_does_not_hold_the_session_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offhook.runtime.conversation.STOP_GRACE_SECONDS", 0.1)
    slow = SEND_LINK | {"timeout_seconds": 60}
    async with FakeGateway(execute=hang, functions=[slow]) as gateway, Talk(gateway, CALL, "Hm.") as talk:
        talk.session.generate_reply(user_input="text me the link")
        await eventually(lambda: gateway.calls)
        await talk.conversation.functions.stop(0.1)
        began = time.monotonic()
        await talk.session.aclose()
        assert time.monotonic() - began < 10.0


async def test_what_must_run_in_the_session_is_not_offered_as_a_function_of_the_gateway() -> None:
    async with FakeGateway(functions=[SEND_LINK, LOOK_UP | {"runs_in": "session"}]) as gateway, Talk(gateway) as talk:
        assert [one.id for one in talk.conversation.functions.tools] == ["send_booking_link"]


async def test_nothing_that_people_say_or_send_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    secret = "+12025550142"

    async def refuse(_: dict[str, Any]) -> dict[str, Any]:
        return {"is_error": True, "answer": {"error": f"cannot text {secret}"}}

    from offhook.runtime.privacy import PayloadFilter, keep_payloads_out

    caplog.handler.addFilter(PayloadFilter())
    keep_payloads_out()
    step = {"calls": [("look_up_repair", {"phone": secret}), ("nothing_like_it", {"phone": secret})]}
    with caplog.at_level(logging.DEBUG):
        keep_payloads_out()
        async with FakeGateway(execute=refuse) as gateway, Talk(gateway, step, f"I cannot text {secret}.") as talk:
            await talk.say(f"my number is {secret}")
    assert caplog.records
    for record in caplog.records:
        assert secret not in repr(record.__dict__)


async def test_conversations_on_one_release_share_its_functions() -> None:
    async with FakeGateway() as gateway, Talk(gateway, CALL) as one, Talk(gateway, CALL) as other:
        assert one.conversation.release.functions is other.conversation.release.functions
        assert one.conversation.functions.tools is other.conversation.functions.tools
        await one.say()
        await other.say()
        assert len({call["id"] for call in gateway.calls}) == 2


async def test_a_release_that_changed_brings_its_own_functions() -> None:
    async with FakeGateway() as gateway, Talk(gateway, CALL) as one:
        gateway.functions = [LOOK_UP]
        async with Talk(gateway, CALL) as other:
            assert [tool.info.name for tool in other.conversation.functions.tools] == ["look_up_repair"]
            assert len(one.conversation.functions.tools) == 2


async def test_only_the_last_releases_are_kept() -> None:
    async with FakeGateway() as gateway:
        for number in range(module._KEPT_RELEASES + 2):
            gateway.functions = [{**SEND_LINK, "name": f"function_{number}"}]
            client = Client(gateway.url, KEY)
            await Conversation.open(client, channel="web", agent_id=AGENT_ID)
            await client.aclose()
    assert len(module._BUILT) == module._KEPT_RELEASES
