"""Media that people text us: noted with their message, fetched from the carrier by a job."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final, Protocol

from offhook.core.db.jobs import enqueue
from offhook.core.db.pool import Connection
from offhook.core.ids import new_id
from offhook.core.text import clean_text
from offhook.telephony.carrier import InboundMedium
from offhook.telephony.media import queries
from offhook.telephony.media.models import MAX_PER_TEXT

FETCH: Final = "media.fetch"


class Received(Protocol):
    """An inbound message that is stored."""

    @property
    def id(self) -> uuid.UUID: ...
    @property
    def organization_id(self) -> uuid.UUID: ...


async def enqueue_inbound_media(connection: Connection, message: Received, media: Sequence[InboundMedium]) -> None:
    """Note what an inbound message carries, and have it fetched: in the transaction that stores the message, after
    its row. At most MAX_PER_TEXT; what is beyond them is left at the carrier."""
    kept = [
        InboundMedium(clean_text(medium.url), clean_text(medium.content_type).lower())
        for medium in media[:MAX_PER_TEXT]
    ]
    if not kept:
        return
    await queries.insert_inbound(connection, message.organization_id, message.id, kept)
    for position in range(len(kept)):
        # The id is chosen here, so that a fetch that is repeated after a crash writes over its own bytes.
        payload = {"message_id": str(message.id), "position": position, "media_id": str(new_id())}
        await enqueue(connection, FETCH, payload)
