"""The one road: once, within the deadline, and never a lie about what was done."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Literal

import pytest

from fixtures.tool_calls import AI_RECIPIENTS, AI_TEXT, CALLER, PARTNER, Walk, context, function, sms_form
from offhook.core.clock import SystemClock
from offhook.core.errors import ConfigurationError, Effect, ToolError, Unavailable
from offhook.core.variables import Provenance, Value
from offhook.testing import ManualClock
from offhook.tools.arguments import MAX_ARGUMENTS_BYTES
from offhook.tools.calls import Call, Plan
from offhook.tools.execution import ALREADY_DONE
from offhook.tools.parameters import Form
from offhook.tools.policy import Policy
from offhook.tools.ports import DestinationVerdict, Ports
from offhook.tools.registry import Registry
from offhook.tools.results import Answer
from offhook.tools.tool_type import ToolType


class ToyForm(Form):
    type: Literal["toy"]


Execute = Callable[[Call, Plan, Ports], Awaitable[Answer]]


def toy(execute: Execute, **policy: Any) -> Registry:
    declared = ToolType("toy", "Toy", "Nothing is felt.", ToyForm, Policy(**policy), execute)
    return Registry([declared])


def toy_walk(execute: Execute, clock: Any = None, **policy: Any) -> tuple[Walk, Any]:
    types = toy(execute, **policy)
    walk = Walk(types=types, clock=clock or ManualClock())
    return walk, function({"type": "toy", "limits": {}}, "Toy", types)


async def _fine(call: Call, plan: Plan, ports: Ports) -> Answer:
    return Answer({"ok": True})


async def test_a_text_is_sent_to_the_caller_from_the_number_they_called() -> None:
    walk = Walk()
    result = await walk.call(function(sms_form()))
    assert (result.status, result.effect, result.is_error, result.repeated) == ("done", Effect.DONE, False, False)
    assert walk.sent == [(CALLER, "Book your repair slot here: https://spokeandchain.example/book")]
    assert walk.messenger.requests[0].from_number == "+12025550100"


async def test_a_fixed_value_wins_over_what_the_model_sends_under_its_name() -> None:
    walk = Walk()
    result = await walk.call(function(sms_form()), {"text": "Wire money", "recipients": [PARTNER]})
    assert result.status == "done"
    assert walk.sent[0] == (CALLER, "Book your repair slot here: https://spokeandchain.example/book")


async def test_the_same_id_sent_twice_runs_once_and_answers_the_same() -> None:
    walk, bound, call_id = Walk(), function(sms_form()), uuid.uuid4()
    first = await walk.call(bound, tool_call_id=call_id)
    second = await walk.call(bound, tool_call_id=call_id)
    assert (second.answer, second.status, second.repeated) == (first.answer, "done", False)
    assert len(walk.messenger.requests) == 1


async def test_the_same_id_sent_twice_at_once_runs_once() -> None:
    walk, bound, call_id = Walk(), function(sms_form()), uuid.uuid4()
    results = await asyncio.gather(*(walk.call(bound, tool_call_id=call_id) for _ in range(5)))
    assert len({str(result.answer) for result in results}) == 1
    assert len(walk.messenger.requests) == 1


async def test_two_identical_calls_at_once_send_one_text_and_the_second_says_so() -> None:
    walk, bound = Walk(clock=SystemClock()), function(sms_form(text=AI_TEXT))
    arguments = {"text": "On its way"}
    results = await asyncio.gather(walk.call(bound, arguments), walk.call(bound, arguments))
    assert sorted(result.repeated for result in results) == [False, True]
    assert len(walk.sent) == 1


async def test_a_repeat_in_the_same_turn_gets_the_stored_answer_and_how_to_do_it_again() -> None:
    clock = ManualClock()
    walk, bound = Walk(clock=clock), function(sms_form())
    first = await walk.call(bound, user_turn=3)
    await clock.advance(500)
    second = await walk.call(bound, {"again": True}, user_turn=3)
    assert second.repeated
    assert second.answer == {"already_done": ALREADY_DONE, **first.answer}
    assert len(walk.sent) == 1


@pytest.mark.parametrize(("seconds", "texts"), [(59, 1), (61, 2)])
async def test_a_repeat_in_a_later_turn_counts_as_one_for_sixty_seconds(seconds: float, texts: int) -> None:
    clock = ManualClock()
    walk, bound = Walk(clock=clock), function(sms_form())
    await walk.call(bound, user_turn=1)
    await clock.advance(seconds)
    await walk.call(bound, user_turn=2)
    assert len(walk.sent) == texts


async def test_a_person_who_asks_again_in_a_later_turn_gets_it_again() -> None:
    walk, bound = Walk(), function(sms_form())
    await walk.call(bound, user_turn=1)
    result = await walk.call(bound, {"again": True}, user_turn=2)
    assert not result.repeated
    assert len(walk.sent) == 2


async def test_a_number_written_in_another_way_is_the_same_call() -> None:
    walk, bound = Walk(), function(sms_form(recipients=AI_RECIPIENTS))
    await walk.call(bound, {"recipients": ["+1 (202) 555-0141"]})
    second = await walk.call(bound, {"recipients": "202-555-0141"})
    assert second.repeated
    assert walk.sent[0][0] == PARTNER


async def test_a_call_that_did_nothing_may_be_repeated_at_once() -> None:
    walk, bound = Walk(), function(sms_form())
    walk.messenger.faults[CALLER] = {"status": "failed", "effect": Effect.NONE, "decision": "unreachable"}
    failed = await walk.call(bound)
    walk.messenger.faults.clear()
    second = await walk.call(bound)
    assert (failed.is_error, failed.effect, second.status, second.repeated) == (True, Effect.NONE, "done", False)


async def test_a_call_of_unknown_outcome_is_not_repeated_blindly() -> None:
    walk, bound = Walk(), function(sms_form())
    walk.messenger.faults[CALLER] = Unavailable("the database is away")
    first = await walk.call(bound)
    walk.messenger.faults.clear()
    second = await walk.call(bound)
    assert (first.effect, second.effect, second.repeated) == (Effect.UNKNOWN, Effect.UNKNOWN, True)
    assert walk.messenger.receipts == {}
    assert "not tried again" in str(second.answer["error"])


async def test_a_lookup_always_runs() -> None:
    runs: list[int] = []

    async def execute(call: Call, plan: Plan, ports: Ports) -> Answer:
        runs.append(1)
        return Answer({"run": len(runs)}, Effect.NONE)

    walk, bound = toy_walk(execute, repeatable="yes")
    answers = [(await walk.call(bound)).answer for _ in range(3)]
    assert answers == [{"run": 1}, {"run": 2}, {"run": 3}]
    assert "again" not in bound.parameters["properties"]


async def _killed(walk: Walk, bound: Any, call_id: uuid.UUID) -> None:
    """Begin a call and lose its process before the outcome is written."""
    finish = walk.ledger.finish

    async def dies(*args: Any, **kwargs: Any) -> Any:
        raise Unavailable("the process was killed")

    walk.ledger.finish = dies
    with pytest.raises(Unavailable):
        await walk.call(bound, tool_call_id=call_id)
    walk.ledger.finish = finish


async def test_a_call_cut_off_after_its_effect_is_resumed_with_the_same_operations() -> None:
    walk, bound, call_id = Walk(), function(sms_form()), uuid.uuid4()
    await _killed(walk, bound, call_id)
    result = await walk.call(bound, tool_call_id=call_id, road=walk.another_road())
    assert (result.status, result.repeated) == ("done", False)
    assert len(walk.messenger.receipts) == 1
    assert len(walk.messenger.requests) == 2


async def test_a_resumed_call_that_is_refused_now_claims_neither() -> None:
    walk, bound, call_id = Walk(), function(sms_form()), uuid.uuid4()
    await _killed(walk, bound, call_id)
    walk.consent.refused[CALLER] = DestinationVerdict(False, "opted_out", "They asked for no more texts.")
    result = await walk.call(bound, tool_call_id=call_id)
    assert (result.effect, result.error_code) == (Effect.UNKNOWN, "outcome_unknown")


async def test_a_type_that_cannot_resume_says_that_the_outcome_is_not_known() -> None:
    walk, bound = toy_walk(_fine, clock=SystemClock(), timeout_seconds=0.2, resumable=False)
    call_id = uuid.uuid4()
    await _killed(walk, bound, call_id)
    result = await walk.call(bound, tool_call_id=call_id)
    assert (result.effect, result.is_error) == (Effect.UNKNOWN, True)
    assert "neither" in str(result.answer["error"])


async def test_a_twin_waits_for_the_outcome_of_the_first_in_another_process() -> None:
    release = asyncio.Event()

    async def execute(call: Call, plan: Plan, ports: Ports) -> Answer:
        await release.wait()
        return Answer({"ok": True})

    walk, bound = toy_walk(execute, clock=SystemClock())
    first = asyncio.create_task(walk.call(bound))
    await asyncio.sleep(0)
    second = asyncio.create_task(walk.call(bound, road=walk.another_road()))
    await asyncio.sleep(0)
    release.set()
    assert (await first).repeated is False
    assert (await second).repeated is True


async def test_a_dropped_request_still_writes_its_outcome_down() -> None:
    started, release = asyncio.Event(), asyncio.Event()

    async def execute(call: Call, plan: Plan, ports: Ports) -> Answer:
        started.set()
        await release.wait()
        return Answer({"ok": True})

    walk, bound = toy_walk(execute)
    call_id = uuid.uuid4()
    request = asyncio.create_task(walk.call(bound, tool_call_id=call_id))
    await started.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    release.set()
    await walk.road.drain()
    result = await walk.call(bound, tool_call_id=call_id)
    assert (result.status, result.answer) == ("done", {"ok": True})


@pytest.mark.parametrize(("repeatable", "effect"), [("no", Effect.UNKNOWN), ("yes", Effect.NONE)])
async def test_a_tool_that_hangs_is_answered_for_at_the_deadline(repeatable: str, effect: Effect) -> None:
    async def execute(call: Call, plan: Plan, ports: Ports) -> Answer:
        await asyncio.Event().wait()
        return Answer({})

    walk, bound = toy_walk(execute, clock=SystemClock(), timeout_seconds=0.05, repeatable=repeatable)
    result = await asyncio.wait_for(walk.call(bound), 5)
    assert (result.error_code, result.effect, result.is_error) == ("timeout", effect, True)
    assert ("neither" in str(result.answer["error"])) is (effect is Effect.UNKNOWN)


@pytest.mark.parametrize(
    ("error", "code", "effect"),
    [
        (RuntimeError("card 4242 4242"), "tool_broke", Effect.UNKNOWN),
        (TimeoutError(), "tool_broke", Effect.UNKNOWN),
        (ExceptionGroup("both", [ValueError("x")]), "tool_broke", Effect.UNKNOWN),
        (Unavailable("away"), "unavailable", Effect.UNKNOWN),
        (ConfigurationError("no sender is set"), "configuration", Effect.NONE),
        (ToolError("Ask for the date.", detail="secret", effect=Effect.DONE, code="mine"), "mine", Effect.DONE),
    ],
)
async def test_whatever_a_tool_raises_becomes_a_sentence_with_its_effect(
    error: Exception, code: str, effect: Effect, capsys: pytest.CaptureFixture[str]
) -> None:
    async def execute(call: Call, plan: Plan, ports: Ports) -> Answer:
        raise error

    walk, bound = toy_walk(execute)
    result = await walk.call(bound)
    assert (result.status, result.error_code, result.effect) == ("failed", code, effect)
    said = str(result.answer["error"])
    assert "4242" not in said + capsys.readouterr().out
    assert "secret" not in said


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (ToolError("Ask for the date.", detail="the calendar has no such date"), "the calendar has no such date"),
        (ToolError("Nobody is called Ada.", code="mine"), None),
        (ConfigurationError("no sender is set: give the agent a number"), "no sender is set: give the agent a number"),
        (ToolError("No.", detail="the carrier does not reach +12025550140"), "the carrier does not reach +1202•••0140"),
        (ToolError("No.", detail="x" * 600), "x" * 499 + "…"),
        (KeyError("4242"), "KeyError in the tool type"),
    ],
)
async def test_the_operators_reason_is_kept_without_what_was_said(error: Exception, kept: str | None) -> None:
    async def execute(call: Call, plan: Plan, ports: Ports) -> Answer:
        raise error

    walk, bound = toy_walk(execute)
    await walk.call(bound)
    [entry] = walk.ledger.rows.values()
    assert entry.row.error_detail == kept


async def test_a_plan_that_breaks_has_done_nothing() -> None:
    def plan(call: Call) -> Plan:
        raise KeyError("oops")

    declared = ToolType("toy", "Toy", "Nothing.", ToyForm, Policy(), _fine, plan=plan)
    types = Registry([declared])
    result = await Walk(types=types).call(function({"type": "toy"}, "Toy", types))
    assert (result.error_code, result.effect) == ("tool_broke", Effect.NONE)


@pytest.mark.parametrize(
    "arguments",
    [
        "text=hello",
        ["text"],
        {"text": "x" * MAX_ARGUMENTS_BYTES},
        {"text": "x" * 100_000},
        {"text": "nul \x00"},
        {"text": "half \ud800 pair"},
        {"text": float("nan")},
        {"text": 4},
        {"text": ""},
        {},
        {"text": "ok", "to": "+12025550149"},
        {"text": {"a": object()}},
        {"text": "a {{ b"},
        {"text": "{{no_such_thing}}"},
        {"text": "x" * 1601},
        {"text": "   "},
    ],
)
async def test_arguments_that_cannot_be_used_send_nothing_and_say_why(arguments: object) -> None:
    walk = Walk()
    result = await walk.call(function(sms_form(text=AI_TEXT)), arguments)
    assert (result.is_error, result.effect) == (True, Effect.NONE)
    assert len(str(result.answer["error"])) < 1000
    assert walk.sent == []


async def test_arguments_nested_without_end_send_nothing() -> None:
    deep: Any = {}
    for _ in range(5000):
        deep = {"text": deep}
    walk = Walk()
    result = await walk.call(function(sms_form(text=AI_TEXT)), deep)
    assert (result.is_error, walk.sent) == (True, [])


async def test_what_a_value_contains_is_never_read_as_a_variable() -> None:
    walk = Walk(context=context(values={"agent_name": Value("{{caller_phone_number}}", Provenance.ORGANIZATION)}))
    await walk.call(function(sms_form(text={"mode": "fixed", "value": "Hi {{agent_name}} {x}"})))
    assert walk.sent[0][1] == "Hi {{caller_phone_number}} {x}"


async def test_a_missing_value_is_an_error_that_names_it_and_nothing_is_sent() -> None:
    walk = Walk(context=replace(context(), values={}))
    result = await walk.call(function(sms_form()))
    assert result.error_code == "missing_variable"
    assert "caller_phone_number" in str(result.answer["error"])
    assert walk.sent == []


async def test_a_refused_call_leaves_a_row_and_its_retry_the_same_answer() -> None:
    walk, bound, call_id = Walk(), function(sms_form(text=AI_TEXT)), uuid.uuid4()
    first = await walk.call(bound, {}, tool_call_id=call_id)
    second = await walk.call(bound, {}, tool_call_id=call_id)
    assert first.answer == second.answer
    row = walk.ledger.rows[walk.context.organization_id, call_id].row
    assert (row.status, row.effect) == ("failed", Effect.NONE)
