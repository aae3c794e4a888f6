"""What is checked before a text is placed: number, policy, sender, words, media. Nothing is stored for what is
refused."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Protocol

from offhook.core.destination import Refused
from offhook.core.errors import FieldProblem, InvalidInput
from offhook.core.ids import new_id
from offhook.core.phone import InvalidPhoneNumber, parse_e164
from offhook.core.segments import Encoding, Segments, count
from offhook.core.text import is_clean
from offhook.core.texts import PLAIN, MediumWish, TextOptions
from offhook.core.texts.splitting import MAX_CHARACTERS, MAX_PARTS, CannotSplit, Room
from offhook.core.texts.wording import Wording, worded
from offhook.telephony.accounts import Accounts
from offhook.telephony.carrier import TextLimits
from offhook.telephony.consent.destinations import DestinationConsent
from offhook.telephony.consent.zones import find_zone
from offhook.telephony.messages.cost import estimate
from offhook.telephony.messages.models import WAITED_FOR, PlacedMedium, Placement, Priority
from offhook.telephony.models import Sender

MAX_OPERATION_ID: Final = 200
MAX_VALIDITY_SECONDS: Final = 36_000
"""Twilio's ValidityPeriod (facts/telephony.md 1.1)."""


class WishedText(Protocol):
    """What `prepare` reads: NewText, and a TextRequest of tools/ports.py."""

    @property
    def operation_id(self) -> str | None: ...
    @property
    def organization_id(self) -> uuid.UUID: ...
    @property
    def conversation_id(self) -> uuid.UUID | None: ...
    @property
    def origin(self) -> str: ...
    @property
    def to_number(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def from_number(self) -> str | None: ...
    @property
    def options(self) -> TextOptions: ...


class MediaDesk(Protocol):
    """Checks what a text is to carry."""

    async def resolve(
        self, organization_id: uuid.UUID, wanted: Sequence[MediumWish], *, sender: Sender, limits: TextLimits
    ) -> tuple[PlacedMedium, ...]:
        """Raises InvalidInput that names `media.0` and so on."""
        ...


@dataclass(frozen=True, slots=True)
class PreparedPart:
    """One text that will go, counted and priced."""

    body: str = field(repr=False)
    counted: Segments
    segments: int
    """As billed: a text with media is one, whatever its words."""
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Content:
    """What will go, whoever gets it."""

    sender: Sender
    media: tuple[PlacedMedium, ...] = field(repr=False)
    parts: tuple[PreparedPart, ...]
    wording: Wording

    @property
    def segments(self) -> int:
        """Of all parts, as billed."""
        return sum(part.segments for part in self.parts)

    @property
    def encoding(self) -> Encoding:
        """UCS-2 if any part is."""
        return max((part.counted.encoding for part in self.parts), default=Encoding.GSM_7)

    @property
    def cost(self) -> Decimal | None:
        """Of all parts; None where one's price is not known."""
        costs = [part.cost for part in self.parts if part.cost is not None]
        return sum(costs, Decimal(0)) if len(costs) == len(self.parts) else None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A wish that may be placed."""

    to_number: str = field(repr=False)
    content: Content


class Intake:
    """Turns a wish into placements."""

    def __init__(self, accounts: Accounts, consent: DestinationConsent, media: MediaDesk | None = None) -> None:
        self._accounts = accounts
        self._consent = consent
        self._media = media

    async def placements(self, text: WishedText, *, claim_within_seconds: float | None = None) -> tuple[Placement, ...]:
        """One, or as many as the text is split into. Raises as `prepare`."""
        prepared = await self.prepare(text)
        options, content, sender = text.options, prepared.content, prepared.content.sender
        attempt_seconds = self._accounts.carrier(sender.carrier).attempt_timeout_seconds
        return tuple(
            Placement(
                message_id=new_id(),
                organization_id=text.organization_id,
                conversation_id=text.conversation_id,
                origin=text.origin,
                operation_id=_part_operation(text.operation_id, number),
                sender=sender,
                to_number=prepared.to_number,
                body=part.body,
                encoding=part.counted.encoding,
                segments=part.segments,
                claim_within_seconds=claim_within_seconds,
                attempt_seconds=attempt_seconds,
                priority=_priority(text),
                validity_seconds=options.validity_seconds,
                recipient_time_zone=options.recipient_time_zone,
                part=number,
                parts=len(content.parts),
                media=content.media if number == 1 else (),
                estimated_cost=part.cost,
                price_currency=None if part.cost is None or sender.tariff is None else sender.tariff.currency,
            )
            for number, part in enumerate(content.parts, start=1)
        )

    async def prepare(self, text: WishedText) -> Prepared:
        """Raises InvalidInput that names the fields as the API has them: `to`, `from`, `body`, `media.0` …"""
        operation_id = text.operation_id
        if operation_id is not None and not (0 < len(operation_id) <= MAX_OPERATION_ID and is_clean(operation_id)):
            raise _wrong("operation_id", f"Must be a text of 1 to {MAX_OPERATION_ID} characters.")
        verdict = (await self._consent.policy(text.organization_id)).judge(_plus(text.to_number, "to"))
        if isinstance(verdict, Refused):
            raise InvalidInput(
                verdict.sentence,
                code=verdict.reason_code,
                fields=[FieldProblem("to", verdict.sentence, verdict.reason_code)],
            )
        content = await self.content(text.organization_id, text.body, text.from_number, text.options)
        if content.sender.number == verdict.destination.number:
            raise _wrong("to", "This is the number that the text would come from.", "own_sender")
        return Prepared(verdict.destination.number, content)

    async def content(
        self, organization_id: uuid.UUID, body: str, from_number: str | None, options: TextOptions
    ) -> Content:
        """What would go, to whomever. Raises as `prepare`."""
        _check_words(body, options)
        if options is not PLAIN:
            _check_options(from_number, options)
        from_number = _plus(from_number, "from") if from_number else None
        sender = await self._accounts.sender(organization_id, from_number, options.messaging_service_id)
        limits = self._accounts.carrier(sender.carrier).limits
        media: tuple[PlacedMedium, ...] = ()
        if options.media:
            media = await self._resolved(organization_id, options.media, sender, limits)
        wording = _worded(body, options, limits, has_media=bool(media))
        parts = tuple(
            _part(words, sender, limits, has_media=bool(media) and number == 0)
            for number, words in enumerate(wording.bodies)
        )
        return Content(sender, media, parts, wording)

    async def _resolved(
        self, organization_id: uuid.UUID, wanted: Sequence[MediumWish], sender: Sender, limits: TextLimits
    ) -> tuple[PlacedMedium, ...]:
        if self._media is None:
            raise _wrong("media", "This process keeps no media.")
        return await self._media.resolve(organization_id, wanted, sender=sender, limits=limits)


def _check_words(body: str, options: TextOptions) -> None:
    if not body.strip() and not options.media:
        raise _wrong("body", "The text is empty.")
    if len(body) > MAX_CHARACTERS:
        raise _too_long(f"The text has {len(body)} characters; at most {MAX_CHARACTERS} are taken.")
    if not is_clean(body):
        raise _wrong("body", "Contains a NUL character or half of a surrogate pair, which cannot be stored.")


def _check_options(from_number: str | None, options: TextOptions) -> None:
    if from_number is not None and options.messaging_service_id is not None:
        raise _wrong("messaging_service_id", "Give `from` or `messaging_service_id`, not both.")
    validity = options.validity_seconds
    if validity is not None and not 1 <= validity <= MAX_VALIDITY_SECONDS:
        raise _wrong("validity_seconds", f"Must be 1 to {MAX_VALIDITY_SECONDS} seconds.")
    zone = options.recipient_time_zone
    if zone is not None and find_zone(zone) is None:
        raise _wrong("recipient_time_zone", "Must be a time zone of the IANA database, such as America/New_York.")


def _priority(text: WishedText) -> Priority:
    if text.options.priority is not None:
        return Priority(text.options.priority)
    waited_for = text.conversation_id is not None or text.origin in WAITED_FOR
    return Priority.CONVERSATION if waited_for else Priority.NORMAL


def _part_operation(operation_id: str | None, number: int) -> str | None:
    """Placed again, the same parts are found."""
    return operation_id if operation_id is None or number == 1 else f"{operation_id}#{number}"


def _worded(body: str, options: TextOptions, limits: TextLimits, *, has_media: bool) -> Wording:
    """Raises InvalidInput where the words do not fit."""
    # A text with media is not cut into segments; what does not fit it goes without.
    whole = has_media and len(body) <= limits.max_characters
    try:
        wording = (
            Wording((body,))
            if options is PLAIN
            else worded(body, options, Room(limits.max_characters, None if whole else limits.max_segments))
        )
    except CannotSplit as error:
        raise _too_long(error.sentence) from None
    only = wording.bodies[0]
    if len(only) > limits.max_characters:
        raise _too_long(
            f"The text has {len(only)} characters; at most {limits.max_characters} can be sent as one. Shorten it, or "
            f"send `split` for up to {MAX_PARTS} texts."
        )
    return wording


def _part(body: str, sender: Sender, limits: TextLimits, *, has_media: bool) -> PreparedPart:
    counted = count(body)
    if not has_media and limits.max_segments is not None and counted.segments > limits.max_segments:
        because = f" because of {counted.forced_by[0]!r}" if counted.encoding is Encoding.UCS_2 else ""
        raise _too_long(
            f"The text takes {counted.segments} segments{because}; at most {limits.max_segments} can be sent as one. "
            f"Shorten it, or send `split` for up to {MAX_PARTS} texts."
        )
    segments = 1 if has_media else counted.segments
    return PreparedPart(body, counted, segments, estimate(sender.tariff, segments=segments, has_media=has_media))


def _plus(number: str, field: str) -> str:
    """The number in E.164. One that is written so already is taken as it is: the policy reads it anyway."""
    if number[:1] == "+" and number[1:].isdigit() and number.isascii():
        return number
    try:
        return parse_e164(number).e164
    except InvalidPhoneNumber as error:
        raise _wrong(field, f"This is not a phone number: {error.message}.", error.code) from None


def _too_long(message: str) -> InvalidInput:
    return InvalidInput(message, code="text_too_long", fields=[FieldProblem("body", message, "text_too_long")])


def _wrong(field: str, message: str, code: str = "invalid") -> InvalidInput:
    return InvalidInput(message, fields=[FieldProblem(field, message, code)])
