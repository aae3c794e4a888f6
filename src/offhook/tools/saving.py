"""From what somebody posted to what is stored: shape, variables, compile, and the type's own questions to the world."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from offhook.core.declarations import Declarations
from offhook.core.errors import FieldProblem, InvalidInput
from offhook.core.jsonvalue import JSON, UncleanJson, clean_json
from offhook.core.sentences import sentence
from offhook.core.text import is_clean, shorten
from offhook.core.variables import Provenance, Structure
from offhook.tools.compile import Compiled
from offhook.tools.parameters import PROVENANCES, Ai, ArrayExtendable, Fixed, Form, FormField, own_fields
from offhook.tools.ports import Ports
from offhook.tools.registry import Registry, registry

MAX_FORM_BYTES: Final = 64 * 1024
MAX_PROBLEMS: Final = 50


async def prepare(
    name: str,
    form: Mapping[str, Any],
    declarations: Declarations,
    ports: Ports,
    *,
    organization_id: uuid.UUID,
    types: Registry | None = None,
) -> Compiled:
    """The three JSON objects of the tool's row.

    `form` is the type's own JSON (`{"type": …}`). Raises InvalidInput with every field that is wrong, by its dotted
    path in the form.
    """
    types = types or registry()
    read = read_form(form, types)
    tool_type = types.get(cast("Any", read).type)
    problems = variable_problems(read, declarations)
    if problems:
        raise _refused(problems)
    compiled = tool_type.compile(read, name, tool_type.policy)
    if asked := await tool_type.check(read, organization_id, ports):
        raise _refused(asked)
    return compiled


def preview(form: Mapping[str, Any], name: str, declarations: Declarations, types: Registry | None = None) -> Preview:
    """What `prepare` would store and the type's insight, without asking the world. Raises InvalidInput."""
    types = types or registry()
    read = read_form(form, types)
    tool_type = types.get(cast("Any", read).type)
    if problems := variable_problems(read, declarations):
        raise _refused(problems)
    return tool_type.compile(read, name, tool_type.policy), tool_type.insight(read, declarations)


async def appraise(
    form: Mapping[str, Any],
    declarations: Declarations,
    ports: Ports,
    organization_id: uuid.UUID,
    types: Registry | None = None,
) -> Mapping[str, Any]:
    """What the organization's own world adds to the insight. Raises InvalidInput."""
    types = types or registry()
    read = read_form(form, types)
    tool_type = types.get(cast("Any", read).type)
    return await tool_type.appraise(read, declarations, organization_id, ports)


Preview = tuple[Compiled, Mapping[str, Any]]


def read_form(form: Mapping[str, Any], types: Registry) -> Form:
    """The form as its type's Config. Raises InvalidInput."""
    cleaned = _cleaned(form)
    named = cleaned.get("type")
    if not isinstance(named, str) or types.find(named) is None:
        known = ", ".join(item.name for item in types.all())
        raise _refused([FieldProblem("type", f"The type of a tool is one of: {known}.", "unknown_type")])
    try:
        return types.config_union().validate_python(cleaned)
    except ValidationError as error:
        raise _refused([_problem(item, cleaned) for item in error.errors(include_url=False)]) from None


def _refused(problems: Sequence[FieldProblem]) -> InvalidInput:
    first = problems[0]
    return InvalidInput(
        f"{first.path}: {first.message}" if first.path else first.message, fields=problems[:MAX_PROBLEMS]
    )


def _cleaned(form: Mapping[str, Any]) -> dict[str, JSON]:
    try:
        cleaned = clean_json(dict(form), max_bytes=MAX_FORM_BYTES)
    except UncleanJson as error:
        raise _refused([FieldProblem("", error.message, error.code)]) from None
    except RecursionError:
        raise _refused([FieldProblem("", "The value is nested too deeply.", "json_too_deep")]) from None
    unclean = list(_unclean_paths(dict(form), ""))
    if unclean:
        message = "It contains a NUL character or half of a surrogate pair."
        raise _refused([FieldProblem(path, message, "unclean_text") for path in unclean])
    return cast("dict[str, JSON]", cleaned)


def _unclean_paths(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, str) and not is_clean(value):
        yield path
    elif isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            shown = shorten(key, 40) if is_clean(key) else "?"
            inside = f"{path}.{shown}" if path else shown
            if not is_clean(key):
                yield inside
            yield from _unclean_paths(item, inside)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _unclean_paths(item, f"{path}.{index}")


_TAGS: Final = ("type", "mode")


def _problem(error: ErrorDetails, form: JSON) -> FieldProblem:
    """`loc` without the names of union branches, which are no part of what was posted."""
    steps: list[str] = []
    here: Any = form
    for step in error["loc"]:
        if isinstance(here, dict) and step in [cast("dict[str, Any]", here).get(tag) for tag in _TAGS]:
            continue
        if step == "literal" and not isinstance(here, dict):
            continue
        steps.append(str(step))
        here = _inside(here, step)
    return FieldProblem(".".join(steps), sentence(error), error["type"])


def _inside(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).get(str(step))
    if isinstance(value, list) and isinstance(step, int) and step < len(cast("list[Any]", value)):
        return cast("list[Any]", value)[step]
    return None


def variable_problems(form: Form, declarations: Declarations) -> list[FieldProblem]:
    """Variables that nobody declared, malformed ones, and declared ones that are not trusted enough for their field."""
    problems: list[FieldProblem] = []
    for path, value, minimum in _templates(form):
        found = [FieldProblem(path, item.message, item.code) for item in declarations.problems(value)]
        problems += found or _distrusted(path, value, minimum, declarations)
    return problems


def _templates(form: Form) -> Iterator[tuple[str, JSON, Provenance]]:
    """Every place of the form where variables are put in, and what their values have to be worth there."""
    yield "description", form.description, Provenance.MODEL
    for item in own_fields(form):
        if item.spec is None:
            continue
        match item.value:
            case Fixed():
                yield f"{item.name}.value", item.value.value, _demanded(item.value, item)
            case ArrayExtendable():
                yield f"{item.name}.prompt", item.value.prompt, Provenance.MODEL
                yield from _entry_templates(item, item.value)
            case _:
                yield f"{item.name}.prompt", item.value.prompt, Provenance.MODEL


def _entry_templates(item: FormField, value: ArrayExtendable) -> Iterator[tuple[str, JSON, Provenance]]:
    for index, entry in enumerate(value.values):
        path = f"{item.name}.values.{index}"
        match entry:
            case Ai():
                yield f"{path}.prompt", entry.prompt, Provenance.MODEL
            case Fixed():
                yield f"{path}.value", entry.value, _demanded(entry, item)
            case _:
                yield path, cast("JSON", entry), _demanded(None, item)


def _demanded(part: Fixed | None, item: FormField) -> Provenance:
    if part is not None and part.minimum_provenance is not None:
        return PROVENANCES[part.minimum_provenance]
    return item.spec.minimum if item.spec is not None else Provenance.MODEL


def _distrusted(path: str, value: JSON, minimum: Provenance, declarations: Declarations) -> list[FieldProblem]:
    problems: list[FieldProblem] = []
    for name in Structure.parse(value).names:
        declared = declarations.find(name)
        if declared is not None and declared.provenance < minimum:
            message = (
                f"{{{{{name}}}}} comes from {declared.provenance.name.lower()}, and this field demands "
                f"{minimum.name.lower()} or better; set minimum_provenance if you accept that."
            )
            problems.append(FieldProblem(path, message, "provenance_too_low"))
    return problems
