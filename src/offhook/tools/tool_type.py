"""What a tool type is: one declaration, which its module makes and the registry finds."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from offhook.core.declarations import Declarations
from offhook.core.errors import FieldProblem
from offhook.tools.calls import Call, Plan
from offhook.tools.compile import Compiled, compile_form
from offhook.tools.parameters import Form
from offhook.tools.policy import Policy
from offhook.tools.ports import Ports
from offhook.tools.results import Answer


def same_arguments(call: Call) -> Plan:
    """The plan of a type that reaches nobody outside: equal arguments make equal calls."""
    return Plan(identity=dict(call.arguments))


async def nothing_to_ask(form: Any, organization_id: uuid.UUID, ports: Ports) -> Sequence[FieldProblem]:
    """The check of a type that depends on nothing outside its form."""
    return ()


def no_insight(form: Any, declarations: Declarations) -> Mapping[str, Any]:
    return {}


async def nothing_to_add(
    form: Any, declarations: Declarations, organization_id: uuid.UUID, ports: Ports
) -> Mapping[str, Any]:
    """The appraisal of a type that costs nothing."""
    return {}


@dataclass(frozen=True, slots=True)
class ToolType:
    """One tool type. Its module declares it as `TOOL_TYPE`."""

    name: str
    title: str
    experience: str
    """What the caller experiences, and the vendor's limits with their source."""
    config: type[Form]
    policy: Policy
    execute: Callable[[Call, Plan, Ports], Awaitable[Answer]]
    """Does it. Raises ToolError with the effect; any OffhookError of a port may pass."""
    compile: Callable[[Any, str, Policy], Compiled] = field(default=compile_form)
    """Pure: form and tool name to the three objects of the row."""
    check: Callable[[Any, uuid.UUID, Ports], Awaitable[Sequence[FieldProblem]]] = field(default=nothing_to_ask)
    """Asks the world before saving."""
    plan: Callable[[Call], Plan] = field(default=same_arguments)
    """Pure: what would be done, and whom it would reach. Raises ToolError (effect none) for arguments of no use."""
    insight: Callable[[Any, Declarations], Mapping[str, Any]] = field(default=no_insight)
    """Pure: what an operator wants to know of a form before saving (cost, size, risk)."""
    appraise: Callable[[Any, Declarations, uuid.UUID, Ports], Awaitable[Mapping[str, Any]]] = field(
        default=nothing_to_add
    )
    """Adds to the insight what only the organization's own world tells, such as its prices. Changes nothing."""
