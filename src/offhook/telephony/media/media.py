"""What a text carries, from the wish to the addresses that its carrier fetches."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Final

from offhook.core.db.pool import Database
from offhook.core.destination import classify
from offhook.core.errors import ConfigurationError, Conflict, FieldProblem, InvalidInput
from offhook.telephony.carrier import TextLimits
from offhook.telephony.media import queries
from offhook.telephony.media.content_types import plain
from offhook.telephony.media.foreign import ForeignMedia, ForeignMedium, Unusable
from offhook.telephony.media.library import MediaLibrary
from offhook.telephony.media.models import Medium, MediumWish, MessageMedium
from offhook.telephony.media.signing import CARRIER_SECONDS, SHOWN_SECONDS, MediaSigner
from offhook.telephony.messages.models import Message, PlacedMedium
from offhook.telephony.models import Sender

_NO_PUBLIC_URL: Final = (
    "Carriers fetch uploaded media from this Offhook, and it does not know its own address: its operator must set "
    "OFFHOOK_PUBLIC_URL."
)


class Media:
    """Checks wished media, and tells where carriers find those of a message."""

    def __init__(
        self,
        database: Database,
        library: MediaLibrary,
        signer: MediaSigner,
        foreign: ForeignMedia,
        public_url: str | None,
    ) -> None:
        self._database = database
        self._library = library
        self._signer = signer
        self._foreign = foreign
        self._public_url = public_url

    async def resolve(
        self, organization_id: uuid.UUID, wanted: Sequence[MediumWish], *, sender: Sender, limits: TextLimits
    ) -> tuple[PlacedMedium, ...]:
        """What was wished, if the carrier takes it from this sender. Asks the servers of foreign URLs, so call it
        outside of a transaction. Raises InvalidInput that names the fields as `media`, `media.0` …"""
        if not wanted:
            return ()
        _check_together(len(wanted), sender, limits)
        own = await self._own(organization_id, [wish.media_id for wish in wanted if wish.media_id is not None])
        found = await asyncio.gather(*(self._look(organization_id, wish, own, limits) for wish in wanted))
        problems = [
            FieldProblem(f"media.{index}", item.sentence, item.code)
            for index, item in enumerate(found)
            if isinstance(item, Unusable)
        ]
        if problems:
            raise InvalidInput(problems[0].message, code=problems[0].code, fields=problems)
        placed = tuple(item for item in found if isinstance(item, PlacedMedium))
        total = sum(medium.size_bytes or 0 for medium in placed)
        if limits.max_media_total_bytes is not None and total > limits.max_media_total_bytes:
            raise _wrong(
                f"Together they have {total} bytes; the carrier takes {limits.max_media_total_bytes}.",
                code="media_too_large",
            )
        return placed

    async def addresses(self, message: Message) -> tuple[str, ...]:
        """Where its carrier finds what it carries, in order, for CARRIER_SECONDS from now. In a transaction of its
        own. Raises Conflict where a medium was erased meanwhile, ConfigurationError without a public URL."""
        async with self._database.tenant(message.organization_id) as connection:
            carried = await queries.list_carried(connection, message.organization_id, [message.id])
        return tuple(self._address(medium) for medium in carried)

    async def views(
        self, organization_id: uuid.UUID, message_ids: Collection[uuid.UUID]
    ) -> Mapping[uuid.UUID, Sequence[MessageMedium]]:
        """What these messages carry, in order; a message without media is not in it."""
        if not message_ids:
            return {}
        async with self._database.tenant(organization_id) as connection:
            carried = await queries.list_carried(connection, organization_id, message_ids)
        return {message_id: tuple(media) for message_id, media in groupby(carried, lambda item: item.message_id)}

    async def erase_of(self, organization_id: uuid.UUID, message_id: uuid.UUID) -> None:
        """Forget what a message carried, when it is redacted: what somebody texted us is erased, foreign addresses are
        forgotten; what was uploaded stays for other texts."""
        await self._library.erase_of(organization_id, message_id)

    def shown_at(self, medium: Medium) -> str | None:
        """An address of it for a browser; None once it is erased."""
        if medium.erased_at is not None:
            return None
        path = self._signer.path(medium.id, medium.content_type, medium.filename, SHOWN_SECONDS)
        return f"{self._public_url or ''}{path}"

    async def _own(self, organization_id: uuid.UUID, media_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Medium]:
        if not media_ids:
            return {}
        if self._public_url is None:
            raise _wrong(_NO_PUBLIC_URL, code="public_url_needed")
        async with self._database.tenant(organization_id) as connection:
            return await queries.find_media(connection, organization_id, media_ids)

    async def _look(
        self, organization_id: uuid.UUID, wish: MediumWish, own: Mapping[uuid.UUID, Medium], limits: TextLimits
    ) -> PlacedMedium | Unusable:
        try:
            if wish.url is not None and wish.media_id is None:
                foreign = await self._foreign.look(organization_id, wish.url)
                content_type, size = foreign.content_type, foreign.size_bytes
                _check_declared(foreign, limits)
                called = foreign.declared or content_type
            elif wish.media_id is not None and wish.url is None:
                medium = _usable(own.get(wish.media_id))
                content_type, size = medium.content_type, medium.size_bytes
                called = plain(content_type) or content_type
            else:
                raise Unusable("Give either media_id or url.", code="invalid")
            _check_limits(called, size, limits)
        except Unusable as error:
            return error
        return PlacedMedium(wish.media_id, wish.url, content_type, size)

    def _address(self, medium: MessageMedium) -> str:
        if medium.media_id is not None and medium.erased_at is None:
            if self._public_url is None:
                raise ConfigurationError(_NO_PUBLIC_URL, code="public_url_needed")
            path = self._signer.path(medium.media_id, medium.content_type, medium.filename, CARRIER_SECONDS)
            return f"{self._public_url}{path}"
        if medium.url is not None:
            return medium.url
        raise Conflict("What the text was to carry has been erased: send a new one.", code="medium_erased")


def _check_together(count: int, sender: Sender, limits: TextLimits) -> None:
    if count > limits.max_media:
        raise _wrong(f"There are {count}; a text carries at most {limits.max_media}.", code="too_many_media")
    country = classify(sender.number).region if sender.number is not None else None
    if country is not None and limits.media_countries and country not in limits.media_countries:
        countries = ", ".join(sorted(limits.media_countries))
        raise _wrong(
            f"The carrier takes media only from numbers of {countries}, and the sender's is of {country}: "
            "text a link instead.",
            code="media_not_offered",
        )


def _usable(medium: Medium | None) -> Medium:
    if medium is None:
        raise Unusable("There is no such medium.", code="medium_not_found")
    if medium.erased_at is not None:
        raise Unusable("This medium was erased: upload it again.", code="medium_erased")
    return medium


def _largest(content_type: str, limits: TextLimits) -> int | None:
    """None where the carrier does not take the type, by the name that its server gives it."""
    kinds = limits.media_types
    return kinds.get(content_type, kinds.get(f"{content_type.partition('/')[0]}/*"))


def _check_declared(medium: ForeignMedium, limits: TextLimits) -> None:
    if _largest(medium.declared, limits) is None and _largest(medium.content_type, limits) is not None:
        said = f"as {medium.declared[:80]}" if medium.declared else "without a type"
        raise Unusable(
            f"Its server gives it {said}, which the carrier does not take: have it say {medium.content_type}.",
            code="medium_type_refused",
        )


def _check_limits(content_type: str, size: int, limits: TextLimits) -> None:
    largest = _largest(content_type, limits)
    if largest is None:
        raise Unusable(f"The carrier takes no {content_type}.", code="medium_type_refused")
    if size == 0:
        raise Unusable("It is empty.", code="medium_empty")
    if size > largest:
        raise Unusable(
            f"It has {size} bytes; of {content_type} the carrier takes at most {largest}.", code="medium_too_large"
        )


def _wrong(sentence: str, code: str) -> InvalidInput:
    return InvalidInput(sentence, code=code, fields=[FieldProblem("media", sentence, code)])
