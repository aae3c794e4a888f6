"""`GET /api/conversations`, their tool calls, and `GET /api/voice-calls`."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from offhook.conversations.reading import ConversationReader
from offhook.conversations.schemas import (
    ConversationEnvelope,
    ConversationList,
    ConversationOut,
    ToolCallList,
    ToolCallRecord,
    VoiceCallList,
    VoiceCallOut,
)
from offhook.core.http import Paged, Text, provided
from offhook.organizations.auth import AuthenticatedRoute, ReadCaller

router = APIRouter(prefix="/api", tags=["conversations"], route_class=AuthenticatedRoute)

Reader = Annotated[ConversationReader, Depends(provided(ConversationReader))]


@router.get("/conversations")
async def list_conversations(
    caller: ReadCaller,
    page: Paged,
    reader: Reader,
    agent_id: Annotated[uuid.UUID | None, Query(description="Only this agent's.")] = None,
) -> ConversationList:
    """The organization's conversations, newest first."""
    found, cursor = await reader.conversations(caller.organization_id, page, agent_id)
    return ConversationList(
        conversations=[ConversationOut.model_validate(dict(record.row)) for record in found], next_cursor=cursor
    )


@router.get("/conversations/{conversation_id}")
async def read_conversation(conversation_id: uuid.UUID, caller: ReadCaller, reader: Reader) -> ConversationEnvelope:
    row = await reader.get(caller.organization_id, conversation_id)
    return ConversationEnvelope(conversation=ConversationOut.model_validate(dict(row)))


@router.get("/conversations/{conversation_id}/tool-calls")
async def list_tool_calls(conversation_id: uuid.UUID, caller: ReadCaller, page: Paged, reader: Reader) -> ToolCallList:
    """What the agent did in the conversation, newest first. Arguments and answers are not shown."""
    found, cursor = await reader.tool_calls(caller.organization_id, page, conversation_id)
    return ToolCallList(
        tool_calls=[ToolCallRecord.model_validate(dict(record.row)) for record in found], next_cursor=cursor
    )


@router.get("/voice-calls")
async def list_voice_calls(
    caller: ReadCaller,
    page: Paged,
    reader: Reader,
    room_name: Annotated[Text | None, Query(max_length=256, description="Only calls in rooms of this name.")] = None,
) -> VoiceCallList:
    """The organization's calls in rooms, newest first."""
    found, cursor = await reader.voice_calls(caller.organization_id, page, room_name)
    return VoiceCallList(
        voice_calls=[VoiceCallOut.model_validate(dict(record.row)) for record in found], next_cursor=cursor
    )
