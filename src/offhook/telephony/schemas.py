"""Accounts, numbers, suppressions and messages on the wire."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from offhook.core.http import Form, JsonObject, Text
from offhook.core.segments import MAX_BODY_CHARACTERS
from offhook.telephony.models import Message

Label = Annotated[Text, Field(max_length=100)]
BaseUrl = Annotated[Text, Field(max_length=300)]
Pace = Annotated[float, Field(gt=0, le=1000)]


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class CarrierAccountOut(_Out):
    """Without credentials: those are written and never read."""

    id: uuid.UUID
    carrier: str
    label: str
    external_account_id: str
    base_url: str | None
    messages_per_second: float
    stopped_reason: str | None = Field(description="Set: nothing is sent until new credentials are entered.")
    created_at: datetime
    updated_at: datetime


class NewCarrierAccount(Form):
    carrier: Text
    external_account_id: Annotated[Text, Field(max_length=100)]
    credentials: JsonObject = Field(description="As the carrier's own form asks; kept encrypted, never shown.")
    label: Label = ""
    base_url: BaseUrl | None = Field(None, description="For an emulator.")
    messages_per_second: Pace = 1.0


class CarrierAccountChange(Form):
    """What is not sent stays."""

    label: Label | None = None
    base_url: BaseUrl | None = Field(None, description="Null: the carrier's own. Another one needs `credentials` too.")
    messages_per_second: Pace | None = Field(None, description="Null: 1, which is a new account's.")
    credentials: JsonObject = Field(
        default_factory=dict, description="Entered anew: sending goes on where it was stopped for the old ones."
    )


class CarrierAccountEnvelope(BaseModel):
    carrier_account: CarrierAccountOut


class CarrierAccountList(BaseModel):
    carrier_accounts: list[CarrierAccountOut]
    next_cursor: str | None


class PhoneNumberOut(_Out):
    id: uuid.UUID
    number: str
    label: str
    carrier_account_id: uuid.UUID | None
    agent_id: uuid.UUID | None
    created_at: datetime


class NewPhoneNumber(Form):
    number: Annotated[Text, Field(max_length=64)]
    label: Label = ""
    carrier_account_id: uuid.UUID | None = Field(None, description="Without one, the number cannot text.")
    agent_id: uuid.UUID | None = Field(None, description="Who answers it.")


class PhoneNumberChange(Form):
    """What is not sent stays; null clears."""

    label: Label | None = None
    carrier_account_id: uuid.UUID | None = Field(None, description="Null: the number cannot text.")
    agent_id: uuid.UUID | None = Field(None, description="Who answers it. Null: nobody.")


class PhoneNumberEnvelope(BaseModel):
    phone_number: PhoneNumberOut


class PhoneNumberList(BaseModel):
    phone_numbers: list[PhoneNumberOut]
    next_cursor: str | None


class SuppressionOut(_Out):
    number: str
    reason: str = Field(description="carrier: told by the carrier; operator: entered; keyword: the person wrote so.")
    created_at: datetime


class NewSuppression(Form):
    number: Annotated[Text, Field(max_length=64)]
    reason: Literal["operator", "keyword", "carrier"] = "operator"


class SuppressionEnvelope(BaseModel):
    suppression: SuppressionOut


class SuppressionList(BaseModel):
    suppressions: list[SuppressionOut]
    next_cursor: str | None


class MessageOut(_Out):
    id: uuid.UUID
    direction: str
    origin: str
    operation_id: str | None
    conversation_id: uuid.UUID | None
    from_number: str = Field(serialization_alias="from")
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
