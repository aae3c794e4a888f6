"""A text from a handset to one of an account's numbers, handed to the face that the number belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field

from offhook.emulator.addresses import is_phone_number
from offhook.emulator.emulation import Emulation
from offhook.emulator.media import MEDIA_MAX, MediaRefused, MediaRules, check
from offhook.emulator.records import Message
from offhook.emulator.segments import segmentation
from offhook.emulator.settings import Account

BODY_MAX_CHARACTERS = 1600


class InboundRefused(Exception):
    """The text cannot be taken; the text of the error says why."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A text that a handset shall send. A medium is an address, or a content type and bytes."""

    phone: str = field(repr=False)
    to: str = field(repr=False)
    body: str = field(default="", repr=False)
    media: tuple[str | tuple[str, bytes], ...] = field(default=(), repr=False)
    account_sid: str | None = None


async def send_from_phone(emulation: Emulation, wish: Wish, *, origin: str) -> Message:
    """Keep the text and tell it to the customer, as the number's face does. Raises `InboundRefused`.

    `origin` is the emulator's own base URL, as whoever gets a medium's address reaches it.
    """
    if not is_phone_number(wish.phone):
        raise InboundRefused("the phone must be a number such as +12025550123")
    if len(wish.body) > BODY_MAX_CHARACTERS or not (wish.body or wish.media):
        raise InboundRefused(f"a text has 1 to {BODY_MAX_CHARACTERS} characters, or media")
    if len(wish.media) > MEDIA_MAX:
        raise InboundRefused(f"a text has at most {MEDIA_MAX} media")
    account = _owner(emulation, wish.to, wish.account_sid)
    face = emulation.faces[emulation.store.face_of(account.sid, wish.to)]
    found = [await _medium(emulation, medium, face.media_rules) for medium in wish.media]
    now, counted = emulation.clock.time(), segmentation(wish.body)
    message = Message(
        sid=face.new_sid(len(found)),
        account_sid=account.sid,
        to=wish.to,
        from_number=wish.phone,
        body=wish.body,
        status="received",
        face=face.name,
        direction="inbound",
        created_at=now,
        updated_at=now,
        sent_at=now,
        media_count=len(found),
        segments=counted.segments,
        encoding=counted.encoding,
    )
    media = [await emulation.media.keep(message, content_type, data) for content_type, data in found]
    face.take(emulation, message, media, origin)
    await emulation.store.synced()
    return emulation.store.messages[message.sid]


async def _medium(emulation: Emulation, given: str | tuple[str, bytes], rules: MediaRules) -> tuple[str, bytes]:
    try:
        if isinstance(given, str):
            return await emulation.media.fetch(given, rules)
        content_type, data = given
        check(content_type, len(data), rules)
        return content_type, data
    except MediaRefused as refused:
        raise InboundRefused(str(refused)) from refused


def _owner(emulation: Emulation, number: str, account_sid: str | None) -> Account:
    for account in emulation.store.accounts.values():
        if number in (*account.numbers, *account.telnyx_numbers) and account_sid in {None, account.sid}:
            return account
    raise InboundRefused("no account owns the number in `to`")
