from __future__ import annotations

import json
import uuid
from typing import Any

from fixtures.tool_calls import AI_TEXT, compiled, function, sms_form, tool_row
from offhook.core.variables import Provenance, Value
from offhook.tools.functions import BoundFunction, release_functions


def _row(form: dict[str, Any], name: str, index: int, **changes: Any) -> dict[str, Any]:
    return {**tool_row(form, name), "id": uuid.UUID(int=index), **changes}


def test_a_release_holds_json_and_gives_the_function_back() -> None:
    form = sms_form(limits={"timeout_seconds": 5})
    frozen = json.loads(json.dumps(release_functions([_row(form, "Send link", 1)])))
    bound = BoundFunction(frozen[0])
    assert (bound.name, bound.type, bound.tool_id) == ("send_link", "sms", uuid.UUID(int=1))
    assert (bound.policy.timeout_seconds, bound.policy.repeatable, bound.policy.runs_in) == (5, "no", "gateway")
    assert bound.parameters == compiled(form).function_schema["parameters"]


def test_functions_that_collide_are_prefixed_whatever_the_order_of_the_rows() -> None:
    rows = [
        _row(sms_form(function_name="send"), "Shop", 1),
        _row(sms_form(function_name="send"), "Garage", 2),
        _row(sms_form(function_name="text"), "Office", 3),
    ]
    names = [item["name"] for item in release_functions(rows)]
    assert names == ["shop_send", "garage_send", "text"]
    assert [item["name"] for item in release_functions(rows[::-1])] == names


def test_drafts_switched_off_functions_and_unknown_types_are_left_out() -> None:
    rows = [
        _row(sms_form(), "Draft", 1, type=None, function_schema=None),
        _row(sms_form(function_name="send"), "Off", 2, disabled_functions=["send"]),
        _row(sms_form(function_name="fax"), "Fax", 3, type="fax"),
        _row(sms_form(function_name="send"), "On", 4),
    ]
    assert [item["name"] for item in release_functions(rows)] == ["send"]


def test_the_model_reads_descriptions_and_prompts_with_the_values_of_the_conversation() -> None:
    text = {**AI_TEXT, "prompt": "What {{agent_name}} writes to {{caller_phone_number}}"}
    bound = function(sms_form(text=text, description="For {{organization_name}}"))
    shown = bound.shown({"agent_name": Value("Ann", Provenance.ORGANIZATION)})
    assert shown["description"] == "For (not known)"
    assert shown["parameters"]["properties"]["text"]["description"] == "What Ann writes to (not known)"
    assert "{{agent_name}}" in bound.parameters["properties"]["text"]["description"]


def test_a_function_without_variables_is_shown_as_it_is() -> None:
    bound = function(sms_form())
    assert bound.shown({})["parameters"] is bound.parameters


def test_a_function_compiles_once() -> None:
    bound = function(sms_form())
    assert bound.validator is bound.validator
    assert bound.binder is bound.binder


def test_a_release_of_another_version_can_still_be_read() -> None:
    frozen: Any = release_functions([_row(sms_form(), "Send link", 1)])[0]
    frozen["policy"] = {"timeout_seconds": 4.0, "of_the_future": True}
    assert BoundFunction(frozen).policy.timeout_seconds == 4.0
