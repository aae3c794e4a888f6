"""Alerts on the wire."""

from __future__ import annotations

import uuid
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class AlertOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    kind: str = Field(
        description="account_stopped, sender_stopped: its texts wait until it is started again; text_refused: the "
        "carrier refused a text for a reason that an operator can remove; day_used_up: the organization's day has no "
        "more room."
    )
    subject: str = Field(description="The account's id, the sender, or the carrier's code.")
    sentence: str
    seen_count: int
    first_at: datetime
    last_at: datetime
    resolved_at: datetime | None


class AlertEnvelope(BaseModel):
    alert: AlertOut


class AlertList(BaseModel):
    alerts: list[AlertOut]
    next_cursor: str | None


class Started(BaseModel):
    was_stopped: bool
