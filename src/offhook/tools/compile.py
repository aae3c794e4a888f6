"""From a form to what the model sees and what it never sees, and back. Pure and deterministic.

    function_schema   {"name", "description", "parameters": JSON Schema}            for the model
    static_config     {field: fixed value, …, "$arguments": [Slot, …], …}          never for the model
    config_metadata   the form as it was posted                                    to edit it again

`$arguments` says where each argument of the model goes; `$minimum` which provenance fixed values need, `$limits` what
the operator changed of the type's policy. A field that is an entry of a list left to the model is null in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar, cast

from pydantic import BaseModel

from offhook.core.errors import FieldProblem, InvalidInput
from offhook.core.jsonvalue import JSON
from offhook.core.schema import check_schema, compile_schema
from offhook.core.variables import Structure, VariableError
from offhook.tools.names import function_name
from offhook.tools.parameters import Ai, ArrayExtendable, Fixed, Form, ParameterSpec, own_fields
from offhook.tools.policy import Policy

AGAIN: Final = "again"
AGAIN_PROPERTY: Final[Mapping[str, JSON]] = {
    "type": "boolean",
    "description": "Leave out. Set to true only if this was already done and the person, told so, asks for it again.",
}

ARGUMENTS, MINIMUM, LIMITS = "$arguments", "$minimum", "$limits"


@dataclass(frozen=True, slots=True)
class Compiled:
    """The three JSON objects of a tool's row."""

    function_schema: dict[str, JSON]
    static_config: dict[str, JSON]
    config_metadata: dict[str, JSON]


@dataclass(frozen=True, slots=True)
class Slot:
    """Where an argument goes: it is the whole `field`, extends its list, or is the list's entry at an index."""

    argument: str
    field: str
    place: Literal["whole", "extends"] | int = "whole"
    allowed_values: str | None = None
    minimum: str | None = None

    def as_json(self) -> dict[str, JSON]:
        row: dict[str, JSON] = {"argument": self.argument, "field": self.field, "place": self.place}
        if self.allowed_values:
            row["allowed_values"] = self.allowed_values
        if self.minimum:
            row["minimum"] = self.minimum
        return row


@dataclass
class _Build:
    """What the fields of a form add up to."""

    static: dict[str, JSON] = field(default_factory=dict[str, JSON])
    properties: dict[str, JSON] = field(default_factory=dict[str, JSON])
    required: list[JSON] = field(default_factory=list[JSON])
    slots: list[Slot] = field(default_factory=list[Slot])
    minimum: dict[str, JSON] = field(default_factory=dict[str, JSON])
    problems: list[FieldProblem] = field(default_factory=list[FieldProblem])
    written: dict[str, str] = field(default_factory=dict[str, str])
    """Argument -> path in the form where its schema is written."""

    def problem(self, path: str, message: str, code: str = "invalid") -> None:
        self.problems.append(FieldProblem(path, message, code))


def compile_form(form: Form, name: str, policy: Policy) -> Compiled:
    """`name` is the tool's. Raises InvalidInput, naming the fields."""
    build = _Build()
    for item in own_fields(form):
        if item.spec is None:
            build.static[item.name] = _as_json(item.value)
        else:
            _parameter(build, item.name, item.value, item.spec)
    parameters = _parameters(build, policy)
    for problem in check_schema(parameters) if not build.problems else ():
        build.problem(_form_path(build, problem.path), problem.message, "invalid_schema")
    if build.problems:
        raise InvalidInput("The tool's form has problems.", fields=build.problems)
    static = build.static
    static[ARGUMENTS] = [slot.as_json() for slot in build.slots]
    if build.minimum:
        static[MINIMUM] = build.minimum
    if form.limits is not None:
        static[LIMITS] = _as_json(form.limits)
    schema: dict[str, JSON] = {
        "name": form.function_name or function_name(name),
        "description": form.description or form.label or name,
        "parameters": parameters,
    }
    return Compiled(schema, static, _as_json(form))


_F = TypeVar("_F", bound=Form)


def restore(config: type[_F], config_metadata: Mapping[str, JSON]) -> _F:
    """The form that was compiled: `compile_form(restore(…))` gives the same three again."""
    return config.model_validate(config_metadata)


def _as_json(part: Any) -> Any:
    """A form or a part of it as it was posted, with the names of the wire."""
    if isinstance(part, list):
        return [_as_json(item) for item in cast("list[Any]", part)]
    if isinstance(part, BaseModel):
        return part.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return part


def _parameters(build: _Build, policy: Policy) -> dict[str, JSON]:
    properties = dict(build.properties)
    if policy.repeatable != "yes":
        properties[AGAIN] = dict(AGAIN_PROPERTY)
    return {"type": "object", "properties": properties, "required": build.required, "additionalProperties": False}


def _parameter(build: _Build, name: str, value: object, spec: ParameterSpec) -> None:
    match value:
        case Fixed():
            _check_fixed(build, f"{name}.value", value.value, spec.schema)
            build.static[name] = value.value
            _demand(build, name, value, spec)
        case Ai():
            _argument(build, Slot(name, name), value, spec.schema, name)
        case ArrayExtendable():
            _extendable(build, name, value, spec)
        case _:
            raise TypeError(f"{name} is declared as a parameter and holds none")


def _demand(build: _Build, name: str, part: Fixed | ArrayExtendable, spec: ParameterSpec) -> None:
    chosen = part.minimum_provenance if isinstance(part, Fixed) else None
    demanded = chosen or spec.minimum.name.lower()
    if demanded != "model":
        build.minimum[name] = demanded


def _extendable(build: _Build, name: str, value: ArrayExtendable, spec: ParameterSpec) -> None:
    entries: list[JSON] = []
    for index, entry in enumerate(value.values):
        path = f"{name}.values.{index}"
        match entry:
            case Ai():
                entries.append(None)
                _argument(build, Slot(f"{name}_{index + 1}", name, index), entry, spec.items, path)
            case Fixed():
                _check_fixed(build, f"{path}.value", entry.value, spec.items)
                entries.append(entry.value)
            case _:
                _check_fixed(build, path, entry, spec.items)
                entries.append(cast("JSON", entry))
    build.static[name] = entries
    _demand(build, name, value, spec)
    if value.must_add and not value.ai_can_add:
        build.problem(f"{name}.must_add", "The model cannot be obliged to add what it may not add: set ai_can_add.")
    elif value.ai_can_add:
        _addition(build, name, value, spec)
    elif not entries:
        build.problem(f"{name}.values", "Give at least one entry, or let the model add some.")


def _addition(build: _Build, name: str, value: ArrayExtendable, spec: ParameterSpec) -> None:
    if not value.prompt:
        build.problem(f"{name}.prompt", "Say what the model may add.", "missing")
    _argument(build, Slot(name, name, "extends"), value, spec.schema, name, required=value.must_add or not value.values)


def _argument(
    build: _Build,
    slot: Slot,
    part: Ai | ArrayExtendable,
    takes: Mapping[str, Any],
    path: str,
    *,
    required: bool = True,
) -> None:
    name = slot.argument
    if name in build.properties or name == AGAIN:
        build.problem(path, f'Two parameters would have the name "{name}".')
        return
    schema = _narrowed(build, takes, part.schema_ or {}, f"{path}.schema")
    build.properties[name] = {**schema, "description": part.prompt}
    build.written[name] = f"{path}.schema" if part.schema_ else path
    if required:
        build.required.append(name)
    build.slots.append(Slot(name, slot.field, slot.place, part.allowed_values_variable, part.minimum_provenance))


def _narrowed(build: _Build, takes: Mapping[str, Any], written: Mapping[str, Any], path: str) -> dict[str, JSON]:
    """What the operator wrote, inside what the field takes."""
    kind = written.get("type", takes.get("type"))
    if kind != takes.get("type"):
        build.problem(f"{path}.type", f'The type here is "{takes.get("type")}".', "wrong_type")
        return {}
    schema: dict[str, JSON] = {**takes, **written}
    for keyword, choose in _BOUNDS.items():
        theirs, ours = written.get(keyword), takes.get(keyword)
        if isinstance(theirs, int | float) and isinstance(ours, int | float):
            schema[keyword] = choose(theirs, ours)
    if "items" in takes:
        inner: object = written.get("items", {})
        if not isinstance(inner, Mapping):
            build.problem(f"{path}.items", "The schema of an entry is an object.", "invalid_schema")
            return {}
        schema["items"] = _narrowed(build, takes["items"], cast("Mapping[str, Any]", inner), f"{path}.items")
    return schema


_BOUNDS: Final = {"minItems": max, "maxItems": min, "minLength": max, "maxLength": min, "minimum": max, "maximum": min}


def _check_fixed(build: _Build, path: str, value: JSON, schema: Mapping[str, Any]) -> None:
    """A value without variables is checked now; one with variables when they have values."""
    try:
        if Structure.parse(value).names:
            return
    except VariableError as error:
        build.problem(path, error.message, error.code)
        return
    wrapped = compile_schema({"type": "object", "properties": {"value": dict(schema)}, "required": ["value"]})
    _, problems = wrapped.coerce_and_validate({"value": value})
    for sentence in problems:
        build.problem(path, sentence.removeprefix("value: "))


def _form_path(build: _Build, schema_path: str) -> str:
    """`properties.recipients.items.pattern` -> `recipients.schema.items.pattern`."""
    steps = schema_path.split(".")
    written = build.written.get(steps[1]) if len(steps) > 1 else None
    return ".".join([written, *steps[2:]]) if written else schema_path
