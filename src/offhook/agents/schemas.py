"""Agents and their tools on the wire."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from offhook.agents.attachments import function_names
from offhook.agents.models import AgentTool
from offhook.core.http import Form, JsonObject, Text
from offhook.organizations.variables import MAX_DECLARED, DeclaredVariable

AgentName = Annotated[Text, StringConstraints(strip_whitespace=True), Field(min_length=1, max_length=100)]
Instructions = Annotated[Text, Field(max_length=60_000, description="May use variables that are declared.")]
Greeting = Annotated[Text, Field(max_length=2_000, description="May use variables that are declared.")]
Variables = Annotated[list[DeclaredVariable], Field(max_length=MAX_DECLARED)]
FunctionNames = Annotated[list[Annotated[Text, Field(max_length=64)]], Field(max_length=100)]


class NewAgent(Form):
    name: AgentName
    instructions: Instructions = ""
    greeting: Greeting = ""
    settings: JsonObject = Field(default_factory=dict, description="Models, `time_zone` and the like.")
    variables: Variables = Field(default_factory=list[DeclaredVariable])


class AgentChange(Form):
    """What is not sent stays. Keys of `settings` replace those of the same name, null removes one."""

    name: AgentName | None = None
    instructions: Instructions | None = None
    greeting: Greeting | None = None
    settings: JsonObject | None = None
    variables: Variables | None = None


class AgentOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    name: str
    instructions: str
    greeting: str
    settings: dict[str, Any]
    variables: list[DeclaredVariable]
    created_at: datetime
    updated_at: datetime


class AgentEnvelope(BaseModel):
    agent: AgentOut


class AgentList(BaseModel):
    agents: list[AgentOut]
    next_cursor: str | None


class Attachment(Form):
    """A tool to attach."""

    tool_id: uuid.UUID
    is_enabled: bool = True
    config: JsonObject = Field(default_factory=dict)
    sensitive_config: JsonObject | None = Field(None, description="Goes in and never comes out again.")
    disabled_functions: FunctionNames = Field(default_factory=list[Text])


class AttachmentChange(Form):
    """What is not sent stays; a null `sensitive_config` deletes it."""

    is_enabled: bool | None = None
    config: JsonObject | None = None
    sensitive_config: JsonObject | None = None
    disabled_functions: FunctionNames | None = None


class AttachedFunction(BaseModel):
    name: str
    called_as: str | None = Field(
        description="What this agent's model calls it: prefixed where names collide; null while it is switched off."
    )


class AttachedTool(BaseModel):
    id: uuid.UUID
    name: str
    type: str | None


class AgentToolOut(BaseModel):
    id: uuid.UUID
    agent_id: uuid.UUID
    tool_id: uuid.UUID
    tool: AttachedTool
    is_enabled: bool
    config: dict[str, Any]
    has_sensitive_config: bool
    disabled_functions: list[str]
    functions: list[AttachedFunction]
    created_at: datetime

    @classmethod
    def of(cls, link: AgentTool) -> AgentToolOut:
        return cls(
            id=link.id,
            agent_id=link.agent_id,
            tool_id=link.tool_id,
            tool=AttachedTool(id=link.tool_id, name=link.tool_name, type=link.tool_type),
            is_enabled=link.is_enabled,
            config=dict(link.config),
            has_sensitive_config=link.sensitive_config is not None,
            disabled_functions=list(link.disabled_functions),
            functions=[
                AttachedFunction(name=name, called_as=link.called_as.get(name))
                for name in function_names(link.function_schema)
            ],
            created_at=link.created_at,
        )


class AgentToolEnvelope(BaseModel):
    agent_tool: AgentToolOut


class AgentToolList(BaseModel):
    agent_tools: list[AgentToolOut]
    next_cursor: None = Field(None, description="Always null: an agent has at most 100 tools.")
