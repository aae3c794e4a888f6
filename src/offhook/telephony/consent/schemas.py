"""The suppression list and its record on the wire."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from offhook.core.http import Form, Text
from offhook.telephony.consent.opting import How, Reason


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class SuppressionOut(_Out):
    number: str
    reason: Reason = Field(
        description="keyword: the person wrote STOP or a synonym; free_form: asked in words of their own; carrier: the "
        "carrier says they opted out; unreachable: the number takes no texts; operator: entered by you."
    )
    created_at: datetime


class NewSuppression(Form):
    number: Annotated[Text, Field(max_length=64)]
    reason: Literal["operator", "keyword", "free_form", "carrier"] = Field(
        "operator",
        description="Others than operator are for what the person said, to an agent or before they came here: START "
        "takes them back.",
    )


class ConsentEventOut(_Out):
    id: uuid.UUID
    number: str
    kind: Literal["opt_out", "opt_in", "help"]
    how: How = Field(
        description="keyword or free_form: the person's own words; opt_out_type: the carrier read the text and said "
        "so; carrier: it refused a text because of it; operator: entered by you."
    )
    channel: str
    message_id: uuid.UUID | None = Field(description="The text that said so, or that the carrier refused.")
    created_at: datetime


class ConsentEventList(BaseModel):
    consent_events: list[ConsentEventOut]
    next_cursor: str | None


class SuppressionEnvelope(BaseModel):
    suppression: SuppressionOut


class SuppressionList(BaseModel):
    suppressions: list[SuppressionOut]
    next_cursor: str | None
