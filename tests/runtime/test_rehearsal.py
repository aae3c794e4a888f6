"""The rehearsal model in a real session: it chooses by words, asks for what is missing, tells results as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from livekit.agents import Agent, ToolError, function_tool

from fixtures.scripted_model import text_session
from offhook.runtime import rehearsal
from offhook.runtime.rehearsal import LABEL, RehearsalLLM, _kind, _words


def tool(name: str, description: str, properties: dict[str, Any], answer: Any, calls: list[Any]) -> Any:
    async def handler(raw_arguments: dict[str, object]) -> str:
        calls.append((name, raw_arguments))
        if isinstance(answer, Exception):
            raise answer
        return json.dumps(answer)

    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return function_tool(handler, raw_schema={"name": name, "description": description, "parameters": parameters})


class Caller:
    def __init__(self, *tools: Any) -> None:
        self.tools = list(tools)
        self.session = text_session(RehearsalLLM())

    async def __aenter__(self) -> Caller:
        await self.session.start(Agent(instructions="You help.", tools=self.tools))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.aclose()

    async def say(self, text: str) -> str:
        result = await self.session.run(user_input=text)
        said = [event.item.text_content for event in result.events if event.type == "message"]
        return " ".join(part or "" for part in said)


async def test_it_chooses_the_function_by_the_callers_words() -> None:
    calls: list[Any] = []
    link = tool("send_booking_link", "Texts the caller the link for booking.", {}, {"status": "sent"}, calls)
    hours = tool("opening_hours", "Tells when the workshop is open.", {}, {"monday": "9-17"}, calls)
    async with Caller(hours, link) as caller:
        assert (
            await caller.say("Could you text me the link, please?")
            == "Done. Status: sent. A real model would phrase this."
        )
        assert (
            await caller.say("And what are your opening hours?")
            == "Done. Monday: 9-17. A real model would phrase this."
        )
    assert [name for name, _ in calls] == ["send_booking_link", "opening_hours"]


async def test_it_asks_for_one_missing_argument_at_a_time_and_takes_it_from_the_answer() -> None:
    calls: list[Any] = []
    properties = {
        "phone_number": {"type": "string"},
        "email": {"type": "string"},
        "bikes": {"type": "integer"},
        "note": {"type": "string", "description": "What to do with the bike."},
    }
    async with Caller(tool("book_repair", "Books a repair.", properties, {"ticket": 7}, calls)) as caller:
        assert await caller.say("I want to book a repair") == "Which phone number?"
        assert await caller.say("I do not have it here") == "Which phone number?"
        assert await caller.say("it is +1 (202) 555-0142, thanks") == "Which email?"
        assert await caller.say("ada@example.com.") == "Which bikes?"
        assert await caller.say("2 of them") == "What to do with the bike?"
        assert await caller.say("True the front wheel") == "Done. Ticket: 7. A real model would phrase this."
    assert calls == [
        (
            "book_repair",
            {"phone_number": "+12025550142", "email": "ada@example.com", "bikes": 2, "note": "True the front wheel"},
        )
    ]


async def test_it_takes_what_it_can_recognise_from_the_first_words() -> None:
    calls: list[Any] = []
    properties = {"message": {"type": "string"}, "recipients": {"type": "array", "items": {"type": "string"}}}
    async with Caller(tool("send_sms", "Sends a text.", properties, {"status": "sent"}, calls)) as caller:
        await caller.say('text "On my way" to +12025550142 and +12025550143')
    assert calls == [("send_sms", {"message": "On my way", "recipients": ["+12025550142", "+12025550143"]})]


async def test_choices_and_yes_or_no_are_understood() -> None:
    calls: list[Any] = []
    properties = {"size": {"enum": ["small", "large"]}, "express": {"type": "boolean"}, "price": {"type": "number"}}
    async with Caller(tool("order_tube", "Orders a tube.", properties, "ok", calls)) as caller:
        await caller.say("order a large tube")
        await caller.say("yes please")
        assert await caller.say("4.50 at most") == "Done. Ok. A real model would phrase this."
    assert calls == [("order_tube", {"size": "large", "express": True, "price": 4.5})]


async def test_an_error_is_told_as_it_is() -> None:
    link = tool("send_link", "Texts the link.", {}, ToolError("The caller opted out."), [])
    async with Caller(link) as caller:
        assert await caller.say("text me the link") == "That did not work: The caller opted out."


async def test_an_error_inside_the_answer_is_told_too() -> None:
    async with Caller(tool("send_link", "Texts the link.", {}, {"error": "no number"}, [])) as caller:
        assert await caller.say("text me the link") == "That did not work: no number."


async def test_words_that_fit_no_function_get_help_that_says_who_speaks() -> None:
    async with Caller(tool("send_link", "Texts the link.", {}, {}, [])) as caller:
        said = await caller.say("tell me a story")
        assert said == "I am the rehearsal model, not a language model. I can: send link."


async def test_what_was_done_is_done_again_when_the_caller_says_so() -> None:
    calls: list[Any] = []

    async def handler(raw_arguments: dict[str, object]) -> str:
        calls.append(raw_arguments)
        return json.dumps({"status": "sent"})

    parameters = {"type": "object", "properties": {"again": {"type": "boolean"}}, "required": []}
    schema = {"name": "send_booking_link", "description": "Texts the link.", "parameters": parameters}
    plain = tool("opening_hours", "Tells when the workshop is open.", {}, {}, calls)
    async with Caller(function_tool(handler, raw_schema=schema), plain) as caller:
        await caller.say("Text me the booking link, I cannot find it again")
        await caller.say("text me the booking link")
        await caller.say("Text me the booking link AGAIN")
        await caller.say("your opening hours")
        await caller.say("your opening hours again")
    assert calls == [{}, {}, {"again": True}, ("opening_hours", {}), ("opening_hours", {})]


async def test_never_mind_ends_the_asking() -> None:
    calls: list[Any] = []
    ticket = tool("find_ticket", "Finds a ticket.", {"number": {"type": "integer"}}, {}, calls)
    async with Caller(ticket) as caller:
        await caller.say("find my ticket")
        assert (await caller.say("never mind")).startswith("I am the rehearsal model")
    assert calls == []


async def test_a_typed_tool_works_as_well_and_its_optional_parameters_are_not_asked_for() -> None:
    got: list[tuple[str, str | None]] = []

    @function_tool
    async def send_sms(message: str, room_name: str | None = None) -> str:
        """Text the caller."""
        got.append((message, room_name))
        return "The text is on its way."

    async with Caller(send_sms) as caller:
        assert await caller.say('send me a text: "Hello"') == "The text is on its way."
    assert got == [("Hello", None)]


async def test_it_says_the_same_each_time() -> None:
    said: list[str] = []
    for _ in range(2):
        async with Caller(tool("send_link", "Texts the link.", {}, {"status": "sent"}, [])) as caller:
            said.append(await caller.say("the link"))
    assert said[0] == said[1]


def test_it_is_labelled_as_what_it_is_and_stays_small() -> None:
    assert RehearsalLLM().model == "rehearsal"
    assert LABEL == "rehearsal (simulated)"
    assert len(Path(rehearsal.__file__).read_text().splitlines()) <= 200


@pytest.mark.parametrize(
    ("name", "schema", "kind"),
    [
        ("to", {"type": "string", "description": "The recipient's number in E.164"}, "phone"),
        ("address", {"type": "string", "format": "email"}, "email"),
        ("count", {"type": "integer"}, "integer"),
        ("text", {"type": "string"}, "text"),
    ],
)
def test_the_schema_says_what_to_look_for(name: str, schema: dict[str, Any], kind: str) -> None:
    assert _kind(name, schema) == kind


def test_words_are_compared_without_their_endings() -> None:
    assert _words("Texts the links") == _words("text a link")
