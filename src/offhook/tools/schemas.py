"""Tools on the wire. A tool's body is its type's form with the tool's `name` beside it."""

from __future__ import annotations

import uuid
from copy import deepcopy
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import CoreSchema

from offhook.core.http import Form, Text
from offhook.tools.models import Tool
from offhook.tools.registry import registry

ToolName = Annotated[Text, StringConstraints(strip_whitespace=True), Field(min_length=2, max_length=50)]
Label = Annotated[Text, Field(max_length=100)]
Description = Annotated[Text, Field(max_length=4000)]

# What stands beside the form in a body; everything else is the form.
_BESIDE: Final = frozenset({"name", "async", "is_async"})
_DRAFT_FIELDS: Final = frozenset({"label", "description"})


class _ToolBody(Form):
    """The fields that all tools have; the others are those of the type."""

    model_config = ConfigDict(extra="allow", populate_by_name=False)

    whole_form: ClassVar[bool] = True
    is_async: bool = Field(False, alias="async", description="Do not wait for the result.")

    def form(self) -> dict[str, Any]:
        """The form as it was sent: what is in the body besides the name."""
        return self.model_dump(exclude_unset=True, exclude=set(_BESIDE))

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """One schema per tool type, and one for what may be sent without a type."""
        draft = deepcopy(handler.resolve_ref_schema(handler(core_schema)))
        draft["additionalProperties"] = False
        beside = draft["properties"]
        variants: list[dict[str, Any]] = [draft]
        for item in registry().all():
            variant = deepcopy(handler.resolve_ref_schema(handler(item.config.__pydantic_core_schema__)))
            variant["title"] = f"{cls.__name__}: {item.title}"
            shared = {name: beside[name] for name in ("name", "async") if name in beside}
            variant["properties"] = {**shared, **variant["properties"]}
            needed = [*draft.get("required", ()), *variant.get("required", ())]
            variant["required"] = list(dict.fromkeys(needed if cls.whole_form else ["type"]))
            variants.append(variant)
        return {"title": cls.__name__, "description": draft.pop("description", ""), "anyOf": variants}


class NewTool(_ToolBody):
    """A tool: its name and its type's form. With a name alone (and label and description) it is a draft."""

    name: ToolName
    label: Label = ""
    description: Description = ""

    @model_validator(mode="after")
    def _typed_unless_draft(self) -> NewTool:
        extra = self.model_extra or {}
        if extra.get("type") is None and (stray := sorted(extra.keys() - _DRAFT_FIELDS - {"type"})):
            raise PydanticCustomError("missing_type", "Send a type for the form; without one, {stray} means nothing",
                                      {"stray": stray[0][:60]})  # fmt: skip
        return self


class ToolChange(_ToolBody):
    """What changes. Each field of the form replaces the one of that name, null removes it; another `type` begins a
    new form."""

    whole_form: ClassVar[bool] = False
    name: ToolName | None = None
    label: Label | None = None
    description: Description | None = None


class PreviewRequest(_ToolBody):
    """A form that is not saved yet, as in `NewTool`; the name may be missing."""

    name: ToolName | None = None
    label: Label = ""
    description: Description = ""


_JSON_OBJECT = WithJsonSchema({"type": "object"})


class FunctionSchema(BaseModel):
    """What the model gets."""

    name: str
    description: str
    parameters: Annotated[dict[str, Any], _JSON_OBJECT]


class ToolOut(BaseModel):
    id: uuid.UUID
    name: str
    label: str
    description: str
    type: str | None = Field(description="null: a draft")
    function_schema: FunctionSchema | None
    static_config: dict[str, Any] = Field(description="Fixed values, which the model neither sees nor changes.")
    config_metadata: dict[str, Any] = Field(description="The form as it was posted, to edit it again.")
    is_async: bool = Field(alias="async")
    platform_tool_id: uuid.UUID | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, tool: Tool) -> ToolOut:
        schema = FunctionSchema.model_validate(tool.function_schema) if tool.function_schema else None
        shown = {name: getattr(tool, name) for name in cls.model_fields}
        return cls.model_validate({**shown, "function_schema": schema, "async": tool.is_async})


class ToolEnvelope(BaseModel):
    tool: ToolOut


class ToolList(BaseModel):
    tools: list[ToolOut]
    next_cursor: str | None


class PreviewOut(BaseModel):
    function_schema: FunctionSchema
    static_config: dict[str, Any]
    config_metadata: dict[str, Any]
    insight: dict[str, Any] = Field(description="What an operator wants to know before saving: cost, size, risk.")


class PreviewEnvelope(BaseModel):
    preview: PreviewOut
