"""The functions of a release: what is frozen when an agent's call begins, and what each becomes when it is used.

A release stores one JSON object per function:

    {"tool_id", "type", "name", "description", "parameters", "static_config", "policy"}
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from offhook.core.jsonvalue import JSON
from offhook.core.schema import Compiled, compile_schema
from offhook.core.telemetry import get_logger
from offhook.core.variables import MissingVariable, Provenance, Structure, UnusableVariable, Value
from offhook.tools.binding import Binder
from offhook.tools.compile import LIMITS
from offhook.tools.names import distinct_names
from offhook.tools.policy import Policy
from offhook.tools.registry import Registry, registry

_log = get_logger(__name__)

NOT_KNOWN: Final = "(not known)"


def release_functions(tools: Sequence[Mapping[str, Any]], *, types: Registry | None = None) -> list[dict[str, JSON]]:
    """What a release stores for an agent's enabled tools, in a stable order.

    `tools`: rows with `id`, `name`, `type`, `function_schema`, `static_config` and the link's `disabled_functions`.
    Drafts are left out, and so, with a warning, is a tool whose type this Offhook does not have. Names that collide
    are prefixed with their tool's name.
    """
    types = types or registry()
    rows = sorted((row for row in tools if _is_usable(row, types)), key=lambda row: str(row["id"]))
    names = distinct_names([(row["function_schema"]["name"], row["name"]) for row in rows])
    return [_frozen(row, name, types) for row, name in zip(rows, names, strict=True)]


def _is_usable(row: Mapping[str, Any], types: Registry) -> bool:
    schema = row.get("function_schema")
    if row.get("type") is None or not schema or schema["name"] in (row.get("disabled_functions") or ()):
        return False
    if types.find(row["type"]) is None:
        _log.warning("tool_left_out", tool_id=str(row["id"]), reason_code="unknown_type")
        return False
    return True


def _frozen(row: Mapping[str, Any], name: str, types: Registry) -> dict[str, JSON]:
    static = dict(row.get("static_config") or {})
    policy = types.get(row["type"]).policy.changed_by(static.get(LIMITS) or {})
    schema = row["function_schema"]
    return {
        "tool_id": str(row["id"]),
        "type": row["type"],
        "name": name,
        "description": schema["description"],
        "parameters": schema["parameters"],
        "static_config": static,
        "policy": policy.as_json(),
    }


class BoundFunction:
    """One function of a release. Made once per release and shared by all its calls; compiles on first use."""

    __slots__ = ("_binder", "_shown", "_validator", "description", "name", "parameters", "policy", "static_config",
                 "tool_id", "type")  # fmt: skip

    def __init__(self, frozen: Mapping[str, Any]) -> None:
        self.tool_id = uuid.UUID(frozen["tool_id"])
        self.type: str = frozen["type"]
        self.name: str = frozen["name"]
        self.description: str = frozen["description"]
        self.parameters: Mapping[str, Any] = frozen["parameters"]
        self.static_config: Mapping[str, Any] = frozen["static_config"]
        self.policy = Policy.from_json(frozen["policy"])
        self._validator: Compiled | None = None
        self._binder: Binder | None = None
        self._shown: Structure | None = None

    @property
    def validator(self) -> Compiled:
        if self._validator is None:
            self._validator = compile_schema(self.parameters)
        return self._validator

    @property
    def binder(self) -> Binder:
        if self._binder is None:
            self._binder = Binder(self.static_config)
        return self._binder

    def shown(self, values: Mapping[str, Value]) -> dict[str, Any]:
        """`name`, `description` and `parameters` as the model reads them in this conversation.

        Variables in descriptions and prompts are put in; one without a value reads `(not known)`.
        """
        if self._shown is None:
            self._shown = Structure.parse({"description": self.description, "parameters": dict(self.parameters)})
        if not self._shown.names:
            return {"name": self.name, "description": self.description, "parameters": self.parameters}
        known = dict(values)
        while True:
            try:
                rendered: Any = self._shown.render(known).value
            except (MissingVariable, UnusableVariable) as error:
                if known.get(error.name) == _UNKNOWN:
                    rendered = {"description": self.description, "parameters": self.parameters}
                else:
                    known[error.name] = _UNKNOWN
                    continue
            return {"name": self.name, **rendered}


_UNKNOWN: Final = Value(NOT_KNOWN, Provenance.ORGANIZATION)
