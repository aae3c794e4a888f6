"""Telnyx's webhooks: what they tell, where they go, and how they are signed.

Events: developers.telnyx.com "Receiving Webhooks for Messaging" and the callbacks of its API reference.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace

from offhook.emulator.face import Attempt, Delivery, Posting
from offhook.emulator.records import Callback, Message
from offhook.emulator.settings import Settings
from offhook.emulator.store import Record
from offhook.emulator.telnyx.own import Own
from offhook.emulator.telnyx.resources import ENDED, iso, message_resource
from offhook.emulator.telnyx.signature import signed_headers

ANSWER_SECONDS = 2.0
TRIES = 3
"""Of each address: facts/telephony.md 7."""


def delivery_update(message: Message, status: str, error_code: int | None, at: float) -> Callback | None:
    """The event that tells this status: `message.sent`, or `message.finalized` for a last one; None for the others."""
    if status == "sent":
        reached = replace(message, status=status, updated_at=at, sent_at=at)
        return _event("message.sent", reached, at)
    if status in ENDED - {"canceled"}:
        return _event("message.finalized", replace(message, status=status, updated_at=at, error_code=error_code), at)
    return None


def inbound_message(message: Message, at: float) -> Callback | None:
    """The event that tells a text from a phone."""
    return _event("message.received", message, at)


def _event(event_type: str, message: Message, at: float) -> Callback | None:
    urls = Own.of(message.own).webhook_urls
    if not urls:
        return None
    event_id = str(uuid.uuid4())
    data = {
        "record_type": "event",
        "id": event_id,
        "event_type": event_type,
        "occurred_at": iso(at),
        "payload": message_resource(message),
    }
    return Callback(
        id=event_id,
        account_sid=message.account_sid,
        url=urls[0],
        fields={"data": data, "urls": list(urls)},
        face="telnyx",
        kind="inbound" if message.direction == "inbound" else "status",
        message_sid=message.sid,
        to=message.to,
    )


def error_record(sentence: str, message_sid: str | None, url: str) -> Record:
    """A webhook that failed, for the emulator's error log. Telnyx has no code for it."""
    return {"type": "error", "code": None, "sentence": f"webhook: {sentence}", "sid": message_sid, "url": url}


def deliveries(callback: Callback, settings: Settings) -> Sequence[Delivery]:
    pauses = (settings.callback_retry_pause_seconds,) * (TRIES - 1)
    return [
        Delivery(
            url=url,
            connect_seconds=ANSWER_SECONDS,
            read_seconds=ANSWER_SECONDS,
            try_seconds=ANSWER_SECONDS,
            pauses=pauses,
            retry_on=frozenset({"all"}),
        )
        for url in callback.fields["urls"]
    ]


def posting(callback: Callback, attempt: Attempt, seed: bytes) -> Posting:
    """One try: the event and what the try itself tells, signed anew.

    The signature carries the real time, not the emulated: whoever verifies it has a real clock, and refuses what is
    older than five minutes.
    """
    document = {
        "data": callback.fields["data"],
        "meta": {"attempt": attempt.number, "delivered_to": attempt.url},
    }
    body = json.dumps(document, ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "offhook-emulator",
        **signed_headers(seed, body, at=time.time()),
    }
    return Posting(body, headers)
