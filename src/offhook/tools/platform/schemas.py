"""The catalogue on the wire."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from offhook.core.http import Form, JsonObject, Text
from offhook.tools.names import FUNCTION_NAME

FunctionName = Annotated[str, StringConstraints(pattern=FUNCTION_NAME.pattern)]
DisplayName = Annotated[Text, Field(min_length=1, max_length=100)]
Description = Annotated[Text, Field(max_length=4000)]
Version = Annotated[Text, Field(min_length=1, max_length=40)]
AuthType = Literal["none", "api_key", "basic", "oauth2"]
Source = Literal["code", "database"]


class Function(Form):
    """One function, as the model gets it."""

    name: FunctionName
    description: Annotated[Text, Field(max_length=4000)] = ""
    parameters: JsonObject = Field(
        default_factory=lambda: {"type": "object", "properties": {}},
        description="JSON Schema of an object.",
    )


class FunctionsSchema(Form):
    functions: Annotated[list[Function], Field(max_length=100)] = Field(default_factory=list[Function])


class NewPlatformTool(Form):
    """A catalogue entry of the organization's own, with its functions as data."""

    name: FunctionName
    display_name: DisplayName
    description: Description = ""
    config_schema: JsonObject = Field(default_factory=dict, description="JSON Schema of the form; not for the model.")
    auth_type: AuthType = "none"
    auth_config: JsonObject = Field(default_factory=dict, description="How to authenticate; no credentials.")
    tool_functions_schema: FunctionsSchema = Field(default_factory=FunctionsSchema)
    version: Version = "1"


class PlatformToolChange(Form):
    """What is not sent stays. The name stays as it is: tools and code refer to it."""

    display_name: DisplayName | None = None
    description: Description | None = None
    config_schema: JsonObject | None = None
    auth_type: AuthType | None = None
    auth_config: JsonObject | None = None
    tool_functions_schema: FunctionsSchema | None = None
    version: Version | None = None


class PlatformToolOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    organization_id: uuid.UUID | None = Field(description="null: everybody's")
    name: str
    display_name: str
    description: str
    config_schema: dict[str, Any]
    auth_type: str
    auth_config: dict[str, Any]
    tool_functions_schema: dict[str, Any]
    source: Source
    version: str
    created_at: datetime
    updated_at: datetime


class PlatformToolEnvelope(BaseModel):
    platform_tool: PlatformToolOut


class PlatformToolList(BaseModel):
    platform_tools: list[PlatformToolOut]
    next_cursor: str | None
