"""A text from a handset to one of an account's numbers, handed to the face that the number belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import chain

from offhook.emulator.addresses import find_phone_number
from offhook.emulator.emulation import Emulation
from offhook.emulator.media import MEDIA_MAX, MediaRefused, MediaRules, check
from offhook.emulator.records import Message
from offhook.emulator.segments import segmentation
from offhook.emulator.settings import Account
from offhook.emulator.store import Store

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
    phone, to = find_phone_number(wish.phone), find_phone_number(wish.to)
    if phone is None:
        raise InboundRefused("the phone must be a number such as +12025550123")
    wish = replace(wish, phone=phone, to=to or wish.to)
    if len(wish.body) > BODY_MAX_CHARACTERS or not (wish.body or wish.media):
        raise InboundRefused(f"a text has 1 to {BODY_MAX_CHARACTERS} characters, or media")
    if len(wish.media) > MEDIA_MAX:
        raise InboundRefused(f"a text has at most {MEDIA_MAX} media")
    account = _owner(emulation.store, wish)
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


def _owner(store: Store, wish: Wish) -> Account:
    """The account that gets the text: of several that own the number the one that the phone last had a text with, then
    one that wants to be told, then the first."""
    owners = {
        account.sid: account
        for account in store.accounts.values()
        if wish.to in (*account.numbers, *account.telnyx_numbers) and wish.account_sid in {None, account.sid}
    }
    if not owners:
        raise InboundRefused("no account owns the number in `to`")
    known = (text.account_sid for text in reversed(store.of_phone(wish.phone)) if text.account_sid in owners)
    told = (sid for sid in owners if _is_told(store, sid, wish.to))
    return owners[next(chain(known, told, owners))]


def _is_told(store: Store, account_sid: str, number: str) -> bool:
    """Whether an account has an address for texts to a number, of its own or of any of its services or profiles."""
    services = (service for service in store.services.values() if service.account_sid == account_sid)
    of_number = store.number_settings.get((account_sid, number), {}).get("sms_url")
    return bool(of_number) or any(service.inbound_url for service in services)
