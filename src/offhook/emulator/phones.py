"""A text from a handset to one of an account's numbers, handed to the face that the number belongs to."""

from __future__ import annotations

import re
import uuid

from offhook.emulator.emulation import Emulation
from offhook.emulator.records import Message
from offhook.emulator.segments import segmentation
from offhook.emulator.settings import Account

BODY_MAX_CHARACTERS = 1600
PHONE_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


class InboundRefused(Exception):
    """The text cannot be taken; the text of the error says why."""


def send_from_phone(
    emulation: Emulation, *, phone: str, to: str, body: str, account_sid: str | None, origin: str
) -> Message:
    """Keep the text and tell it to the customer, as the number's face does. Raises `InboundRefused`.

    `origin` is the emulator's own base URL, as whoever gets a medium's address reaches it.
    """
    if not PHONE_NUMBER.fullmatch(phone):
        raise InboundRefused("the phone must be a number such as +12025550123")
    if not 0 < len(body) <= BODY_MAX_CHARACTERS:
        raise InboundRefused(f"a text has 1 to {BODY_MAX_CHARACTERS} characters")
    account = _owner(emulation, to, account_sid)
    face = emulation.faces[emulation.store.face_of(account.sid, to)]
    now, counted = emulation.clock.time(), segmentation(body)
    message = Message(
        sid="SM" + uuid.uuid4().hex,
        account_sid=account.sid,
        to=to,
        from_number=phone,
        body=body,
        status="received",
        face=face.name,
        direction="inbound",
        created_at=now,
        updated_at=now,
        sent_at=now,
        segments=counted.segments,
        encoding=counted.encoding,
    )
    face.take(emulation, message, origin)
    return message


def _owner(emulation: Emulation, number: str, account_sid: str | None) -> Account:
    for account in emulation.store.accounts.values():
        if number in account.numbers and account_sid in {None, account.sid}:
            return account
    raise InboundRefused("no account owns the number in `to`")
