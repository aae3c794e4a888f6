"""Every registered tool type keeps the contract; a new one is a module and its samples here."""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import ValidationError

from fixtures.tool_calls import AI_RECIPIENTS, AI_TEXT, Walk, function, sms_form
from offhook.core.errors import NotFound
from offhook.tools.registry import Registry, registry
from tools import type_contract as contract
from tools.type_contract import Sample

SAMPLES: dict[str, list[Sample]] = {
    "sms": [
        Sample(sms_form()),
        Sample(sms_form(text=AI_TEXT), {"text": "Your slot is at ten."}),
        Sample(sms_form(recipients=AI_RECIPIENTS), {"recipients": ["+12025550141"]}),
        Sample(
            sms_form(
                recipients={
                    "mode": "array_extendable",
                    "values": [
                        "+12025550142",
                        {"mode": "fixed", "value": "{{caller_phone_number}}"},
                        {"mode": "ai", "prompt": "The partner's number"},
                    ],
                    "ai_can_add": True,
                    "prompt": "More people",
                }
            ),
            {"recipients_3": "{{called_phone_number}}"},
        ),
    ]
}

CASES = [(name, index) for name, samples in SAMPLES.items() for index in range(len(samples))]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def case(request: pytest.FixtureRequest) -> tuple[str, Sample]:
    name, index = request.param
    return name, SAMPLES[name][index]


def test_every_registered_type_has_samples() -> None:
    assert {item.name for item in registry().all()} == set(SAMPLES)


def test_every_type_says_what_the_caller_experiences_first() -> None:
    for item in registry().all():
        assert len(item.experience.strip()) > 100, item.name


def test_compiling_is_deterministic_and_can_be_undone(case: tuple[str, Sample]) -> None:
    contract.compiling_is_deterministic_and_can_be_undone(registry().get(case[0]), case[1], registry())


def test_the_schema_suits_every_model(case: tuple[str, Sample]) -> None:
    contract.the_schema_suits_every_model(registry().get(case[0]), case[1], registry())


def test_fixed_values_are_not_shown_to_the_model(case: tuple[str, Sample]) -> None:
    contract.fixed_values_are_not_shown_to_the_model(registry().get(case[0]), case[1], registry())


async def test_a_sample_does_something(case: tuple[str, Sample]) -> None:
    await contract.it_does_something(case[1], registry())


async def test_broken_ports_become_errors_with_an_effect(case: tuple[str, Sample]) -> None:
    await contract.broken_ports_become_errors_with_an_effect(registry().get(case[0]), case[1], registry())


async def test_the_deadline_holds(case: tuple[str, Sample]) -> None:
    await contract.the_deadline_holds(case[1], registry())


async def test_resuming_repeats_no_effect(case: tuple[str, Sample]) -> None:
    await contract.resuming_repeats_no_effect(registry().get(case[0]), case[1], registry())


async def test_executing_needs_nothing_but_ports(case: tuple[str, Sample]) -> None:
    await contract.executing_needs_nothing_but_ports(registry().get(case[0]), case[1], registry())


TOY = '''
"""Says a number back.

What the caller experiences: nothing, at once.
"""

from typing import Annotated, Literal

from pydantic import Field

from offhook.core.errors import Effect
from offhook.tools.parameters import Ai, Fixed, Form, ParameterSpec
from offhook.tools.policy import Policy
from offhook.tools.results import Answer
from offhook.tools.tool_type import ToolType


class Config(Form):
    type: Literal["echo"]
    number: Annotated[Fixed | Ai, Field(discriminator="mode"), ParameterSpec({"type": "integer", "maximum": 9})]


async def execute(call, plan, ports):
    return Answer({"number": call.fields["number"].value}, Effect.NONE)


TOOL_TYPE = ToolType("echo", "Echo", __doc__, Config, Policy(repeatable="yes"), execute)
'''


@pytest.fixture
def with_echo(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Registry]:
    """The built-in types and one more module, found where they are found."""
    package = importlib.import_module("offhook.tools.types")
    (tmp_path / "echo.py").write_text(textwrap.dedent(TOY))
    package.__path__.append(str(tmp_path))
    try:
        yield Registry.discover()
    finally:
        package.__path__.remove(str(tmp_path))
        sys.modules.pop("offhook.tools.types.echo", None)


ECHO_FORMS = [
    ({"type": "echo", "number": {"mode": "ai", "prompt": "A number"}}, {"number": "4"}),
    ({"type": "echo", "number": {"mode": "fixed", "value": 4}}, {"number": 9}),
]


@pytest.mark.parametrize(("form", "arguments"), ECHO_FORMS)
async def test_adding_a_type_is_adding_one_module(
    with_echo: Registry, form: dict[str, object], arguments: dict[str, object]
) -> None:
    sample, echo = Sample(form, arguments), with_echo.get("echo")
    contract.compiling_is_deterministic_and_can_be_undone(echo, sample, with_echo)
    contract.the_schema_suits_every_model(echo, sample, with_echo)
    contract.fixed_values_are_not_shown_to_the_model(echo, sample, with_echo)
    await contract.it_does_something(sample, with_echo)
    result = await Walk(types=with_echo).call(function(form, types=with_echo), arguments)
    assert result.answer == {"number": 4}


def test_the_union_of_all_types_tells_them_apart_by_their_type(with_echo: Registry) -> None:
    union = with_echo.config_union()
    assert union.validate_python({"type": "echo", "number": {"mode": "fixed", "value": 1}}).label == ""
    with pytest.raises(ValidationError):
        union.validate_python({"type": "fax"})
    text = str(union.json_schema())
    assert "discriminator" in text
    assert "x-form" in text


def test_a_type_that_is_not_there_is_not_found() -> None:
    assert registry().find("fax") is None
    with pytest.raises(NotFound, match="sms"):
        registry().get("fax")


def test_two_types_of_one_name_are_refused() -> None:
    sms = registry().get("sms")
    with pytest.raises(ValueError, match="two tool types"):
        Registry([sms, sms])


def test_a_module_that_declares_no_type_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty_type.py").write_text('"""Nothing."""\n')
    package = ModuleType("offhook.tools.types")
    package.__path__ = [str(tmp_path)]
    here = importlib.import_module("offhook.tools.types")
    here.__path__.append(str(tmp_path))
    try:
        with pytest.raises(TypeError, match="empty_type declares no TOOL_TYPE"):
            Registry.discover(package)
    finally:
        here.__path__.remove(str(tmp_path))
        sys.modules.pop("offhook.tools.types.empty_type", None)
