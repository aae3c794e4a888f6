"""Media that an organization uploads, and all that it has: kept, listed, erased."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from offhook.core.clock import Clock
from offhook.core.db.jobs import Handler, enqueue
from offhook.core.db.pool import Connection, Database
from offhook.core.errors import BadRequest, Conflict, FieldProblem, InvalidInput, NotFound, TooLarge, Unavailable
from offhook.core.http.paging import Page
from offhook.core.ids import new_id
from offhook.core.telemetry import get_logger
from offhook.telephony.media import queries
from offhook.telephony.media.content_types import WrongType, decide
from offhook.telephony.media.foreign import MAX_BYTES
from offhook.telephony.media.intake import Passing, TooMuch
from offhook.telephony.media.models import Medium
from offhook.telephony.media.signing import CARRIER_SECONDS
from offhook.telephony.media.store import MediaStore

_log = get_logger(__name__)

REVIEW: Final = "media.review"
MAX_UPLOAD_BYTES: Final = MAX_BYTES
UNUSED_DAYS: Final = 30
"""An upload that no text has carried for that long is erased."""
UPLOAD_SECONDS: Final = 300.0
"""For the whole body: a connection on which it only drips is not held for ever."""
_UNFINISHED: Final = timedelta(hours=1)
"""When an upload is looked at that may have been cut short: longer than one can take."""


class MediaLibrary:
    """Keeps media. Whatever is written or erased has a job that finishes it, so that a crash leaves no bytes that no
    row knows."""

    def __init__(self, database: Database, store: MediaStore, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._clock = clock

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {REVIEW: self._on_review}

    async def keep(
        self, organization_id: uuid.UUID, chunks: AsyncIterator[bytes], *, declared: str | None, filename: str | None
    ) -> Medium:
        """Store an upload. Raises TooLarge, InvalidInput for bytes that cannot be texted or are not what they are
        said to be, BadRequest for a body that does not come, Unavailable, and whatever `chunks` raises."""
        media_id = new_id()
        async with self._database.tenant(organization_id) as connection:
            await _enqueue_review(connection, organization_id, media_id, self._clock, _UNFINISHED)
        passing = Passing(chunks, partial(_decide, declared), max_bytes=MAX_UPLOAD_BYTES)
        try:
            async with asyncio.timeout(UPLOAD_SECONDS):
                await self._store.put(media_id, passing.stream())
        except TooMuch:
            raise TooLarge(f"A medium has at most {MAX_UPLOAD_BYTES} bytes: no carrier takes more.") from None
        except TimeoutError:
            message = f"The body did not come within {UPLOAD_SECONDS:.0f} seconds."
            raise BadRequest(message, code="incomplete_body") from None
        medium = Medium(
            id=media_id,
            organization_id=organization_id,
            origin="upload",
            content_type=passing.content_type,
            size_bytes=passing.size_bytes,
            sha256=passing.sha256,
            filename=filename,
            created_at=self._clock.now(),
        )
        async with self._database.tenant(organization_id) as connection:
            await queries.insert_medium(connection, medium)
        return medium

    async def get(self, organization_id: uuid.UUID, media_id: uuid.UUID) -> Medium:
        """Raises NotFound."""
        async with self._database.tenant(organization_id) as connection:
            return _found(await queries.find_medium(connection, organization_id, media_id))

    async def list(self, organization_id: uuid.UUID, page: Page) -> tuple[Sequence[Medium], str | None]:
        async with self._database.tenant(organization_id) as connection:
            return page.cut(await queries.list_media(connection, organization_id, page))

    async def erase(self, organization_id: uuid.UUID, media_id: uuid.UUID) -> None:
        """The bytes go and the name; the row stays for the messages that carried it. Raises NotFound, and Conflict
        while a carrier may still come for it."""
        async with self._database.tenant(organization_id) as connection:
            _found(await queries.lock_medium(connection, organization_id, media_id))
            if await queries.is_awaited(connection, organization_id, media_id, CARRIER_SECONDS):
                raise Conflict(
                    "A text that carries it is on its way: cancel the text, or wait until it is sent.",
                    code="medium_in_use",
                )
            await self.forget(connection, organization_id, [media_id])
        await self.wipe([media_id])

    async def erase_of(self, organization_id: uuid.UUID, message_id: uuid.UUID) -> None:
        """Forget what a message carried: what somebody texted us is erased, foreign addresses are forgotten; what was
        uploaded stays for other texts."""
        async with self._database.tenant(organization_id) as connection:
            media_ids = await queries.erase_carried(connection, organization_id, message_id)
            await self.forget(connection, organization_id, media_ids)
        await self.wipe(media_ids)

    async def forget(
        self, connection: Connection, organization_id: uuid.UUID, media_ids: Collection[uuid.UUID]
    ) -> None:
        """Record that media are erased, and have it seen to that their bytes go; `wipe` them after the commit."""
        await queries.record_erased(connection, organization_id, media_ids)
        for media_id in media_ids:
            await _enqueue_review(connection, organization_id, media_id, self._clock, timedelta(minutes=1))

    async def wipe(self, media_ids: Collection[uuid.UUID]) -> None:
        """Erase the bytes now if the store answers; a job does otherwise."""
        try:
            for media_id in media_ids:
                await self._store.erase(media_id)
        except Unavailable as error:
            _log.warning("media_erased_later", code=error.code, count=len(media_ids))

    async def _on_review(self, payload: bytes) -> None:
        """Bytes without a row, or of an erased one, go; so do an upload that was never used, and a medium whose
        message was deleted."""
        named = json.loads(payload)
        organization_id, media_id = uuid.UUID(named["organization_id"]), uuid.UUID(named["media_id"])
        async with self._database.tenant(organization_id) as connection:
            medium = await queries.lock_medium(connection, organization_id, media_id)
            if medium is not None and medium.erased_at is None:
                if await queries.is_carried(connection, organization_id, media_id):
                    return
                left = medium.created_at + timedelta(days=UNUSED_DAYS) - self._clock.now()
                # What somebody texted us goes with its message.
                if medium.origin == "upload" and left > timedelta(0):
                    await _enqueue_review(connection, organization_id, media_id, self._clock, left)
                    return
                await queries.record_erased(connection, organization_id, [media_id])
        await self._store.erase(media_id)


async def _enqueue_review(
    connection: Connection, organization_id: uuid.UUID, media_id: uuid.UUID, clock: Clock, after: timedelta
) -> None:
    payload = {"organization_id": str(organization_id), "media_id": str(media_id)}
    await enqueue(connection, REVIEW, payload, execute_after=clock.now() + after)


def _decide(declared: str | None, head: bytes) -> str:
    if not head:
        raise _wrong("The body is empty: send the file's bytes.", code="medium_empty")
    try:
        return decide(declared, head)
    except WrongType as error:
        raise _wrong(error.sentence, error.code) from None


def _wrong(sentence: str, code: str) -> InvalidInput:
    return InvalidInput(sentence, code=code, fields=[FieldProblem("", sentence, code)])


def _found(medium: Medium | None) -> Medium:
    if medium is None:
        raise NotFound("There is no such medium.", code="medium_not_found")
    return medium
