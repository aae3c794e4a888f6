"""The suppression list on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from offhook.core.http import Form, Text

Label = Annotated[Text, Field(max_length=100)]
BaseUrl = Annotated[Text, Field(max_length=300)]
Pace = Annotated[float, Field(gt=0, le=1000)]


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


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
