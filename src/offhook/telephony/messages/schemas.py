"""Messages on the wire."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from offhook.core.texts.splitting import MAX_CHARACTERS
from offhook.telephony.amounts import Amount, amount_text
from offhook.telephony.media.models import MessageMedium
from offhook.telephony.media.schemas import MessageMediumOut
from offhook.telephony.messages.intake import MAX_OPERATION_ID, MAX_VALIDITY_SECONDS
from offhook.telephony.messages.models import Message, Priority
from offhook.telephony.messages.wishes import MAX_MEDIA, PRIORITIES


class HoldOut(BaseModel):
    """Why a queued text does not go now."""

    reason: str = Field(
        description="`quiet_hours`, `time_zone_unknown`, `recipient_cap`, `daily_cap`, `sender_stopped`, "
        "`account_stopped` and the like."
    )
    sentence: str
    until: datetime | None = Field(
        description="When it is over, and the text is looked at again. Null: an operator must act, or the text expires "
        "before."
    )


Status = Literal["queued", "sending", "accepted", "sent", "delivered", "undelivered", "failed", "canceled", "received"]


class CostOut(BaseModel):
    estimated: Amount | None = Field(description="Before it was sent, by segments and the account's prices.")
    price: Amount | None = Field(description="What the carrier says it cost; null until it does.")
    currency: str | None


class MessageOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    direction: str
    origin: str
    operation_id: str | None
    conversation_id: uuid.UUID | None
    from_number: str | None = Field(
        serialization_alias="from", description="Null until a messaging service has picked one."
    )
    messaging_service_id: uuid.UUID | None
    to_number: str = Field(serialization_alias="to")
    body: str = Field(description="Empty once it is redacted.")
    media: list[MessageMediumOut]
    encoding: str
    segments: int = Field(description="As billed: a text with media is one.")
    part: int = Field(description="Of a text that was split: which one, from 1.")
    parts: int
    status: str
    priority: str
    hold: HoldOut | None
    carrier_message_id: str | None
    attempt: int
    send_at: datetime = Field(
        description="When it is expected to go, or went; of one that expires before, when it does."
    )
    expires_at: datetime | None = Field(description="It is not sent any more after that.")
    recipient_time_zone: str | None
    error_code: str | None
    decision: str | None = Field(description="What was done about it, and why.")
    retry_of: uuid.UUID | None = Field(description="The text that was not delivered and that this one repeats.")
    cost: CostOut
    redacted_at: datetime | None
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None
    finished_at: datetime | None


class MessageEnvelope(BaseModel):
    message: MessageOut


class MessageList(BaseModel):
    messages: list[MessageOut]
    next_cursor: str | None


def message_view(message: Message, media: Sequence[MessageMedium]) -> MessageOut:
    hold = None
    if message.status == "queued" and message.hold_reason is not None:
        hold = HoldOut(reason=message.hold_reason, sentence=message.decision or "", until=message.held_until)
    cost = CostOut(estimated=message.estimated_cost, price=message.price, currency=message.price_currency)
    known = {name: value for name, value in asdict(message).items() if name not in ("priority", "price")}
    return MessageOut.model_validate(
        {
            **known,
            "priority": _PRIORITY_NAMES.get(message.priority, "normal"),
            "hold": hold,
            "cost": cost,
            "media": [MessageMediumOut.model_validate(medium) for medium in media],
        }
    )


_PRIORITY_NAMES: Final = {int(item): item.name.lower() for item in Priority}


def placed_view(message: Message) -> dict[str, Any]:
    """What `POST /api/messages` answers, built by hand because it is a hot route."""
    cost = message.estimated_cost
    return {
        "id": str(message.id),
        "operation_id": message.operation_id,
        "from": message.from_number,
        "messaging_service_id": None if message.messaging_service_id is None else str(message.messaging_service_id),
        "to": message.to_number,
        "status": message.status,
        "encoding": message.encoding,
        "segments": message.segments,
        "part": message.part,
        "parts": message.parts,
        "estimated_cost": None if cost is None else amount_text(cost),
        "price_currency": message.price_currency,
        "send_at": message.send_at.isoformat(),
    }


NEW_MESSAGE_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["to"],
    "additionalProperties": False,
    "properties": {
        "to": {"type": "string", "description": "E.164, such as +12025550140."},
        "from": {
            "type": ["string", "null"],
            "description": "One of the organization's numbers; needed where it has several senders and no "
            "`messaging_service_id` is given.",
        },
        "messaging_service_id": {
            "type": ["string", "null"],
            "format": "uuid",
            "description": "Instead of `from`: a pool of senders, of which the carrier picks the number.",
        },
        "body": {
            "type": ["string", "null"],
            "maxLength": MAX_CHARACTERS,
            "description": "Needed unless there are media. Carriers take 1600 characters in one text, or fewer.",
        },
        "media": {
            "type": ["array", "null"],
            "maxItems": MAX_MEDIA,
            "description": "What it carries besides words: uploaded media, or public addresses.",
            "items": {
                "anyOf": [
                    {
                        "type": "object",
                        "required": ["media_id"],
                        "additionalProperties": False,
                        "properties": {"media_id": {"type": "string", "format": "uuid"}},
                    },
                    {
                        "type": "object",
                        "required": ["url"],
                        "additionalProperties": False,
                        "properties": {"url": {"type": "string"}},
                    },
                ]
            },
        },
        "priority": {
            "type": ["string", "null"],
            "enum": [*PRIORITIES, None],
            "description": "Who goes first among the texts of a sender. Unset: `conversation` where there is a "
            "`conversation_id`, else `normal`.",
        },
        "validity_seconds": {
            "type": ["integer", "null"],
            "minimum": 1,
            "maximum": MAX_VALIDITY_SECONDS,
            "description": "Not sent any more when it has waited that long.",
        },
        "recipient_time_zone": {
            "type": ["string", "null"],
            "description": "IANA, such as America/New_York, for quiet hours. Unset: read off the number.",
        },
        "smart_encoding": {
            "type": ["boolean", "null"],
            "description": "Exchange characters that look like GSM-7 ones (curly quotes, dashes, …) for those, where "
            "the text then takes fewer segments.",
        },
        "strip_markdown": {"type": ["boolean", "null"], "description": "Make plain words of Markdown."},
        "split": {
            "type": ["boolean", "null"],
            "description": "Send what is too long for one text as several, at most 10.",
        },
        "operation_id": {
            "type": ["string", "null"],
            "maxLength": MAX_OPERATION_ID,
            "description": "Your name for this text: sent twice with the same one, it is placed once.",
        },
        "conversation_id": {"type": ["string", "null"], "format": "uuid"},
    },
}

_PLACED_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": [
        "id", "operation_id", "from", "messaging_service_id", "to", "status", "encoding", "segments", "part", "parts",
        "estimated_cost", "price_currency", "send_at",
    ],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "operation_id": {"type": ["string", "null"]},
        "from": {"type": ["string", "null"]},
        "messaging_service_id": {"type": ["string", "null"], "format": "uuid"},
        "to": {"type": "string"},
        "status": {"type": "string"},
        "encoding": {"type": "string", "enum": ["GSM-7", "UCS-2"]},
        "segments": {"type": "integer"},
        "part": {"type": "integer"},
        "parts": {"type": "integer"},
        "estimated_cost": {"type": ["string", "null"], "description": "A decimal number."},
        "price_currency": {"type": ["string", "null"]},
        "send_at": {"type": "string", "format": "date-time", "description": "When its sender's pace lets it go."},
    },
}  # fmt: skip

_WORDING_PROPERTIES: Final[dict[str, Any]] = {
    "markdown_stripped": {"type": "boolean"},
    "replaced": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "Character → what was sent for it.",
    },
}

PLACED_MESSAGE_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "message": _PLACED_SCHEMA,
        "messages": {"type": "array", "items": _PLACED_SCHEMA, "description": "With `split`: every part, in order."},
        "wording": {
            "type": "object",
            "required": [*_WORDING_PROPERTIES],
            "properties": _WORDING_PROPERTIES,
            "description": "With `strip_markdown` or `smart_encoding`: what was done to the words.",
        },
    },
}

ESTIMATE_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["estimate"],
    "properties": {
        "estimate": {
            "type": "object",
            "required": [
                "to", "from", "messaging_service_id", "encoding", "segments", "forced_by", "parts", "markdown_stripped",
                "replaced", "cost", "currency", "price_source",
            ],
            "properties": {
                "to": {"type": "string"},
                "from": {"type": ["string", "null"]},
                "messaging_service_id": {"type": ["string", "null"], "format": "uuid"},
                "encoding": {"type": "string", "enum": ["GSM-7", "UCS-2"], "description": "UCS-2 if any part is."},
                "segments": {"type": "integer", "description": "Of all parts, as billed."},
                "forced_by": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "The first characters that GSM-7 lacks.",
                },
                "parts": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["body", "encoding", "units", "segments"],
                        "properties": {
                            "body": {"type": "string", "description": "As it would be sent."},
                            "encoding": {"type": "string", "enum": ["GSM-7", "UCS-2"]},
                            "units": {"type": "integer", "description": "Septets of GSM-7, 16-bit units of UCS-2."},
                            "segments": {"type": "integer"},
                        },
                    },
                },
                **_WORDING_PROPERTIES,
                "cost": {"type": ["string", "null"], "description": "A decimal number; null: the price is not known."},
                "currency": {"type": ["string", "null"]},
                "price_source": {"type": ["string", "null"], "description": "Whose prices these are."},
            },
        }
    },
}  # fmt: skip
