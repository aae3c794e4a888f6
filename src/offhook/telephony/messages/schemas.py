"""Messages on the wire."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from offhook.core.http import Text
from offhook.core.segments import MAX_BODY_CHARACTERS
from offhook.telephony.messages.models import Message

Label = Annotated[Text, Field(max_length=100)]
BaseUrl = Annotated[Text, Field(max_length=300)]
Pace = Annotated[float, Field(gt=0, le=1000)]


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class MessageOut(_Out):
    id: uuid.UUID
    direction: str
    origin: str
    operation_id: str | None
    conversation_id: uuid.UUID | None
    from_number: str | None = Field(serialization_alias="from")
    to_number: str = Field(serialization_alias="to")
    body: str
    encoding: str
    segments: int
    status: str
    carrier_message_id: str | None
    attempt: int
    send_at: datetime
    error_code: str | None
    decision: str | None = Field(description="What was done about it, and why.")
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None
    finished_at: datetime | None


class MessageEnvelope(BaseModel):
    message: MessageOut


class MessageList(BaseModel):
    messages: list[MessageOut]
    next_cursor: str | None


def placed_view(message: Message) -> dict[str, Any]:
    """What `POST /api/messages` answers, built by hand because it is a hot route."""
    return {
        "message": {
            "id": str(message.id),
            "operation_id": message.operation_id,
            "from": message.from_number,
            "to": message.to_number,
            "status": message.status,
            "encoding": message.encoding,
            "segments": message.segments,
            "send_at": message.send_at.isoformat(),
        }
    }


NEW_MESSAGE_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["to", "body"],
    "additionalProperties": False,
    "properties": {
        "to": {"type": "string", "description": "E.164, such as +12025550140."},
        "from": {"type": "string", "description": "One of the organization's numbers; needed where it has several."},
        "body": {"type": "string", "minLength": 1, "maxLength": MAX_BODY_CHARACTERS},
        "operation_id": {
            "type": "string",
            "maxLength": 200,
            "description": "Your name for this text: sent twice with the same one, it is placed once.",
        },
        "conversation_id": {"type": "string", "format": "uuid"},
    },
}

PLACED_MESSAGE_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "message": {
            "type": "object",
            "required": ["id", "operation_id", "from", "to", "status", "encoding", "segments", "send_at"],
            "properties": {
                "id": {"type": "string", "format": "uuid"},
                "operation_id": {"type": ["string", "null"]},
                "from": {"type": "string"},
                "to": {"type": "string"},
                "status": {"type": "string"},
                "encoding": {"type": "string", "enum": ["GSM-7", "UCS-2"]},
                "segments": {"type": "integer"},
                "send_at": {"type": "string", "format": "date-time", "description": "The slot its sender's pace gave."},
            },
        }
    },
}
