from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fixtures.tool_calls import AI_TEXT, CALLER, PARTNER, Walk, context, function, sms_form
from offhook.core.errors import ToolError
from offhook.core.variables import Provenance, Value
from offhook.tools.binding import Binder

VALUES = {
    "caller": Value(CALLER, Provenance.SIGNALLING),
    "slots": Value(["ten", "noon"], Provenance.TOOL_RESULT),
    "team": Value([CALLER, PARTNER], Provenance.ORGANIZATION),
}


def _slot(**changes: Any) -> dict[str, Any]:
    return {"argument": "text", "field": "text", "place": "whole", **changes}


def test_a_fixed_list_keeps_the_provenance_of_each_entry() -> None:
    binder = Binder({"to": [PARTNER, "{{caller}}"], "$minimum": {"to": "organization"}})
    entries = binder.bind({}, VALUES)["to"].entries
    assert [(entry.value, entry.provenance) for entry in entries] == [
        (PARTNER, Provenance.ORGANIZATION),
        (CALLER, Provenance.SIGNALLING),
    ]
    assert {entry.minimum for entry in entries} == {Provenance.ORGANIZATION}


def test_a_value_that_is_one_variable_keeps_its_type() -> None:
    bound = Binder({"to": "{{team}}"}).bind({}, VALUES)["to"]
    assert bound.value == [CALLER, PARTNER]
    assert len(bound.entries) == 2


def test_a_variable_that_the_model_picks_is_worth_what_the_variable_is_worth() -> None:
    bound = Binder({"$arguments": [_slot()]}).bind({"text": "{{caller}}"}, VALUES)["text"]
    assert bound.entries[0].provenance is Provenance.SIGNALLING
    mixed = Binder({"$arguments": [_slot()]}).bind({"text": "call {{caller}}"}, VALUES)["text"]
    assert (mixed.value, mixed.entries[0].provenance) == (f"call {CALLER}", Provenance.MODEL)


def test_entries_of_the_model_go_to_their_places() -> None:
    static = {
        "to": ["a", None, "c"],
        "$arguments": [
            _slot(argument="to_2", field="to", place=1),
            _slot(argument="to", field="to", place="extends"),
        ],
    }
    bound = Binder(static).bind({"to_2": "b", "to": ["d", "e"]}, VALUES)["to"]
    assert bound.value == ["a", "b", "c", "d", "e"]
    assert Binder(static).bind({"to_2": "b"}, VALUES)["to"].value == ["a", "b", "c"]


def test_an_allowed_value_is_worth_what_the_list_is_worth() -> None:
    binder = Binder({"$arguments": [_slot(allowed_values="slots")]})
    assert binder.bind({"text": "noon"}, VALUES)["text"].entries[0].provenance is Provenance.TOOL_RESULT


@pytest.mark.parametrize(
    ("values", "code", "says"),
    [(VALUES, "not_an_allowed_value", "ten, noon"), ({}, "allowed_values_unknown", "find them out")],
)
def test_anything_but_an_allowed_value_is_refused(values: dict[str, Value], code: str, says: str) -> None:
    binder = Binder({"$arguments": [_slot(allowed_values="slots")]})
    with pytest.raises(ToolError, match=says) as caught:
        binder.bind({"text": "midnight"}, values)
    assert caught.value.code == code


async def test_a_field_that_demands_more_than_the_model_refuses_its_own_words() -> None:
    strict = {**AI_TEXT, "minimum_provenance": "organization"}
    walk, bound = Walk(), function(sms_form(text=strict))
    refused = await walk.call(bound, {"text": "my own words"})
    picked = await walk.call(bound, {"text": "{{agent_name}}"})
    assert (refused.error_code, picked.status) == ("provenance_too_low", "done")
    assert [body for _, body in walk.sent] == ["Front desk"]


async def test_a_variable_of_the_models_is_no_recipient_of_the_organizations() -> None:
    forged = {"caller_phone_number": Value(PARTNER, Provenance.MODEL)}
    walk = Walk(context=replace(context(), values=forged))
    result = await walk.call(function(sms_form()))
    assert (result.error_code, walk.sent) == ("provenance_too_low", [])
