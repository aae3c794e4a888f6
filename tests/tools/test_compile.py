"""Compile is pure, deterministic and can be undone; what the model may not see is not in what it sees."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.tool_calls import AI_RECIPIENTS, AI_TEXT, compiled, sms_form
from offhook.core.errors import InvalidInput
from offhook.core.schema import check_schema
from offhook.tools.compile import restore
from offhook.tools.policy import Policy
from offhook.tools.registry import registry

_TEXT = st.text(st.characters(exclude_characters="{}\x00", exclude_categories=["Cs"]), min_size=1, max_size=60)
_TEMPLATE = st.one_of(_TEXT, st.builds("{} {{{{agent_name}}}} {}".format, _TEXT, _TEXT))
_NUMBER = st.sampled_from(["+12025550140", "+1 202 555 0141", "{{caller_phone_number}}"])


def _ai(kind: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"mode": st.just("ai"), "prompt": _TEMPLATE},
        optional={
            "schema": st.just(kind),
            "allowed_values_variable": st.just("agent_name"),
            "minimum_provenance": st.sampled_from(["model", "organization"]),
        },
    )


_FIXED_NUMBER = st.fixed_dictionaries({"mode": st.just("fixed"), "value": _NUMBER})
_ENTRY = st.one_of(_NUMBER, _FIXED_NUMBER, _ai({"type": "string"}))
_STRINGS = {"type": "array", "items": {"type": "string"}}
_FORM = st.fixed_dictionaries(
    {
        "type": st.just("sms"),
        "from": st.one_of(
            st.just({"type": "called_number"}),
            st.uuids().map(lambda it: {"type": "specific_number", "phone_number_id": str(it)}),
        ),
        "text": st.one_of(
            st.fixed_dictionaries({"mode": st.just("fixed"), "value": _TEMPLATE}), _ai({"type": "string"})
        ),
        "recipients": st.one_of(
            st.fixed_dictionaries({"mode": st.just("fixed"), "value": st.lists(_NUMBER, min_size=1, max_size=4)}),
            _ai(_STRINGS),
            st.fixed_dictionaries(
                {
                    "mode": st.just("array_extendable"),
                    "values": st.lists(_ENTRY, max_size=4),
                    "ai_can_add": st.just(True),
                    "prompt": _TEMPLATE,
                },
                optional={"must_add": st.booleans(), "schema": st.just(_STRINGS)},
            ),
        ),
    },
    optional={
        "label": _TEXT,
        "description": _TEMPLATE,
        "function_name": st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,63}", fullmatch=True),
        "limits": st.fixed_dictionaries({}, optional={"timeout_seconds": st.integers(1, 60)}),
    },
)


@given(_FORM, _TEXT)
def test_a_form_is_compiled_to_what_can_be_compiled_again(form: dict[str, Any], name: str) -> None:
    first = compiled(form, name)
    assert first == compiled(json.loads(json.dumps(form)), name)
    assert first.config_metadata == form
    sms = registry().get("sms")
    assert sms.compile(restore(sms.config, first.config_metadata), name, sms.policy) == first
    assert check_schema(first.function_schema["parameters"]) == []


def _parameters(form: dict[str, Any]) -> Any:
    return compiled(form).function_schema["parameters"]


def test_the_form_of_the_product_page_compiles_to_what_it_says() -> None:
    form = {
        "type": "sms",
        "label": "Send confirmation",
        "description": "Confirms the appointment.",
        "from": {"type": "called_number"},
        "text": {"mode": "fixed", "value": "See you at {{agent_name}}"},
        "recipients": {
            "mode": "ai",
            "prompt": "The numbers to text",
            "schema": {"type": "array", "items": {"type": "string"}},
        },
    }
    result = compiled(form, "Send confirmation")
    assert result.function_schema["name"] == "send_confirmation"
    assert result.function_schema["description"] == "Confirms the appointment."
    parameters: Any = result.function_schema["parameters"]
    assert set(parameters["properties"]) == {"recipients", "again"}
    assert parameters["required"] == ["recipients"]
    assert parameters["properties"]["recipients"] == {
        "type": "array",
        "items": {"type": "string"},
        "minItems": 1,
        "maxItems": 10,
        "description": "The numbers to text",
    }
    assert result.static_config["text"] == "See you at {{agent_name}}"
    assert result.static_config["from"] == {"type": "called_number"}
    assert result.config_metadata == form


def test_the_function_name_can_be_chosen() -> None:
    assert compiled(sms_form(function_name="textBack")).function_schema["name"] == "textBack"


def test_bounds_that_the_operator_writes_narrow_the_fields_own() -> None:
    text = {**AI_TEXT, "schema": {"type": "string", "maxLength": 20, "pattern": "^[a-z ]+$"}}
    assert _parameters(sms_form(text=text))["properties"]["text"]["maxLength"] == 20
    wide = {**AI_TEXT, "schema": {"type": "string", "maxLength": 99999}}
    assert _parameters(sms_form(text=wide))["properties"]["text"]["maxLength"] == 1600


def test_a_list_that_the_model_must_add_to_requires_its_argument() -> None:
    values = {"mode": "array_extendable", "values": ["+12025550140"], "ai_can_add": True, "prompt": "More"}
    assert _parameters(sms_form(recipients=values))["required"] == []
    assert _parameters(sms_form(recipients={**values, "must_add": True}))["required"] == ["recipients"]
    assert _parameters(sms_form(recipients={**values, "values": []}))["required"] == ["recipients"]


def _lists_in_lists(levels: int) -> dict[str, Any]:
    return {"type": "array", "items": _lists_in_lists(levels - 1)} if levels else {"type": "string"}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"text": {**AI_TEXT, "schema": {"type": "integer"}}}, "text.schema.type"),
        ({"text": {**AI_TEXT, "schema": {"type": "string", "pattern": "(a+)+(?=b)"}}}, "text.schema.pattern"),
        ({"text": {**AI_TEXT, "schema": {"type": "string", "$ref": "https://evil.example/x"}}}, "text.schema.$ref"),
        ({"text": {**AI_TEXT, "schema": {"type": "string", "oneOf": []}}}, "text.schema.oneOf"),
        ({"text": {**AI_TEXT, "schema": {"type": "string", "maxLength": "9"}}}, "text.schema.maxLength"),
        ({"recipients": {**AI_RECIPIENTS, "schema": _lists_in_lists(60)}}, ""),
        ({"recipients": {**AI_RECIPIENTS, "schema": {"type": "array", "items": {"type": "object"}}}},
         "recipients.schema.items.type"),
        ({"recipients": {**AI_RECIPIENTS, "schema": {"type": "array", "items": True}}}, "recipients.schema.items"),
        ({"text": {"mode": "fixed", "value": 4}}, "text.value"),
        ({"text": {"mode": "fixed", "value": ""}}, "text.value"),
        ({"text": {"mode": "fixed", "value": "x" * 1601}}, "text.value"),
        ({"text": {"mode": "fixed", "value": "a {{ b"}}, "text.value"),
        ({"recipients": {"mode": "fixed", "value": [4]}}, "recipients.value"),
        ({"recipients": {"mode": "array_extendable", "values": []}}, "recipients.values"),
        ({"recipients": {"mode": "array_extendable", "values": ["+12025550140"], "must_add": True}},
         "recipients.must_add"),
        ({"recipients": {"mode": "array_extendable", "values": ["+12025550140"], "ai_can_add": True}},
         "recipients.prompt"),
        ({"recipients": {"mode": "array_extendable", "values": [{"a": 1}]}}, "recipients.values.0"),
    ],
)  # fmt: skip
def test_what_cannot_be_compiled_names_its_field(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        compiled(sms_form(**changes))
    assert caught.value.fields[0].path == path


def test_a_lookup_is_not_asked_whether_to_run_again() -> None:
    sms = registry().get("sms")
    form = restore(sms.config, sms_form())
    assert "again" not in json.dumps(sms.compile(form, "x", Policy(repeatable="yes")).function_schema)
