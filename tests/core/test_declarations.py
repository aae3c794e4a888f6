"""Which variables exist, and the nearest known name for one that does not."""

from __future__ import annotations

from offhook.core.declarations import ALWAYS_THERE, Declaration, Declarations, UndeclaredVariable
from offhook.core.variables import MalformedTemplate, Provenance

ORDER = Declaration("order", "The order that was looked up", "…", Provenance.TOOL_RESULT)


def test_the_always_there_variables_have_meaning_and_example() -> None:
    assert {item.name for item in ALWAYS_THERE} == {
        "caller_phone_number",
        "called_phone_number",
        "call_id",
        "agent_name",
        "organization_name",
        "now",
    }
    assert all(item.meaning and item.example for item in ALWAYS_THERE)


def test_an_undeclared_name_is_refused_with_the_nearest_known_name_and_its_place() -> None:
    (problem,) = Declarations().problems({"text": "Hi {{caller_phone_nubmer}}"}, where="static_config")
    assert isinstance(problem, UndeclaredVariable)
    assert problem.nearest == "caller_phone_number"
    assert problem.where == "static_config"
    expected = "static_config: There is no variable {{caller_phone_nubmer}}. Did you mean {{caller_phone_number}}?"
    assert problem.message == expected


def test_a_name_like_nothing_known_gets_no_hint() -> None:
    (problem,) = Declarations().problems("{{zzzzzz}}")
    assert isinstance(problem, UndeclaredVariable)
    assert problem.nearest is None


def test_declaring_a_whole_declares_its_parts() -> None:
    known = Declarations([ORDER])
    assert known.problems("{{order.items.0.title}} {{now}}") == []
    assert "order.total" in known
    assert "ordering" not in known


def test_all_undeclared_names_are_reported() -> None:
    assert len(Declarations().problems("{{aaaa}} {{bbbb}}")) == 2


def test_a_malformed_template_is_a_problem_too() -> None:
    (problem,) = Declarations().problems({"a": "{{x"}, where="text")
    assert isinstance(problem, MalformedTemplate)
    assert problem.where == "text.a"


def test_nobody_can_redeclare_a_signalling_variable() -> None:
    known = Declarations([Declaration("caller_phone_number", "mine", "x", Provenance.SIGNALLING)])
    found = known.find("caller_phone_number")
    assert found is not None
    assert found.meaning == ALWAYS_THERE[0].meaning


def test_examples_serve_a_preview() -> None:
    assert Declarations().examples()["caller_phone_number"] == "+12025550123"
