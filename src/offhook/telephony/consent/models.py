"""Who may be texted, as values."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Suppression:
    """A number that has opted out of the organization's texts. `id` is made of the number, for pages to count by."""

    id: uuid.UUID
    number: str = field(repr=False)
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """Somebody's wish, as it was written down. `kind`: opt_out, opt_in or help; `how` and `channel`: the way it came;
    `message_id`: the text that said so, or that a carrier refused for it."""

    id: uuid.UUID
    number: str = field(repr=False)
    kind: str
    how: str
    channel: str
    message_id: uuid.UUID | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a number may be texted; `sentence` is for the model."""

    allowed: bool
    code: str = ""
    sentence: str = ""
