"""JSON Schema for tool parameters: checked when saved, compiled once, then coerced and validated per call.

jsonschema-rs does the validation: linear-time patterns, no network. What it does not do is coercion, so a
pass driven by the schema comes first and repairs what is harmless and common in what models send: "4" for 4,
"true" for true, 4.0 for 4, a scalar where a list of one was meant, null for "not given".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final, cast

from offhook.core.jsonvalue import JSON
from offhook.core.schema_check import (
    MAX_PROBLEMS,
    InvalidSchema,
    SchemaProblem,
    Validator,
    build_validator,
    check_schema,
    local_definition,
    show_problem,
)

__all__ = ["Compiled", "InvalidSchema", "SchemaProblem", "check_schema", "compile_schema"]

_Schema = Mapping[str, Any]
_Coercer = Callable[[JSON], JSON]

_INTEGER = re.compile(r"[+-]?[0-9]{1,15}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_BOOLEANS: Final = {"true": True, "false": False}


class Compiled:
    """A schema ready for use; immutable and shared by calls. The caller caches it, once per tool version."""

    __slots__ = ("_coerce", "_validator")

    def __init__(self, validator: Validator, coerce: _Coercer | None) -> None:
        self._validator = validator
        self._coerce = coerce

    def coerce_and_validate(self, arguments: object) -> tuple[dict[str, JSON], list[str]]:
        """The arguments as the function gets them, and what is wrong with them: sentences for the model.

        `arguments` are clean (see clean_json); None counts as no arguments. What was passed in is not
        changed. With problems, the arguments are of no use. A sentence shows at most 80 characters of a value.
        """
        if arguments is not None and not isinstance(arguments, dict):
            return {}, ["The arguments must be one JSON object."]
        value: JSON = cast("dict[str, JSON]", arguments or {})
        if self._coerce is not None:
            value = self._coerce(value)
        coerced = cast("dict[str, JSON]", value)
        if self._validator.is_valid(value):
            return coerced, []
        return coerced, self._problems(value)

    def _problems(self, value: JSON) -> list[str]:
        try:
            problems: list[str] = []
            for error in self._validator.iter_errors(value):
                problems.append(show_problem(error))
                if len(problems) == MAX_PROBLEMS:
                    break
        except ValueError:
            problems = []
        return problems or ["The arguments contain something that JSON cannot represent."]


def compile_schema(schema: _Schema) -> Compiled:
    """Raises InvalidSchema where `schema` cannot be compiled; `check_schema` says more and refuses more."""
    validator = build_validator(schema)
    return Compiled(validator, _Planner(schema).coercer(schema))


@dataclass(frozen=True, slots=True)
class _Property:
    """How one property of an object is repaired."""

    name: str
    coerce: _Coercer | None
    drop_null: bool
    has_default: bool
    default: JSON


class _Planner:
    """Turns a schema into one coercing function; parts that need no coercion cost nothing later."""

    def __init__(self, root: _Schema) -> None:
        self._root = root
        self._following: set[str] = set()

    def coercer(self, schema: object) -> _Coercer | None:
        if not isinstance(schema, Mapping):
            return None
        node = cast("_Schema", schema)
        if (reference := node.get("$ref")) is not None:
            return self._referenced(reference)
        if isinstance(branches := node.get("anyOf"), list):
            return self._optional(cast("list[object]", branches))
        match _only_type(node.get("type")):
            case "object":
                return self._object(node)
            case "array":
                return _array(self.coercer(node.get("items")))
            case str() as name:
                return _SCALARS.get(name)
            case _:
                return None

    def _referenced(self, reference: object) -> _Coercer | None:
        target = local_definition(self._root, reference)
        name = str(reference)
        if target is None or name in self._following:
            return None
        self._following.add(name)
        try:
            return self.coercer(target)
        finally:
            self._following.discard(name)

    def _optional(self, branches: list[object]) -> _Coercer | None:
        """`anyOf` of one schema and null is that schema; with more choices, nothing is guessed."""
        real = [branch for branch in branches if branch != {"type": "null"}]
        coerce = self.coercer(real[0]) if len(real) == 1 else None
        return _unless_null(coerce) if coerce and len(real) < len(branches) else coerce

    def _object(self, node: _Schema) -> _Coercer | None:
        properties = cast("Mapping[str, object]", node.get("properties") or {})
        required = set(cast("list[str]", node.get("required") or []))
        plan = [self._property(name, part, name in required) for name, part in properties.items()]
        needed = tuple(part for part in plan if part.coerce or part.drop_null or part.has_default)
        return _unless_null(_object(needed)) if needed else None

    def _property(self, name: str, schema: object, required: bool) -> _Property:
        node = cast("_Schema", schema if isinstance(schema, Mapping) else {})
        return _Property(
            name=name,
            coerce=self.coercer(node),
            drop_null=not required and not self._accepts_null(node),
            has_default="default" in node,
            default=node.get("default"),
        )

    def _accepts_null(self, node: _Schema) -> bool:
        if "$ref" in node:
            target = local_definition(self._root, node["$ref"])
            return target is None or "$ref" in target or self._accepts_null(target)
        if "anyOf" in node:
            branches = cast("list[_Schema | bool]", node["anyOf"])
            return any(isinstance(part, bool) or self._accepts_null(part) for part in branches)
        if "enum" in node:
            return None in node["enum"]
        if "const" in node:
            return node["const"] is None
        kind = node.get("type")
        return kind is None or kind == "null" or (isinstance(kind, list) and "null" in kind)


def _only_type(kind: object) -> str | None:
    """The type, if there is one besides null."""
    if isinstance(kind, list):
        real = [item for item in cast("list[object]", kind) if item != "null"]
        kind = real[0] if len(real) == 1 else None
    return kind if isinstance(kind, str) else None


def _unless_null(coerce: _Coercer) -> _Coercer:
    return lambda value: None if value is None else coerce(value)


def _object(plan: tuple[_Property, ...]) -> _Coercer:
    def coerce(value: JSON) -> JSON:
        if not isinstance(value, dict):
            return value
        repaired = dict(value)
        for part in plan:
            name = part.name
            if name in repaired:
                item = repaired[name]
                if item is not None or not part.drop_null:
                    if part.coerce is not None:
                        repaired[name] = part.coerce(item)
                    continue
                del repaired[name]
            if part.has_default:
                repaired[name] = deepcopy(part.default)
        return repaired

    return coerce


def _array(coerce_item: _Coercer | None) -> _Coercer:
    def coerce(value: JSON) -> JSON:
        if value is None:
            return None
        items: list[JSON] = value if isinstance(value, list) else [value]
        return items if coerce_item is None else [coerce_item(item) for item in items]

    return coerce


def _integer(value: JSON) -> JSON:
    if isinstance(value, str) and _INTEGER.fullmatch(text := value.strip()):
        return int(text)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _number(value: JSON) -> JSON:
    if isinstance(value, str) and _NUMBER.fullmatch(text := value.strip()):
        return float(text) if "." in text else int(text)
    return value


def _boolean(value: JSON) -> JSON:
    return _BOOLEANS.get(value.strip().lower(), value) if isinstance(value, str) else value


_SCALARS: Final[Mapping[str, _Coercer]] = {"integer": _integer, "number": _number, "boolean": _boolean}
"""Strings are not here: 4 for "4" would hide a number that lost its leading zeros or its plus."""
