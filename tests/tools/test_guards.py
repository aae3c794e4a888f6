from __future__ import annotations

import asyncio
from typing import Any

from fixtures.tool_calls import AI_RECIPIENTS, AI_TEXT, CALLER, PARTNER, Walk, context, function, sms_form
from offhook.core.errors import Effect
from offhook.tools.ports import DestinationVerdict

OTHER = "+12025550142"
OPTED_OUT = DestinationVerdict(False, "opted_out", "They asked for no more texts.")


def _to_whom(**changes: Any) -> Any:
    return function(sms_form(recipients=AI_RECIPIENTS, **changes))


async def test_a_refused_destination_sends_nothing_and_says_why() -> None:
    walk = Walk()
    walk.consent.refused[CALLER] = OPTED_OUT
    result = await walk.call(function(sms_form()))
    assert (result.error_code, result.effect, walk.sent) == ("opted_out", Effect.NONE, [])
    assert "no more texts" in str(result.answer["error"])


async def test_the_others_are_reached_when_one_destination_is_refused() -> None:
    walk = Walk()
    walk.consent.refused[PARTNER] = OPTED_OUT
    result = await walk.call(function(sms_form(recipients={"mode": "fixed", "value": [CALLER, PARTNER]})))
    assert [number for number, _ in walk.sent] == [CALLER]
    assert result.status == "done"
    rows: Any = result.answer["sent_to"]
    assert [row["status"] for row in rows] == ["sent", "refused"]


async def test_one_number_that_only_the_model_vouches_for_is_reached_per_conversation() -> None:
    walk, bound = Walk(), _to_whom(text=AI_TEXT)
    await walk.call(bound, {"recipients": [PARTNER], "text": "one"})
    again = await walk.call(bound, {"recipients": [PARTNER], "text": "two"})
    other = await walk.call(bound, {"recipients": [OTHER], "text": "three"})
    caller = await walk.call(bound, {"recipients": ["{{caller_phone_number}}"], "text": "four"})
    written = await walk.call(bound, {"recipients": ["202-555-0140"], "text": "five"})
    assert (again.status, caller.status, written.status) == ("done", "done", "done")
    assert (other.error_code, other.effect) == ("model_given_recipients_limit", Effect.NONE)
    assert [number for number, _ in walk.sent] == [PARTNER, PARTNER, CALLER, CALLER]


async def test_the_cap_holds_over_all_tools_of_a_conversation_and_at_once() -> None:
    walk = Walk()
    first, second = _to_whom(), function(sms_form(recipients=AI_RECIPIENTS), "Another")
    results = await asyncio.gather(
        walk.call(first, {"recipients": [PARTNER]}), walk.call(second, {"recipients": [OTHER]})
    )
    assert sorted(result.status for result in results) == ["done", "failed"]
    assert len(walk.sent) == 1
    elsewhere = await walk.call(first, {"recipients": [OTHER]}, context=context())
    assert elsewhere.status == "done"


async def test_two_numbers_of_the_models_in_one_call_pass_the_cap() -> None:
    walk = Walk()
    refused = await walk.call(_to_whom(), {"recipients": [PARTNER, OTHER]})
    assert (refused.error_code, walk.sent) == ("model_given_recipients_limit", [])
    wider = _to_whom(limits={"max_model_given_recipients": 2})
    assert (await walk.call(wider, {"recipients": [PARTNER, OTHER]})).status == "done"


async def test_a_number_that_was_not_reached_leaves_room_for_the_right_one() -> None:
    walk, bound = Walk(), _to_whom()
    walk.messenger.faults[OTHER] = {"status": "failed", "effect": Effect.NONE}
    assert (await walk.call(bound, {"recipients": [OTHER]})).is_error
    assert (await walk.call(bound, {"recipients": [PARTNER]})).status == "done"


async def test_a_function_is_used_only_so_often() -> None:
    walk, bound = Walk(), function(sms_form(text=AI_TEXT, limits={"max_calls_per_conversation": 2}))
    results = [await walk.call(bound, {"text": f"text {index}"}) for index in range(3)]
    repeat = await walk.call(bound, {"text": "text 0"})
    assert [result.status for result in results] == ["done", "done", "failed"]
    assert results[2].error_code == "calls_limit"
    assert repeat.repeated
    assert len(walk.sent) == 2


async def test_a_repeated_call_uses_nothing_up() -> None:
    walk, bound = Walk(), function(sms_form(text=AI_TEXT, limits={"max_calls_per_conversation": 2}))
    for _ in range(5):
        await walk.call(bound, {"text": "the same"})
    assert (await walk.call(bound, {"text": "another"})).status == "done"


async def test_what_the_guards_count_holds_no_number_in_the_clear() -> None:
    walk = Walk()
    await walk.call(_to_whom(), {"recipients": [PARTNER]})
    assert walk.tallies.sets
    assert not [item for items in walk.tallies.sets.values() for item in items if PARTNER.encode() in item]
