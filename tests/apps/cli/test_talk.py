from __future__ import annotations

import asyncio
import contextlib
import os
import sys

from fixtures.command_line import CALLER, KEY, NUMBER, CommandLine, send_text
from fixtures.emulators import RunningEmulator
from fixtures.fake_relay import FakeRelay, called, said

LINK = "Book here: https://spokeandchain.example/book"


def talkative(emulator: RunningEmulator) -> FakeRelay:
    """An agent that greets, and texts the link when it is asked."""
    return FakeRelay(
        greeting=said("Spoke & Chain. ", "How can I help?"),
        turns=[
            [{"type": "text", "text": "One moment. ", "last": False}, *called("text_link", ms=142.6), *said("Sent.")]
        ],
        during_turn=lambda: send_text(emulator.url, LINK),
    )


async def test_it_shows_who_says_what_the_tool_call_and_the_text(
    offhook: CommandLine, emulator: RunningEmulator
) -> None:
    relay = talkative(emulator)
    async with relay.running() as url:
        offhook.say_runs(relay_url=url, emulator_url=emulator.url)
        outcome = await offhook("try", "text me the link")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        "Workshop desk · model: rehearsal (simulated)",
        "Agent     Spoke & Chain. How can I help?",
        "Caller    text me the link",
        "Agent     One moment.",
        "Tool      text_link · done in 143 ms",
        "Agent     Sent.",
        f"Phone     {CALLER} got a text from {NUMBER} (1 segment, GSM-7)",
        f"          {LINK}",
        "          queued → sent → delivered",
    ]
    assert relay.start == {
        "type": "start", "channel": "web", "agent_id": "a1", "person_number": CALLER, "our_number": NUMBER,
    }  # fmt: skip
    assert relay.prompts == ["text me the link"]
    assert relay.ended_well


async def test_json_is_one_document(offhook: CommandLine, emulator: RunningEmulator) -> None:
    relay = talkative(emulator)
    async with relay.running() as url:
        offhook.say_runs(relay_url=url, emulator_url=emulator.url)
        found = (await offhook("try", "--json", "text me the link")).json
    assert found["agent_name"] == "Workshop desk"
    assert found["turns"] == [
        {"prompt": None, "said": "Spoke & Chain. How can I help?", "tool_calls": [], "error": None},
        {
            "prompt": "text me the link",
            "said": "One moment. Sent.",
            "tool_calls": [{"id": "call-1", "name": "text_link", "duration_ms": 142.6, "is_error": False}],
            "error": None,
        },
    ]
    assert [(text["to"], text["body"], text["status"]) for text in found["texts"]] == [(CALLER, LINK, "delivered")]


async def test_what_is_no_agents_id_is_refused_at_once(offhook: CommandLine) -> None:
    outcome = await offhook("try", "--agent", "front desk", "hello")
    assert outcome.code == 2
    assert "is no agent's id" in outcome.err


async def test_agent_and_numbers_can_be_chosen(offhook: CommandLine) -> None:
    agent_id = "01a1fdc0-b4e8-789a-94c3-962a84232d5a"
    relay = FakeRelay(turns=[said("Hello.")], started={"type": "started", "agent_name": "Other", "greets": False})
    async with relay.running() as url:
        offhook.say_runs(relay_url=url)
        await offhook("try", "--agent", agent_id, "--from", "+12025550177", "--to", "+12025550105", "hello")
    assert (relay.start["agent_id"], relay.start["person_number"]) == (agent_id, "+12025550177")
    assert relay.start["our_number"] == "+12025550105"


async def test_a_failed_call_without_a_text_says_that_none_arrived(
    offhook: CommandLine, emulator: RunningEmulator
) -> None:
    relay = FakeRelay(turns=[[*called("text_link", ms=3, is_error=True), *said("That did not work.")]])
    async with relay.running() as url:
        offhook.say_runs(relay_url=url, emulator_url=emulator.url)
        outcome = await offhook("try", "text me the link")
    assert "text_link · failed in 3 ms" in outcome.out
    assert f"no text arrived at {CALLER} within 0.5 s" in outcome.out


async def test_the_relays_own_error_is_told_with_its_code(offhook: CommandLine) -> None:
    refusal = {"type": "error", "code": "agent_not_found", "detail": "No agent answers +12025550100: assign one."}
    async with FakeRelay(started=refusal).running() as url:
        offhook.say_runs(relay_url=url)
        outcome = await offhook("try", "hello")
    assert outcome.code == 1
    assert outcome.err == "offhook: No agent answers +12025550100: assign one. [agent_not_found]\n"


async def test_an_error_within_a_turn_is_shown_and_ends_with_1(offhook: CommandLine) -> None:
    trouble = {"type": "error", "code": "model_failed", "detail": "The model does not answer."}
    relay = FakeRelay(turns=[[trouble, {"type": "turn_ended"}], said("Better now.")])
    async with relay.running() as url:
        offhook.say_runs(relay_url=url)
        outcome = await offhook("try", "hello", "and now?")
    assert outcome.code == 1
    assert "Error     The model does not answer. [model_failed]" in outcome.out
    assert "Agent     Better now." in outcome.out


async def test_a_conversation_that_breaks_off_is_said(offhook: CommandLine) -> None:
    async with FakeRelay(turns=[]).running() as url:
        offhook.say_runs(relay_url=url)
        outcome = await offhook("try", "hello")
    assert outcome.code == 1
    assert "[conversation_broken]" in outcome.err


async def test_a_key_that_does_not_open_the_relay_is_said(offhook: CommandLine) -> None:
    async with FakeRelay(accepts=lambda key: key != KEY).running() as url:
        offhook.say_runs(relay_url=url)
        outcome = await offhook("try", "hello")
    assert outcome.code == 1
    assert "[unauthenticated]" in outcome.err
    assert KEY not in outcome.err


async def test_an_agent_process_that_is_away_is_said(offhook: CommandLine) -> None:
    offhook.say_runs()
    outcome = await offhook("try", "hello")
    assert outcome.code == 1
    assert "[relay_unavailable]" in outcome.err


async def test_without_text_a_person_types_line_by_line(offhook: CommandLine, emulator: RunningEmulator) -> None:
    relay = FakeRelay(greeting=said("How can I help?"), turns=[said("First answer."), said("Second answer.")])
    ours, theirs = os.openpty()
    async with relay.running() as url:
        offhook.say_runs(relay_url=url, emulator_url=emulator.url)
        command = [sys.executable, "-m", "offhook", "try"]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdin=theirs, stdout=pipe, stderr=pipe)
        os.close(theirs)
        with contextlib.closing(os.fdopen(ours, "wb", buffering=0)) as keyboard:
            keyboard.write(b"first line\nsecond line\n\x04")
            async with asyncio.timeout(30):
                out, err = await process.communicate()
    assert process.returncode == 0, err
    assert relay.prompts == ["first line", "second line"]
    assert b"Agent     First answer." in out
    assert b"Agent     Second answer." in out
    assert relay.ended_well
