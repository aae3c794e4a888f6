"""Templates and structures: grammar, rendering, provenance, and what a caller cannot do with braces."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.core.jsonvalue import JSON
from offhook.core.variables import (
    DESTINATION_MINIMUM,
    MalformedTemplate,
    MissingVariable,
    Provenance,
    Structure,
    Template,
    UnusableVariable,
    Value,
)

CALLER = Value("+12025550123", Provenance.SIGNALLING)
ORDER = Value({"total": 12.5, "items": [{"title": "Bell"}]}, Provenance.TOOL_RESULT)
SAID = Value("blue", Provenance.MODEL)
VALUES = {"caller_phone_number": CALLER, "order": ORDER, "colour": SAID, "nothing": Value(None, Provenance.MODEL)}


def rendered(text: str) -> str:
    return Template.parse(text).render(VALUES).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi {{caller_phone_number}}!", "Hi +12025550123!"),
        ("{{  colour  }}{{colour}}", "blueblue"),
        ("{{order.total}}", "12.5"),
        ("{{order.items.0.title}}", "Bell"),
        ("{{order.items}}", '[{"title":"Bell"}]'),
        ('{{nothing | default: "none"}}', "none"),
        ("{{ nothing|default:'a }} b' | upper }}", "A }} B"),
        ("{{colour | upper | json}}", '"BLUE"'),
        ("{{caller_phone_number | urlencode}}", "%2B12025550123"),
        ("/users/{id}/x}} and {single}", "/users/{id}/x}} and {single}"),
        ('{"a":{"b":"{{colour}}"}}', '{"a":{"b":"blue"}}'),
        ('{"a":{{order.total}}}', '{"a":12.5}'),
        ("", ""),
    ],
)
def test_a_template_renders_its_variables(text: str, expected: str) -> None:
    assert rendered(text) == expected


def test_a_date_is_told_in_the_zone_that_the_template_names() -> None:
    values = {"now": Value("2026-11-21T10:15:00+01:00", Provenance.ORGANIZATION)}
    assert Template.parse('{{now | date: "America/New_York"}}').render(values).text == "2026-11-21 04:15"


def test_a_number_is_written_as_e164() -> None:
    values = {"n": Value("+1 (202) 555-0123", Provenance.MODEL)}
    assert Template.parse("{{n | e164}}").render(values).text == "+12025550123"


@pytest.mark.parametrize("filter_", ["e164", 'date: "Europe/Berlin"'])
def test_a_filter_that_cannot_use_the_value_says_why_and_not_the_value(filter_: str) -> None:
    with pytest.raises(UnusableVariable) as caught:
        Template.parse(f"{{{{colour | {filter_}}}}}").render(VALUES)
    assert "colour" in caught.value.message
    assert "blue" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "position", "part"),
    [
        ("Hi {{name", 3, "never closed"),
        ("{{}}", 0, "not a variable"),
        ("{{a b}}", 0, "not a variable"),
        ("{{1a}}", 0, "not a variable"),
        ("{{{a}}}", 0, "not a variable"),
        ("{{a..b}}", 0, "not a variable"),
        ("{{a | shout}}", 0, 'no filter "shout"'),
        ("{{a | default}}", 0, "needs an argument"),
        ('{{a | upper: "x"}}', 0, "takes no argument"),
        ('{{a | date: "Mars/Base"}}', 0, "time zone"),
        ('{{a | date: "../etc/passwd"}}', 0, "time zone"),
        ("{{" + "a" * 200 + "}}", 0, "at most 128"),
    ],
)
def test_malformed_braces_are_refused_with_their_place(text: str, position: int, part: str) -> None:
    with pytest.raises(MalformedTemplate, match=part) as caught:
        Template.parse(text, where="text.value")
    assert caught.value.position == position
    assert caught.value.message.startswith("text.value: ")


@pytest.mark.parametrize("name", ["absent", "nothing", "order.missing", "order.items.7", "colour.x"])
def test_a_variable_without_a_value_is_an_error_that_names_it(name: str) -> None:
    with pytest.raises(MissingVariable) as caught:
        Template.parse(f"{{{{{name}}}}}").render(VALUES)
    assert caught.value.name == name
    assert caught.value.code == "missing_variable"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fixed words", Provenance.ORGANIZATION),
        ("{{caller_phone_number}}", Provenance.SIGNALLING),
        ("call {{caller_phone_number}}", Provenance.ORGANIZATION),
        ("{{order.total}} for {{caller_phone_number}}", Provenance.TOOL_RESULT),
        ("{{order.total}} {{colour}}", Provenance.MODEL),
    ],
)
def test_a_text_is_worth_its_least_trusted_part(text: str, expected: Provenance) -> None:
    assert Template.parse(text).render(VALUES).provenance is expected


def test_what_the_model_wrote_around_a_variable_stays_the_models() -> None:
    text = Template.parse("+1 {{order.total}}").render(VALUES, author=Provenance.MODEL)
    fallback = Template.parse('{{absent | default: "+12025550199"}}').render(VALUES, author=Provenance.MODEL)
    assert text.provenance is Provenance.MODEL
    assert fallback.provenance is Provenance.MODEL


def test_destinations_admit_signalling_and_organization_by_default() -> None:
    admitted = {source for source in Provenance if source >= DESTINATION_MINIMUM}
    assert admitted == {Provenance.SIGNALLING, Provenance.ORGANIZATION}


def test_a_string_that_is_exactly_one_variable_keeps_type_and_provenance() -> None:
    result = Structure.parse("{{order.items}}").render(VALUES)
    assert result == Value([{"title": "Bell"}], Provenance.TOOL_RESULT)


def test_a_structure_renders_in_place_and_is_worth_its_least_trusted_part() -> None:
    body: JSON = {"to": ["{{caller_phone_number}}"], "n": 3, "t": {"total": "{{order.total}}", "c": "is {{colour}}"}}
    result = Structure.parse(body).render(VALUES)
    assert result.value == {"to": ["+12025550123"], "n": 3, "t": {"total": 12.5, "c": "is blue"}}
    assert result.provenance is Provenance.MODEL


def test_a_rendered_structure_shares_nothing_with_its_source() -> None:
    structure = Structure.parse({"list": [1, {"a": "x"}]})
    first = structure.render({}).value
    assert isinstance(first, dict)
    first["list"] = "changed"
    assert structure.render({}).value == {"list": [1, {"a": "x"}]}


def test_names_are_found_once_each_in_order() -> None:
    assert Structure.parse({"a": ["{{b}} {{c.d}}", "{{b}}"], "e": "{{f}}"}).names == ("b", "c.d", "f")


@pytest.mark.parametrize(
    ("value", "path"),
    [({"a": [{"b": "{{x"}]}, "a[0].b"), ({"{{x}}": 1}, "{{x}}")],
)
def test_a_malformed_structure_names_the_path(value: JSON, path: str) -> None:
    with pytest.raises(MalformedTemplate) as caught:
        Structure.parse(value)
    assert caught.value.where == path


def test_a_structure_nested_5000_deep_is_refused_and_does_not_crash() -> None:
    deep: JSON = "x"
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(MalformedTemplate, match="too deeply"):
        Structure.parse(deep)


def test_a_hostile_text_is_parsed_in_linear_time() -> None:
    for text in ("{{a" + " " * 100_000, '{{a | default: "' + "x" * 100_000, "{{a" + "|json" * 20_000, "{{" * 50_000):
        started = time.perf_counter()
        with pytest.raises(MalformedTemplate):
            Template.parse(text)
        assert time.perf_counter() - started < 20.0


@given(said=st.text())
def test_braces_in_a_value_are_never_rendered_again(said: str) -> None:
    values = {"said": Value("{{secret}}" + said, Provenance.MODEL), "secret": Value("hunter2", Provenance.ORGANIZATION)}
    assert Template.parse("You said: {{said}}.").render(values).text == "You said: {{secret}}" + said + "."
    assert Structure.parse({"x": "{{said}}"}).render(values).value == {"x": "{{secret}}" + said}


@given(text=st.text(alphabet="{}ab. |:\"'"))
def test_any_text_parses_or_is_refused_as_malformed(text: str) -> None:
    try:
        template = Template.parse(text)
    except MalformedTemplate as error:
        refused_at = error.position
    else:
        values = {name: Value("v", Provenance.MODEL) for name in template.names}
        assert "{{" in text or template.render(values).text == text
        return
    assert text.startswith("{{", refused_at)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet="ab{} "),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet="ab"), inner, max_size=3),
    max_leaves=12,
)


@given(value=JSON_VALUES.filter(lambda value: "{{" not in repr(value)))
def test_a_structure_without_variables_renders_to_itself(value: JSON) -> None:
    assert Structure.parse(value).render({}) == Value(value, Provenance.ORGANIZATION)


def best_of(repeats: int, measured: Callable[[], object]) -> float:
    def once() -> float:
        started = time.perf_counter()
        for _ in range(1000):
            measured()
        return (time.perf_counter() - started) / 1000

    return min(once() for _ in range(repeats))


def test_rendering_a_text_costs_microseconds() -> None:
    template = Template.parse("Your appointment is on {{colour}}, call {{caller_phone_number}}")
    assert best_of(5, lambda: template.render(VALUES)) < 20e-6
