"""A text from a phone: told to the number's profile, and answered by Telnyx itself where it is one of its words."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import replace

from offhook.emulator.emulation import Emulation
from offhook.emulator.records import Medium, Message
from offhook.emulator.store import Record
from offhook.emulator.telnyx.keywords import AutoResponse, auto_response
from offhook.emulator.telnyx.own import Own
from offhook.emulator.telnyx.profiles import Book, Profile, blocking
from offhook.emulator.telnyx.segments import Parts, parts_of
from offhook.emulator.telnyx.webhooks import inbound_message


def take(emulation: Emulation, message: Message, media: Sequence[Medium], origin: str) -> None:
    """Keep the text, the block that it causes or lifts, the webhook and Telnyx's own reply, in one transaction."""
    store, now = emulation.store, emulation.clock.time()
    profile = Book(store, store.accounts[message.account_sid]).find_profile_of(message.to)
    response = auto_response(message.body)
    own = Own(
        type="MMS" if media else "SMS",
        webhook_urls=() if profile is None else profile.webhook_urls,
        media=tuple(_described(emulation, medium, origin) for medium in media),
        autoresponse_type=response.kind if response else None,
    )
    parts = Parts("UTF-8", 1) if media else _counted(message.body)
    kept = replace(
        message,
        messaging_service_sid=None if profile is None else profile.id,
        segments=parts.count,
        encoding=parts.encoding,
        own=own.to_record(),
    )
    told = inbound_message(kept, now)
    emulation.write(
        {"type": "message", **kept.to_record()},
        *(medium.to_record() for medium in media),
        *(() if told is None else (told.to_record(),)),
        *(() if profile is None or response is None else _answered(kept, profile, response, now)),
    )


def _answered(message: Message, profile: Profile, response: AutoResponse, now: float) -> list[Record]:
    reply = Message(
        sid=str(uuid.uuid4()),
        account_sid=message.account_sid,
        face="telnyx",
        messaging_service_sid=profile.id,
        to=message.from_number,
        from_number=message.to,
        body=response.reply,
        status="queued",
        direction="outbound-reply",
        created_at=now,
        updated_at=now,
        own=Own(type="SMS").to_record(),
    )
    records: list[Record] = [{"type": "message", **reply.to_record()}]
    if response.blocks is not None:
        records.insert(0, blocking(profile, message.from_number, blocked=response.blocks))
    return records


def _described(emulation: Emulation, medium: Medium, origin: str) -> dict[str, object]:
    """A medium as the webhook tells it."""
    return {
        "url": f"{origin}/_emulator/media/{medium.sid}",
        "content_type": medium.content_type,
        "size": medium.size_bytes,
        "sha256": hashlib.sha256(emulation.store.medium_path(medium.sid).read_bytes()).hexdigest(),
    }


def _counted(text: str) -> Parts:
    parts = parts_of(text)
    assert parts is not None  # only a text that is wanted in GSM-7 can have none
    return parts
