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
class Verdict:
    """Whether a number may be texted; `sentence` is for the model."""

    allowed: bool
    code: str = ""
    sentence: str = ""
