"""An alert as a value."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AlertKind(StrEnum):
    ACCOUNT_STOPPED = "account_stopped"
    """`subject`: the account's id."""
    SENDER_STOPPED = "sender_stopped"
    """`subject`: the number, or the carrier's id of the messaging service."""
    TEXT_REFUSED = "text_refused"
    """`subject`: the carrier's code."""
    TEXT_GIVEN_UP = "text_given_up"
    """`subject`: why, as the message's `error_code` has it."""
    DAY_USED_UP = "day_used_up"
    """`subject`: the setting that says how much a day has."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One per matter, however often it happens; `resolved_at`: somebody has acted."""

    id: uuid.UUID
    organization_id: uuid.UUID
    kind: str
    subject: str
    sentence: str
    seen_count: int
    first_at: datetime
    last_at: datetime
    resolved_at: datetime | None

    @property
    def created_at(self) -> datetime:
        """What a list is ordered by."""
        return self.first_at
