"""A tool's form, and its parameters: fields whose value is fixed, or given by the model, or partly both.

    {"mode": "fixed", "value": "Your slot is {{slot}}"}
    {"mode": "ai", "prompt": "What to tell the caller", "schema": {"type": "string"}}
    {"mode": "array_extendable", "values": ["+12025550100", {"mode": "ai", …}], "ai_can_add": true, "prompt": "…"}

A tool type's Config says with `ParameterSpec` in `Annotated` which JSON a field takes and how far its values must be
trusted; which modes it takes is the union of classes in its annotation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from offhook.core.forms import FormHint
from offhook.core.variables import MAX_NAME_LENGTH, Provenance
from offhook.tools.names import FUNCTION_NAME

MAX_PROMPT_LENGTH = 2000
MAX_ENTRIES = 100

ProvenanceName = Literal["model", "tool_result", "organization", "signalling"]
PROVENANCES: Mapping[str, Provenance] = {item.name.lower(): item for item in Provenance}

Prompt = Annotated[str, Field(max_length=MAX_PROMPT_LENGTH)]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*$", max_length=MAX_NAME_LENGTH)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Fixed(_Part):
    """A value that the model neither sees nor changes. Its strings may hold variables."""

    mode: Literal["fixed"]
    value: Any
    minimum_provenance: ProvenanceName | None = None
    """Least trust in the value's variables; None: what the tool type demands of the field."""


class Ai(_Part):
    """The model gives the value. Without `schema`, whatever the field takes."""

    mode: Literal["ai"]
    prompt: Annotated[Prompt, Field(min_length=1)]
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    allowed_values_variable: VariableName | None = None
    """A variable that holds the list to pick from, established by the server; anything else is refused."""
    minimum_provenance: ProvenanceName | None = None
    """`organization`, say: the model may only pick a variable or an allowed value, not write its own."""


def _entry_kind(entry: object) -> str:
    mode = cast("dict[str, object]", entry).get("mode") if isinstance(entry, dict) else getattr(entry, "mode", None)
    return mode if mode in ("fixed", "ai") else "literal"


Entry = Annotated[
    Annotated[Fixed, Tag("fixed")] | Annotated[Ai, Tag("ai")] | Annotated[Any, Tag("literal")],
    Discriminator(_entry_kind),
]


class ArrayExtendable(_Part):
    """Entries that always apply; the model may add more, or has to."""

    mode: Literal["array_extendable"]
    values: list[Entry] = Field(max_length=MAX_ENTRIES)
    ai_can_add: bool = False
    must_add: bool = False
    """The model has to add at least one entry."""
    prompt: Prompt = ""
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    allowed_values_variable: VariableName | None = None
    minimum_provenance: ProvenanceName | None = None
    """For what the model adds; the entries have the demand of the field."""


Parameter = Fixed | Ai | ArrayExtendable


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """What a field's values are. `schema` is JSON Schema; `minimum` the trust demanded of fixed values."""

    schema: Mapping[str, Any]
    minimum: Provenance = Provenance.MODEL

    @property
    def items(self) -> Mapping[str, Any]:
        """The schema of one entry of a list."""
        return cast("Mapping[str, Any]", self.schema["items"])


class Limits(_Part):
    """What an operator may change of a tool type's policy."""

    timeout_seconds: float | None = Field(default=None, ge=1, le=60)
    max_calls_per_conversation: int | None = Field(default=None, ge=1, le=1000)
    max_model_given_recipients: int | None = Field(default=None, ge=1, le=100)


class Form(BaseModel):
    """What the forms of all tool types share. A Config adds `type` and its own fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    label: Annotated[str, Field(max_length=100), FormHint("Label", "What people in the console read")] = ""
    description: Annotated[
        str,
        Field(max_length=4000),
        FormHint("Description", "What the model reads: what the tool does and when to use it. May hold variables."),
    ] = ""
    function_name: Annotated[
        str | None,
        Field(pattern=FUNCTION_NAME.pattern),
        FormHint("Function name", "What the model calls; made from the tool's name if empty"),
    ] = None
    limits: Annotated[Limits | None, FormHint("Limits", "Time and counts per conversation")] = None


_SHARED = frozenset({*Form.model_fields, "type"})


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a type's own: its name on the wire, its value, and its spec if it is a parameter."""

    name: str
    value: Any
    spec: ParameterSpec | None = field(default=None)


def own_fields(form: Form) -> Iterator[FormField]:
    """The fields that the tool type added, in order, as far as they were posted; those with a `spec` hold a
    Parameter."""
    for attribute, info in type(form).model_fields.items():
        if attribute not in _SHARED and attribute in form.model_fields_set:
            spec = next((item for item in info.metadata if isinstance(item, ParameterSpec)), None)
            yield FormField(info.alias or attribute, getattr(form, attribute), spec)
