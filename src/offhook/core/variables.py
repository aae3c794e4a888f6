"""`{{name}}`: the grammar of variables, where values come from, and rendering.

    {{caller_phone_number}}   {{ order.items.0.title }}   {{discount | default: "none" | upper}}

Double braces are variables; a single `{name}` is left alone. A template is parsed once into parts and
rendered by looking values up: what a value contains is never read as a template, so a caller who says
"{{secret}}" is only quoted. JSON is rendered structurally: a string that is exactly one variable keeps the
value's type, and no value can break out of the string it stands in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import ClassVar, NamedTuple, TypeAlias

from offhook.core.jsonvalue import JSON
from offhook.core.text import shorten
from offhook.core.variable_filters import DEFAULT, FILTERS, FilterFailed, as_text

MAX_NAME_LENGTH = 128
MAX_DEPTH = 32


class Provenance(IntEnum):
    """Where a value comes from, least trusted first. A parameter may demand a minimum.

    A rendered text is worth what its least trusted part is worth.
    """

    MODEL = 10
    TOOL_RESULT = 20
    ORGANIZATION = 30
    SIGNALLING = 40


DESTINATION_MINIMUM = Provenance.ORGANIZATION
"""What a destination (a number to text or call) demands by default: signalling or organization."""


@dataclass(frozen=True, slots=True)
class Value:
    """A JSON value and where it comes from."""

    value: JSON = field(repr=False)
    provenance: Provenance


class VariableError(ValueError):
    """A template or a variable is wrong. `code` is stable; `message` never contains a variable's value."""

    code: ClassVar[str] = "variable_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class MalformedTemplate(VariableError):
    """Braces that are no variable. `position` counts characters from 0 in the text, `where` names its field."""

    code = "malformed_template"

    def __init__(self, message: str, position: int, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.reason = message
        self.position = position
        self.where = where


class MissingVariable(VariableError):
    """A declared variable has no value in this conversation; nothing may be sent."""

    code = "missing_variable"

    def __init__(self, name: str) -> None:
        super().__init__(f"The variable {{{{{name}}}}} has no value in this conversation.")
        self.name = name


class UnusableVariable(VariableError):
    """The value is there, but a filter cannot use it (`e164` of something that is no phone number)."""

    code = "unusable_variable"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"The variable {{{{{name}}}}} cannot be used: {reason}.")
        self.name = name


_NAME = r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*"
_ARGUMENT = r"""(?:"[^"]*"|'[^']*')"""
_REFERENCE = re.compile(
    rf"\{{\{{\s*(?P<name>{_NAME})\s*(?P<filters>(?:\|\s*[a-z0-9_]+\s*(?::\s*{_ARGUMENT}\s*)?)*)\}}\}}"
)
_FILTER = re.compile(rf"\|\s*(?P<name>[a-z0-9_]+)\s*(?::\s*(?P<argument>{_ARGUMENT}))?")


@dataclass(frozen=True, slots=True)
class _Reference:
    """One `{{name | …}}` of a template."""

    name: str
    default: str | None
    filters: tuple[tuple[Callable[[JSON, str], JSON], str], ...]

    def resolve(self, values: Mapping[str, Value], author: Provenance) -> tuple[JSON, Provenance]:
        found = values.get(self.name)
        if found is None:
            found = _look_inside(values, self.name)
        if found is not None and found.value is not None:
            value, provenance = found.value, found.provenance
        elif self.default is not None:
            value, provenance = self.default, author
        else:
            raise MissingVariable(self.name)
        for apply, argument in self.filters:
            try:
                value = apply(value, argument)
            except FilterFailed as error:
                raise UnusableVariable(self.name, str(error)) from None
        return value, provenance


def _look_inside(values: Mapping[str, Value], name: str) -> Value | None:
    """`order.items.0` where only `order` has a value: the longest known prefix, then keys and indexes."""
    prefix, dot, rest = name.rpartition(".")
    steps: list[str] = []
    while dot:
        steps.insert(0, rest)
        found = values.get(prefix)
        if found is not None:
            return Value(_walk(found.value, steps), found.provenance)
        prefix, dot, rest = prefix.rpartition(".")
    return None


def _walk(value: JSON, steps: list[str]) -> JSON:
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and len(step) < 10 and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


class Template:
    """A text with variables, parsed. `text` is the source, `names` the variables in order of appearance."""

    __slots__ = ("_parts", "names", "text")

    def __init__(self, text: str, parts: tuple[str | _Reference, ...]) -> None:
        self.text = text
        self._parts = parts
        self.names = tuple(dict.fromkeys(part.name for part in parts if isinstance(part, _Reference)))

    @classmethod
    def parse(cls, text: str, *, where: str = "") -> Template:
        """Raises MalformedTemplate, which says where in the text and, with `where`, in which field."""
        parts: list[str | _Reference] = []
        position = 0
        while (start := text.find("{{", position)) >= 0:
            match = _REFERENCE.match(text, start)
            if match is None:
                raise MalformedTemplate(_what_is_wrong(text, start), start, where)
            if start > position:
                parts.append(text[position:start])
            parts.append(_reference(match, where))
            position = match.end()
        if position < len(text):
            parts.append(text[position:])
        return cls(text, tuple(parts))

    def render(self, values: Mapping[str, Value], *, author: Provenance = Provenance.ORGANIZATION) -> RenderedText:
        """The text, and the least provenance in it; `author` is who wrote the template.

        A template that is exactly one variable has that variable's provenance. Raises MissingVariable
        and UnusableVariable.
        """
        parts = self._parts
        if len(parts) == 1 and isinstance(parts[0], _Reference):
            value, provenance = parts[0].resolve(values, author)
            return RenderedText(as_text(value), provenance)
        least = author
        texts: list[str] = []
        for part in parts:
            if isinstance(part, str):
                texts.append(part)
                continue
            value, provenance = part.resolve(values, author)
            texts.append(value if isinstance(value, str) else as_text(value))
            if provenance < least:
                least = provenance
        return RenderedText("".join(texts), least)

    def render_value(self, values: Mapping[str, Value], *, author: Provenance = Provenance.ORGANIZATION) -> Value:
        """As `render`, but a text that is exactly one variable gives its value with its type."""
        only = self._parts[0] if len(self._parts) == 1 else None
        if isinstance(only, _Reference):
            return Value(*only.resolve(values, author))
        text, provenance = self.render(values, author=author)
        return Value(text, provenance)


class RenderedText(NamedTuple):
    """A rendered text and the least provenance in it."""

    text: str
    provenance: Provenance


def _reference(match: re.Match[str], where: str) -> _Reference:
    name, position = match["name"], match.start()
    if len(name) > MAX_NAME_LENGTH:
        raise MalformedTemplate(f"a variable's name has at most {MAX_NAME_LENGTH} characters", position, where)
    default: str | None = None
    filters: list[tuple[Callable[[JSON, str], JSON], str]] = []
    for found in _FILTER.finditer(match["filters"]):
        known = FILTERS.get(found["name"])
        if known is None:
            reason = f'there is no filter "{shorten(found["name"], 40)}"; there are: {", ".join(FILTERS)}'
            raise MalformedTemplate(reason, position, where)
        if known.takes_argument != (found["argument"] is not None):
            needs = 'needs an argument, as in | name: "x"' if known.takes_argument else "takes no argument"
            raise MalformedTemplate(f'the filter "{found["name"]}" {needs}', position, where)
        argument = (found["argument"] or '""')[1:-1]
        try:
            known.check(argument)
        except FilterFailed as error:
            raise MalformedTemplate(str(error), position, where) from None
        if found["name"] == DEFAULT:
            default = argument
        else:
            filters.append((known.apply, argument))
    return _Reference(name, default, tuple(filters))


def _what_is_wrong(text: str, start: int) -> str:
    end = text.find("}}", start)
    if end < 0:
        return f'"{{{{" at character {start + 1} is never closed with "}}}}"'
    inside = shorten(text[start : end + 2], 40)
    return f'"{inside}" at character {start + 1} is not a variable; write {{{{name}}}} or {{{{name | default: "x"}}}}'


# A parsed JSON value: what to do at each place of it. Scalars that are no template stand for themselves.
_Plan: TypeAlias = "Template | dict[str, _Plan] | list[_Plan] | str | int | float | bool | None"


class Structure:
    """A JSON value whose strings may be templates, parsed once. Keys are not templates: braces there are refused."""

    __slots__ = ("_plan", "names")

    def __init__(self, plan: _Plan) -> None:
        self._plan = plan
        self.names = tuple(dict.fromkeys(name for template in _templates(plan) for name in template.names))

    @classmethod
    def parse(cls, value: JSON, *, where: str = "") -> Structure:
        """Raises MalformedTemplate with the path of the string in `where`."""
        return cls(_parse_plan(value, where, MAX_DEPTH))

    def render(self, values: Mapping[str, Value], *, author: Provenance = Provenance.ORGANIZATION) -> Value:
        """A fresh copy with the variables put in, and the least provenance in it."""
        if isinstance(self._plan, Template):
            return self._plan.render_value(values, author=author)
        least = [author]
        rendered = _render_plan(self._plan, values, author, least)
        return Value(rendered, least[0])


def _parse_plan(value: JSON, where: str, depth: int) -> _Plan:
    if isinstance(value, str):
        return Template.parse(value, where=where) if "{{" in value else value
    if not isinstance(value, dict | list):
        return value
    if depth <= 0:
        raise MalformedTemplate("the value is nested too deeply", 0, where)
    if isinstance(value, list):
        return [_parse_plan(item, f"{where}[{index}]", depth - 1) for index, item in enumerate(value)]
    plan: dict[str, _Plan] = {}
    for key, item in value.items():
        path = f"{where}.{shorten(key, 40)}" if where else shorten(key, 40)
        if "{{" in key:
            raise MalformedTemplate("a key cannot contain variables", key.find("{{"), path)
        plan[key] = _parse_plan(item, path, depth - 1)
    return plan


def _templates(plan: _Plan) -> Iterator[Template]:
    if isinstance(plan, Template):
        yield plan
    elif isinstance(plan, dict):
        for item in plan.values():
            yield from _templates(item)
    elif isinstance(plan, list):
        for item in plan:
            yield from _templates(item)


def _render_plan(plan: _Plan, values: Mapping[str, Value], author: Provenance, least: list[Provenance]) -> JSON:
    if isinstance(plan, Template):
        rendered = plan.render_value(values, author=author)
        if rendered.provenance < least[0]:
            least[0] = rendered.provenance
        return rendered.value
    if isinstance(plan, dict):
        return {key: _render_plan(item, values, author, least) for key, item in plan.items()}
    if isinstance(plan, list):
        return [_render_plan(item, values, author, least) for item in plan]
    return plan
