"""What every tool type promises. `test_types.py` runs it over all that are registered.

A type's own tests give `Sample`s: a form, arguments that fit it, and a context.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fixtures.tool_calls import Walk, compiled, context, function
from offhook.core.clock import SystemClock
from offhook.core.errors import ConfigurationError, Effect, InvalidInput, OffhookError, Unavailable
from offhook.core.jsonvalue import compact
from offhook.core.schema import check_schema
from offhook.tools.compile import AGAIN, restore
from offhook.tools.names import FUNCTION_NAME
from offhook.tools.parameters import Fixed, own_fields
from offhook.tools.ports import ConversationContext, Ports, TextReceipt, TextRequest
from offhook.tools.registry import Registry
from offhook.tools.results import MAX_ANSWER_BYTES
from offhook.tools.tool_type import ToolType


@dataclass(frozen=True)
class Sample:
    """A form of a type, and arguments with which it does something."""

    form: Mapping[str, Any]
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    context: ConversationContext = field(default_factory=context)


class _Raises:
    """Every port at once, and none of them works."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def text(self, request: TextRequest) -> TextReceipt:
        raise self._error

    async def find(self, organization_id: uuid.UUID, phone_number_id: uuid.UUID) -> None:
        raise self._error


class _Hangs:
    async def text(self, request: TextRequest) -> TextReceipt:
        await asyncio.Event().wait()
        raise AssertionError


def compiling_is_deterministic_and_can_be_undone(tool_type: ToolType, sample: Sample, types: Registry) -> None:
    first = compiled(sample.form, types=types)
    assert compiled(json.loads(json.dumps(sample.form)), types=types) == first
    assert first.config_metadata == sample.form
    form = restore(tool_type.config, first.config_metadata)
    assert tool_type.compile(form, "Send link", tool_type.policy) == first
    assert form.model_dump(mode="json", by_alias=True, exclude_unset=True) == sample.form
    assert json.loads(json.dumps(first.static_config)) == first.static_config


def the_schema_suits_every_model(tool_type: ToolType, sample: Sample, types: Registry) -> None:
    schema: Any = compiled(sample.form, types=types).function_schema
    assert FUNCTION_NAME.fullmatch(schema["name"])
    assert check_schema(schema["parameters"]) == []
    assert schema["parameters"]["additionalProperties"] is False
    assert (AGAIN in schema["parameters"]["properties"]) is (tool_type.policy.repeatable != "yes")


def fixed_values_are_not_shown_to_the_model(tool_type: ToolType, sample: Sample, types: Registry) -> None:
    seen = json.dumps(compiled(sample.form, types=types).function_schema)
    form = restore(tool_type.config, sample.form)
    for item in own_fields(form):
        if item.spec is None or isinstance(item.value, Fixed):
            assert item.name not in json.loads(seen)["parameters"]["properties"]
        if isinstance(item.value, Fixed):
            assert json.dumps(item.value.value).strip('"') not in seen


async def it_does_something(sample: Sample, types: Registry) -> None:
    walk = Walk(types=types, context=sample.context)
    result = await walk.call(function(sample.form, types=types), dict(sample.arguments))
    assert result.status == "done"
    assert len(compact(dict(result.answer)).encode()) <= MAX_ANSWER_BYTES


async def broken_ports_become_errors_with_an_effect(tool_type: ToolType, sample: Sample, types: Registry) -> None:
    cases: list[tuple[Exception, set[Effect]]] = [
        (Unavailable("the database is away"), {Effect.UNKNOWN}),
        (ConfigurationError("no sender"), {Effect.NONE}),
        (InvalidInput("no such number"), {Effect.NONE}),
        (OffhookError("something"), {Effect.NONE}),
        (RuntimeError("a bug with +12025550149 in it"), {Effect.UNKNOWN}),
    ]
    for error, effects in cases:
        walk = Walk(types=types, context=sample.context)
        walk.messenger.text = _Raises(error).text
        result = await walk.call(function(sample.form, types=types), dict(sample.arguments))
        if result.status == "done":
            continue  # this sample does not use that port
        assert result.effect in effects, error
        assert "+12025550149" not in str(result.answer)
        assert isinstance(result.answer["error"], str)


async def the_deadline_holds(sample: Sample, types: Registry) -> None:
    bound = function(sample.form, types=types)
    bound.policy = replace(bound.policy, timeout_seconds=0.05)
    walk = Walk(types=types, context=sample.context, clock=SystemClock())
    walk.messenger.text = _Hangs().text
    result = await asyncio.wait_for(walk.call(bound, dict(sample.arguments)), 5)
    assert result.status == "done" or result.error_code == "timeout"


async def resuming_repeats_no_effect(tool_type: ToolType, sample: Sample, types: Registry) -> None:
    """The gateway dies after the effect and before the outcome is written; another one gets the same id."""
    walk, bound, call_id = Walk(types=types, context=sample.context), function(sample.form, types=types), uuid.uuid4()
    await walk.call(bound, dict(sample.arguments), tool_call_id=call_id)
    entry = walk.ledger.rows[sample.context.organization_id, call_id]
    entry.row = replace(entry.row, status="started", effect=None, answer=None)
    before = dict(walk.messenger.receipts)
    bound.policy = replace(bound.policy, timeout_seconds=0.2)
    walk.clock = SystemClock()
    result = await walk.call(bound, dict(sample.arguments), tool_call_id=call_id, road=walk.another_road())
    assert walk.messenger.receipts == before
    assert result.status == "done" or (result.effect is Effect.UNKNOWN and not tool_type.policy.resumable)


async def executing_needs_nothing_but_ports(tool_type: ToolType, sample: Sample, types: Registry) -> None:
    """The world is what `Ports` holds: with fakes there, no socket is opened and nothing else is asked for."""
    asked: list[str] = []

    class Watched:
        def __getattr__(self, name: str) -> Any:
            asked.append(name)
            return getattr(walk_ports, name)

    walk = Walk(types=types, context=sample.context)
    walk_ports = Ports(walk.messenger, walk.consent, walk.numbers)
    bound = function(sample.form, types=types)
    walk.road._ports = Watched()  # type: ignore[assignment]
    await walk.call(bound, dict(sample.arguments))
    assert set(asked) <= set(Ports.__dataclass_fields__)
