"""What texts carry besides words, as values."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from offhook.core.db.pool import Row
from offhook.core.texts import MediumWish as MediumWish

MAX_PER_TEXT: Final = 10
"""Of any carrier: facts/telephony.md 1.1 (MediaUrl ≤ 10); Telnyx says the same."""


@dataclass(frozen=True, slots=True)
class Medium:
    """One that we keep: its row. The bytes are in the store under its id, until `erased_at`."""

    id: uuid.UUID
    organization_id: uuid.UUID
    origin: str
    """upload or inbound."""
    content_type: str
    """What its first bytes are, whatever was declared."""
    size_bytes: int
    sha256: bytes
    filename: str | None = field(repr=False)
    """As its sender called it; None where it had no name, and once it is erased."""
    created_at: datetime
    erased_at: datetime | None = None


MEDIUM_COLUMNS: Final = ", ".join(Medium.__slots__)


def medium_of(row: Row) -> Medium:
    """A row with MEDIUM_COLUMNS."""
    return Medium(**{name: row[name] for name in Medium.__slots__})


@dataclass(frozen=True, slots=True)
class MessageMedium:
    """One medium of a message, outbound or inbound."""

    message_id: uuid.UUID
    position: int
    media_id: uuid.UUID | None
    """Ours; None: somebody else's, or inbound and not fetched."""
    url: str | None = field(repr=False)
    """Somebody else's address."""
    content_type: str
    size_bytes: int | None
    note: str | None
    """Why an inbound one is not here, and who must act."""
    filename: str | None = field(default=None, repr=False)
    erased_at: datetime | None = None


MESSAGE_MEDIUM_COLUMNS: Final = (
    "c.message_id, c.position, c.media_id, c.url, c.content_type, c.size_bytes, c.note, m.filename, m.erased_at"
)
"""Of `message_media c left join media m`."""


def message_medium_of(row: Row) -> MessageMedium:
    """A row with MESSAGE_MEDIUM_COLUMNS."""
    return MessageMedium(**{name: row[name] for name in MessageMedium.__slots__})
