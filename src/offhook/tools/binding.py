"""Static config and arguments become the fields of a call: variables put in, each value with its provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from offhook.core.errors import ToolError
from offhook.core.jsonvalue import JSON
from offhook.core.text import shorten
from offhook.core.variables import MissingVariable, Provenance, Structure, Template, Value, VariableError
from offhook.tools.calls import Bound, Entry
from offhook.tools.compile import ARGUMENTS, LIMITS, MINIMUM, Slot
from offhook.tools.parameters import PROVENANCES

_OWN: Final = frozenset({ARGUMENTS, MINIMUM, LIMITS})
_MAX_SHOWN_CHOICES: Final = 20

Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class _Fixed:
    """A field with a fixed value. A list is parsed entry by entry; None is the place of an argument."""

    field: str
    parsed: Structure | tuple[Structure | None, ...]
    minimum: Provenance


class Binder:
    """One function's static config, parsed once and shared by its calls."""

    __slots__ = ("_fixed", "_fixed_names", "_slots")

    def __init__(self, static_config: Mapping[str, Any]) -> None:
        minimum: Mapping[str, str] = static_config.get(MINIMUM, {})
        self._slots = tuple(Slot(**row) for row in static_config.get(ARGUMENTS, ()))
        self._fixed = tuple(
            _Fixed(name, _parse(value), PROVENANCES[minimum.get(name, "model")])
            for name, value in static_config.items()
            if name not in _OWN
        )
        self._fixed_names = frozenset(item.field for item in self._fixed) - {slot.argument for slot in self._slots}

    def without_fixed(self, arguments: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """Fixed values win: an argument with the name of one is dropped."""
        if self._fixed_names.isdisjoint(arguments):
            return arguments
        return {name: value for name, value in arguments.items() if name not in self._fixed_names}

    def bind(self, arguments: Mapping[str, JSON], values: Values) -> dict[str, Bound]:
        """Every field with its value. Raises ToolError (effect none), which says what is missing or wrong."""
        entries: dict[str, list[Entry | None]] = {}
        whole: dict[str, Bound] = {}
        for item in self._fixed:
            if isinstance(item.parsed, tuple):
                entries[item.field] = [
                    None if part is None else _entry(_fill(part, values), item.minimum) for part in item.parsed
                ]
            else:
                whole[item.field] = _bound(_fill(item.parsed, values), item.minimum)
        for slot in self._slots:
            if slot.argument in arguments:
                _place(slot, _given(slot, arguments[slot.argument], values), entries, whole)
        for name, listed in entries.items():
            present = tuple(entry for entry in listed if entry is not None)
            whole[name] = Bound([entry.value for entry in present], present)
        return whole


def _parse(value: JSON) -> Structure | tuple[Structure | None, ...]:
    if isinstance(value, list):
        return tuple(None if entry is None else Structure.parse(entry) for entry in value)
    return Structure.parse(value)


def _entry(value: Value, minimum: Provenance) -> Entry:
    return Entry(value.value, value.provenance, minimum)


def _bound(value: Value, minimum: Provenance) -> Bound:
    items = value.value if isinstance(value.value, list) else [value.value]
    return Bound(value.value, tuple(Entry(item, value.provenance, minimum) for item in items))


def _place(slot: Slot, given: Bound, entries: dict[str, list[Entry | None]], whole: dict[str, Bound]) -> None:
    if slot.place == "whole":
        whole[slot.field] = given
    elif slot.place == "extends":
        entries[slot.field].extend(given.entries)
    else:
        entries[slot.field][slot.place] = given.entries[0]


def _fill(parsed: Structure, values: Values) -> Value:
    """A fixed value with its variables. What is missing is nobody's fault in the call; it is said without the value."""
    try:
        return parsed.render(values)
    except MissingVariable as error:
        say = (
            f"This cannot be done now: {{{{{error.name}}}}} is needed for it and is not known in this conversation. "
            "Nothing was done."
        )
        raise ToolError(say, detail=error.message, code=error.code) from None
    except VariableError as error:
        raise ToolError(f"{error.message} Nothing was done.", code=error.code) from None


def _given(slot: Slot, raw: JSON, values: Values) -> Bound:
    """What the model wrote, entry by entry: a value that is exactly one variable has the variable's provenance."""
    minimum = PROVENANCES[slot.minimum or "model"]
    parts = raw if isinstance(raw, list) else [raw]
    written = [_written(slot.argument, part, values) for part in parts]
    if slot.allowed_values is not None:
        written = [_picked(slot, value, values) for value in written]
    filled = [value.value for value in written]
    entries = tuple(_entry(value, minimum) for value in written)
    return Bound(filled if isinstance(raw, list) else filled[0], entries)


def _written(argument: str, value: JSON, values: Values) -> Value:
    if not _may_hold_variables(value):
        return Value(value, Provenance.MODEL)
    try:
        return Structure.parse(value).render(values, author=Provenance.MODEL)
    except VariableError as error:
        say = f"{argument}: {error.message} Write it without that variable. Nothing was done."
        raise ToolError(say, code=error.code) from None


def _may_hold_variables(value: JSON) -> bool:
    if isinstance(value, str):
        return "{{" in value
    if isinstance(value, dict):
        return any("{{" in key or _may_hold_variables(item) for key, item in value.items())
    return isinstance(value, list) and any(_may_hold_variables(item) for item in value)


def _picked(slot: Slot, value: Value, values: Values) -> Value:
    """The allowed value that was picked; it is worth what the list is worth."""
    name = cast("str", slot.allowed_values)
    try:
        allowed = Template.parse(f"{{{{{name}}}}}").render_value(values)
    except VariableError:
        say = f"The choices for {slot.argument} are not known yet in this conversation: find them out first."
        raise ToolError(say, code="allowed_values_unknown") from None
    choices = allowed.value if isinstance(allowed.value, list) else [allowed.value]
    if value.value in choices:
        return Value(value.value, max(allowed.provenance, value.provenance))
    shown = ", ".join(shorten(str(choice), 60) for choice in choices[:_MAX_SHOWN_CHOICES])
    raise ToolError(f"{slot.argument} must be one of: {shown}. Nothing was done.", code="not_an_allowed_value")
