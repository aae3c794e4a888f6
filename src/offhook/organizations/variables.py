"""Variables that an organization or an agent declares: how they are written down and checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from offhook.core.declarations import ALWAYS_THERE, Declaration, Declarations
from offhook.core.errors import FieldProblem, InvalidInput
from offhook.core.http import Form, Text, invalid_input
from offhook.core.variables import Provenance

MAX_DECLARED: Final = 100
_RESERVED: Final = frozenset(item.name for item in ALWAYS_THERE)

Source = Literal["signalling", "organization", "tool_result", "model"]


class DeclaredVariable(Form):
    """A variable's name, meaning and example, and where its value comes from.

    `value` is the organization's own fixed value; without one it is given at dispatch, or stored by a tool.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
    meaning: Annotated[Text, Field(max_length=300)] = ""
    example: Annotated[Text, Field(max_length=300)] = ""
    source: Source = "organization"
    value: Annotated[Text, Field(max_length=4000)] | int | float | bool | None = None

    @field_validator("name")
    @classmethod
    def _not_taken(cls, name: str) -> str:
        if name in _RESERVED:
            raise PydanticCustomError("reserved_name", "This variable is always there and cannot be declared")
        return name

    def declaration(self) -> Declaration:
        return Declaration(self.name, self.meaning, self.example, Provenance[self.source.upper()])


_LIST: Final = TypeAdapter(Annotated[list[DeclaredVariable], Field(max_length=MAX_DECLARED)])


def check_variables(value: object, where: str = "variables") -> list[dict[str, Any]]:
    """Declared variables as they are stored. Raises InvalidInput whose paths begin with `where`."""
    try:
        declared = _LIST.validate_python(value)
    except ValidationError as error:
        located = [{**problem, "loc": (where, *problem["loc"])} for problem in error.errors(include_url=False)]
        raise invalid_input(located) from None
    names = [item.name for item in declared]
    for index, name in enumerate(names):
        if name in names[:index]:
            message = f"The variable {name} is declared twice."
            raise InvalidInput(message, fields=[FieldProblem(f"{where}.{index}.name", message, "duplicate")])
    return [item.model_dump() for item in declared]


def read_declarations(stored: Iterable[Mapping[str, Any]]) -> Declarations:
    """What `check_variables` stored, as the check of templates wants it."""
    return Declarations(DeclaredVariable.model_validate(item).declaration() for item in stored)
