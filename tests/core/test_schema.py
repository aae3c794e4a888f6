"""Parameters: what may be saved, what is coerced, and what the model reads when it got something wrong."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.core.jsonvalue import JSON, UncleanJson, clean_json, normalise
from offhook.core.schema import InvalidSchema, check_schema, compile_schema

BOOKING: dict[str, Any] = {
    "type": "object",
    "properties": {
        "party": {"type": "integer", "minimum": 1},
        "price": {"type": "number"},
        "outside": {"type": "boolean"},
        "names": {"type": "array", "items": {"type": "string"}},
        "note": {"type": "string", "maxLength": 20},
        "table": {"type": ["integer", "null"]},
        "language": {"type": "string", "enum": ["en", "de"], "default": "en"},
        "address": {"$ref": "#/$defs/address"},
        "when": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    },
    "required": ["party"],
    "additionalProperties": False,
    "$defs": {"address": {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}},
}


def with_property(**schema: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"x": schema}}


def messages(schema: object) -> str:
    return " / ".join(f"{problem.path}: {problem.message}" for problem in check_schema(schema))


# --- what may be saved ------------------------------------------------------------------------------------


def test_a_plain_schema_may_be_saved() -> None:
    assert check_schema(BOOKING) == []
    assert check_schema({"type": "object", "properties": {}}) == []


@pytest.mark.parametrize(
    ("schema", "part"),
    [
        ([], "JSON object"),
        ("{}", "JSON object"),
        ({"type": "array", "items": {"type": "string"}}, "at the root"),
        ({"type": "object", "properties": {"x": {"type": "strng"}}}, "properties.x.type"),
        ({"type": "object", "required": "x"}, "required"),
        ({"type": "object", "required": ["x"]}, '"x" is required'),
        (with_property(oneOf=[{"type": "string"}]), "use anyOf"),
        (with_property(type="string", nullable=True), "null"),
        (with_property(description="anything"), "no type"),
        (with_property(type="array"), "items"),
        (with_property(type="string", pattern="(?=a)b"), "linear time"),
        (with_property(type="string", pattern="a{1000}{1000}{1000}"), "linear time"),
        (with_property(type="string", pattern="(a"), "properties.x.pattern"),
        (with_property(type="string", pattern="a" * 60_000), "500 characters"),
        (with_property(type="integer", default="many"), "default"),
        ({"$ref": "http://127.0.0.1:9/x", "type": "object"}, "#/$defs/name"),
        (with_property(**{"$ref": "#/properties/x"}), "#/$defs/name"),
        (with_property(**{"$ref": "#/$defs/missing"}), "#/$defs/name"),
        ({"type": "object", "properties": {"two words": {"type": "string"}}}, "letters, digits"),
        ({"type": "object", "properties": {"": {"type": "string"}}}, "letters, digits"),
        ({"type": "object", "properties": {"x": True}}, "write an object"),
        (with_property(type="string", description="a\0b"), "NUL"),
        (with_property(type="string", description="\ud800"), "surrogate"),
        (with_property(type="number", minimum=float("nan")), "number that JSON has not"),
        (with_property(type="string", description="x" * 70_000), "64 KB"),
        (with_property(type="string", description="x" * 7_000_000), "larger"),
        (with_property(type="integer", minimum=10**5000), "300 digits"),
        ({"type": "object", "properties": {1: {"type": "string"}}}, "not a string"),
        ({"type": "object", "x-when": object()}, "type object"),
        ({"type": "object", "$schema": "http://evil.example/schema"}, "2020-12"),
    ],
)
def test_what_a_model_cannot_use_is_refused_with_its_place(schema: object, part: str) -> None:
    assert part in messages(schema)


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"x": schema}}
    return schema


def test_schemas_nest_ten_levels_and_no_more() -> None:
    assert check_schema(nested(10)) == []
    assert "levels deep" in messages(nested(11))


def test_references_count_as_levels() -> None:
    definitions = {f"d{n}": with_property(**{"$ref": f"#/$defs/d{n + 1}"}) for n in range(12)}
    schema = {**with_property(**{"$ref": "#/$defs/d0"}), "$defs": {**definitions, "d12": {"type": "string"}}}
    assert "levels deep" in messages(schema)


def test_definitions_that_double_at_each_step_are_checked_in_no_time() -> None:
    definitions: dict[str, Any] = {
        f"d{n}": {"type": "object", "properties": {k: {"$ref": f"#/$defs/d{n + 1}"} for k in "abcdefgh"}}
        for n in range(8)
    }
    schema = {**with_property(**{"$ref": "#/$defs/d0"}), "$defs": {**definitions, "d8": {"type": "string"}}}
    started = time.perf_counter()
    check_schema(schema)
    assert time.perf_counter() - started < 20.0


def test_a_definition_that_contains_itself_is_refused() -> None:
    tree = {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}}
    schema = {**with_property(**{"$ref": "#/$defs/tree"}), "$defs": {"tree": tree}}
    assert "recursion" in messages(schema)


def test_5000_levels_give_a_problem_and_no_crash() -> None:
    assert "deeply" in messages(nested(5000))
    with pytest.raises(InvalidSchema):
        compile_schema(nested(5000))


def test_remote_references_are_never_fetched() -> None:
    with pytest.raises(InvalidSchema):
        compile_schema({"type": "object", "properties": {"x": {"$ref": "http://127.0.0.1:9/schema"}}})


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "properties", "items", "anyOf", "$ref", "$defs", "required", "pattern", "x"]),
            inner | st.sampled_from(["object", "string", "#/$defs/x"]),
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(schema=ANY_JSON)
def test_whatever_is_given_as_a_schema_gives_problems_or_compiles(schema: Any) -> None:
    problems = check_schema(schema)
    assert problems or compile_schema(schema).coerce_and_validate({}) is not None


# --- coercion ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ({"party": "4"}, {"party": 4}),
        ({"party": " 4 "}, {"party": 4}),
        ({"party": 4.0}, {"party": 4}),
        ({"party": 4, "price": "12.50"}, {"party": 4, "price": 12.5}),
        ({"party": 4, "price": "007"}, {"party": 4, "price": 7}),
        ({"party": 4, "outside": "True"}, {"party": 4, "outside": True}),
        ({"party": 4, "names": "Ada"}, {"party": 4, "names": ["Ada"]}),
        ({"party": 4, "note": None}, {"party": 4}),
        ({"party": 4, "table": None}, {"party": 4, "table": None}),
        ({"party": 4, "table": "7"}, {"party": 4, "table": 7}),
        ({"party": 4, "when": "7"}, {"party": 4, "when": 7}),
        ({"party": 4, "when": None}, {"party": 4, "when": None}),
        ({"party": 4, "language": None}, {"party": 4}),
        ({"party": 4, "address": {"number": "5"}}, {"party": 4, "address": {"number": 5}}),
    ],
)
def test_harmless_mistakes_are_repaired(given_: dict[str, Any], expected: dict[str, Any]) -> None:
    before = repr(given_)
    value, problems = compile_schema(BOOKING).coerce_and_validate(given_)
    assert problems == []
    assert value == {"language": "en", **expected}
    assert type(value["party"]) is int
    assert repr(given_) == before


@pytest.mark.parametrize(
    ("given_", "sentence"),
    [
        ({"party": "four"}, 'party: "four" is not of type "integer"'),
        ({"party": True}, 'party: true is not of type "integer"'),
        ({"party": 4.5}, 'party: 4.5 is not of type "integer"'),
        ({"party": "1e3"}, 'party: "1e3" is not of type "integer"'),
        ({"party": 4, "note": 7}, 'note: 7 is not of type "string"'),
        ({"party": None}, 'party: null is not of type "integer"'),
        ({}, '"party" is a required property'),
        ({"party": 4, "address": {}}, 'address: "number" is a required property'),
        ({"party": 4, "names": ["a", 3]}, 'names.1: 3 is not of type "string"'),
        ({"party": 4, "extra": 1}, "Additional properties are not allowed ('extra' was unexpected)"),
        ({"party": 4, "language": "fr"}, 'language: "fr" is not one of "en" or "de"'),
        ({"party": 4, "price": float("nan")}, "price"),
        ([], "The arguments must be one JSON object."),
        ("x", "The arguments must be one JSON object."),
    ],
)
def test_the_model_gets_a_sentence_that_it_can_act_on(given_: object, sentence: str) -> None:
    _, problems = compile_schema(BOOKING).coerce_and_validate(given_)
    assert len(problems) == 1
    assert sentence in problems[0]
    assert problems[0].encode()


def test_nothing_given_counts_as_no_arguments() -> None:
    assert compile_schema({"type": "object"}).coerce_and_validate(None) == ({}, [])


def test_a_long_value_is_not_echoed() -> None:
    secret = "4111111111111111 " * 50
    _, problems = compile_schema(BOOKING).coerce_and_validate({"party": 4, "note": secret})
    assert len(problems[0]) < 130
    assert problems[0].endswith("… is longer than 20 characters")


def test_hundreds_of_mistakes_give_a_handful_of_sentences() -> None:
    _, problems = compile_schema(BOOKING).coerce_and_validate({"party": 1, "names": list(range(500))})
    assert len(problems) == 8


def test_defaults_are_not_shared_between_calls() -> None:
    compiled = compile_schema(with_property(type="array", items={"type": "string"}, default=["a"]))
    first, _ = compiled.coerce_and_validate({})
    assert isinstance(first["x"], list)
    first["x"].append("b")
    assert compiled.coerce_and_validate({})[0] == {"x": ["a"]}


def test_a_recursive_schema_from_outside_still_validates() -> None:
    tree = {"type": "object", "properties": {"n": {"type": "integer"}, "next": {"$ref": "#/$defs/tree"}}}
    compiled = compile_schema({**tree, "$defs": {"tree": tree}})
    value, problems = compiled.coerce_and_validate({"n": "1", "next": {"n": "2"}})
    assert (value, problems) == ({"n": 1, "next": {"n": 2}}, [])


def test_a_hostile_pattern_does_not_stall() -> None:
    compiled = compile_schema(with_property(type="string", pattern="^(a+)+$"))
    started = time.perf_counter()
    _, problems = compiled.coerce_and_validate({"x": "a" * 50_000 + "!"})
    assert problems
    assert time.perf_counter() - started < 20.0


@given(arguments=st.dictionaries(st.sampled_from(list(BOOKING["properties"])), ANY_JSON))
def test_what_passes_is_valid_and_coercing_it_again_changes_nothing(arguments: Any) -> None:
    compiled = compile_schema(BOOKING)
    value, problems = compiled.coerce_and_validate(arguments)
    if not problems:
        assert compiled.coerce_and_validate(value) == (value, [])
    assert all(len(problem) <= 300 for problem in problems)


# --- cleaning and hashing ---------------------------------------------------------------------------------


def test_clean_json_gives_what_jsonb_accepts() -> None:
    dirty = {"a\0": "x\0y", "b": "\ud83d\ude00\ud800!", "c": (1, float("inf")), "d": True}
    assert clean_json(dirty) == {"a": "xy", "b": "😀\ufffd!", "c": [1, None], "d": True}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b"x", "json_unsupported"),
        ({1: 2}, "json_unsupported"),
        (10**400, "json_number_too_large"),
        ("x" * 300_000, "json_too_large"),
        (["é" * 1000] * 200, "json_too_large"),
    ],
)
def test_clean_json_refuses_with_a_code(value: object, code: str) -> None:
    with pytest.raises(UncleanJson) as caught:
        clean_json(value)
    assert caught.value.code == code


def test_clean_json_refuses_depth_without_crashing() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(UncleanJson, match="deeply"):
        clean_json(deep)


@given(value=ANY_JSON | st.text(st.characters(exclude_categories=())))
def test_whatever_is_cleaned_can_be_hashed(value: Any) -> None:
    cleaned = clean_json(value)
    assert normalise(cleaned) == normalise(clean_json(cleaned))


def test_equal_arguments_give_equal_bytes() -> None:
    first: JSON = {"a": 4.0, "b": ["é", {"d": 1, "c": None}]}
    second: JSON = {"b": ["é", {"c": None, "d": 1.0}], "a": 4}
    assert normalise(first) == normalise(second) == '{"a":4,"b":["é",{"c":null,"d":1}]}'.encode()
