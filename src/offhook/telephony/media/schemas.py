"""Media on the wire."""

from __future__ import annotations

import uuid
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from offhook.telephony.media.models import Medium


class MediumOut(BaseModel):
    id: uuid.UUID
    origin: str = Field(description="`upload` or `inbound`.")
    content_type: str = Field(description="What its bytes are.")
    size_bytes: int
    sha256: str = Field(description="In hexadecimal digits.")
    filename: str | None
    created_at: datetime
    erased_at: datetime | None = Field(description="Its bytes are gone; the row stays for the messages.")
    url: str | None = Field(description="An address that needs no key, good for an hour; null once it is erased.")


class MediumEnvelope(BaseModel):
    medium: MediumOut


class MediaList(BaseModel):
    media: list[MediumOut]
    next_cursor: str | None


class MessageMediumOut(BaseModel):
    """One medium of a message; validated from a MessageMedium."""

    model_config = ConfigDict(from_attributes=True)

    position: int
    media_id: uuid.UUID | None = Field(description="Ours: `GET /api/media/{media_id}`.")
    url: str | None = Field(description="Somebody else's address; the carrier's of an inbound one not fetched yet.")
    content_type: str
    size_bytes: int | None
    note: str | None = Field(description="Why an inbound one could not be fetched.")
    erased_at: datetime | None


def medium_out(medium: Medium, url: str | None) -> MediumOut:
    return MediumOut(
        id=medium.id,
        origin=medium.origin,
        content_type=medium.content_type,
        size_bytes=medium.size_bytes,
        sha256=medium.sha256.hex(),
        filename=medium.filename,
        created_at=medium.created_at,
        erased_at=medium.erased_at,
        url=url,
    )
