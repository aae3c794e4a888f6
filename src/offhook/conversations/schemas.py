"""What goes over the wire at the gateway."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Channel = Literal["room", "phone", "relay", "sms", "web"]
Name = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class OpenConversation(BaseModel):
    """A worker opens a conversation. `id` is made by the client: opened twice, it is one conversation."""

    model_config = ConfigDict(extra="forbid")

    id: uuid.UUID
    channel: Channel
    agent_id: uuid.UUID | None = None
    our_number: str | None = Field(None, max_length=64, description="The number called; finds the agent without an id")
    person_number: str | None = Field(None, max_length=64, description="Who calls or texts, as signalling says")
    room_name: Name | None = None
    room_sid: Name | None = None
    participant_identity: Name | None = None
    carrier_call_id: Name | None = None
    variables: dict[str, Any] = Field(default_factory=dict, description="Values passed at dispatch")


class ConversationOut(BaseModel):
    id: uuid.UUID
    agent_id: uuid.UUID
    channel: Channel
    person_number: str | None
    our_number: str | None
    opened_at: datetime
    closed_at: datetime | None = None
    close_reason: str | None = None


class ReleaseAgentOut(BaseModel):
    id: uuid.UUID
    name: str
    instructions: str = Field(description="Variables are put in")
    greeting: str
    settings: dict[str, Any]


class FunctionOut(BaseModel):
    """What the model sees, and what the worker needs to know to call it."""

    name: str
    description: str
    parameters: dict[str, Any]
    tool_id: uuid.UUID
    timeout_seconds: float
    repeatable: Literal["yes", "with_key", "no"]
    runs_in: Literal["gateway", "session"]


class ReleaseOut(BaseModel):
    id: uuid.UUID
    digest: str
    agent: ReleaseAgentOut
    functions: list[FunctionOut]


class OpenedConversation(BaseModel):
    conversation: ConversationOut
    release: ReleaseOut


class ConversationEnvelope(BaseModel):
    conversation: ConversationOut


class ConversationList(BaseModel):
    conversations: list[ConversationOut]
    next_cursor: str | None


class VoiceCallOut(BaseModel):
    """The voice part of a conversation; without one where the agent in the room knows nothing of Offhook."""

    id: uuid.UUID
    conversation_id: uuid.UUID | None
    agent_id: uuid.UUID | None
    room_name: str
    client_phone: str | None
    our_number: str | None
    carrier_call_id: str | None
    direction: Literal["inbound", "outbound"]
    status: Literal["open", "closed"]
    opened_at: datetime
    closed_at: datetime | None
    close_reason: str | None


class VoiceCallList(BaseModel):
    voice_calls: list[VoiceCallOut]
    next_cursor: str | None


class ToolCallRecord(BaseModel):
    """One execution of a function, without what was said."""

    id: uuid.UUID
    tool_id: uuid.UUID | None
    function: str
    user_turn: int
    status: Literal["started", "done", "failed"]
    effect: Literal["none", "done", "unknown"] | None
    error_code: str | None
    error_detail: str | None = Field(description="Why it failed, for people; the model is not told it.")
    duration_ms: float | None
    started_at: datetime
    finished_at: datetime | None


class ToolCallList(BaseModel):
    tool_calls: list[ToolCallRecord]
    next_cursor: str | None


class MakeToolCall(BaseModel):
    """`id` is made by the client and stays the same when the request is sent again: the call runs once."""

    model_config = ConfigDict(extra="forbid")

    id: uuid.UUID
    function: str = Field(min_length=1, max_length=64)
    arguments: Any = None
    user_turn: int = Field(0, ge=0, le=1_000_000)


class ToolCallOut(BaseModel):
    id: uuid.UUID
    function: str
    status: Literal["done", "failed"]
    effect: Literal["none", "done", "unknown"]
    is_error: bool
    repeated: bool
    answer: dict[str, Any]
    duration_ms: float


class ToolCallEnvelope(BaseModel):
    tool_call: ToolCallOut


class CloseConversation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field("ended", max_length=100)


class AgentConfigOut(BaseModel):
    """What an agent that knows nothing of Offhook needs to speak for one of ours."""

    agent_id: uuid.UUID
    name: str
    instructions: str
    greeting: str
    settings: dict[str, Any]
    functions: list[dict[str, Any]]
