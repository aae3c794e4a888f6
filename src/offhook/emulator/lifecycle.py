"""A message's way from queued to delivered (or not), one journalled step at a time."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from offhook.emulator.face import Face
from offhook.emulator.media import MediaRefused
from offhook.emulator.records import TERMINAL, Message
from offhook.emulator.settings import Pace
from offhook.emulator.store import Record

if TYPE_CHECKING:
    from offhook.emulator.emulation import Emulation

EXPIRED_CODE = 30036
"""The error of a text whose validity period ended in the queue: Twilio's; no source in the facts, so unconfirmed."""

_NEXT = {"scheduled": "queued", "accepted": "queued", "queued": "sending", "sending": "sent"}


def next_status(message: Message) -> str | None:
    """The status that follows (facts/telephony.md 1.3), or None for a message that has reached its last."""
    if message.status in TERMINAL or message.status == message.ending:
        return None
    if message.status == "sending" and message.ending == "failed":
        return "failed"
    return _NEXT.get(message.status, message.ending)


def due_at(message: Message, status: str, pace: Pace) -> float:
    """When a message reaches `status`, in epoch seconds. What has a slot in its sender's queue is sent then."""
    asked = message.send_at if message.send_at is not None else message.created_at
    offsets = {"queued": pace.queued_seconds, "sending": pace.sending_seconds, "sent": pace.sent_seconds}
    offset = offsets.get(status, pace.ended_seconds + message.late_seconds)
    if status == "queued" or message.slot_starts_at is None:
        return asked + offset
    return max(asked, message.slot_starts_at) + offset


def expires_at(message: Message) -> float:
    """When its validity period is over: what is still in the queue then is not sent any more."""
    return (message.send_at if message.send_at is not None else message.created_at) + message.validity_seconds


class Lifecycle:
    def __init__(self, emulation: Emulation, faces: Mapping[str, Face]) -> None:
        self._emulation = emulation
        self._store = emulation.store
        self._faces = faces

    def resume(self) -> None:
        """Go on with every message that a stop or kill left on its way."""
        for message in tuple(self._store.messages.values()):
            self.carry(message.sid)

    def carry(self, sid: str) -> None:
        """Send a message on its way, if it has not reached its end."""
        message = self._store.messages[sid]
        if next_status(message) is not None or self._has_a_price_to_come(message):
            self._emulation.tasks.spawn(partial(self._carry, sid))

    def records_of(self, message: Message) -> tuple[Record, ...]:
        """What is written for a new message: itself, and the callback that its first status owes."""
        return ({"type": "message", **message.to_record()}, *self._callback(message, message.status, None))

    def move(self, message: Message, status: str, error_code: int | None = None) -> None:
        """Write one step and tell it to the customer."""
        if status in {"undelivered", "failed"} and error_code is None:
            error_code = message.ending_error_code
        record = {"type": "status", "sid": message.sid, "status": status, "error_code": error_code}
        self._emulation.write(record, *self._callback(message, status, error_code))

    def _callback(self, message: Message, status: str, error_code: int | None) -> tuple[Record, ...]:
        if status not in self._emulation.settings.callback_statuses:
            return ()
        at = self._emulation.clock.time()
        callback = self._faces[message.face].status_callback(message, status, error_code, at)
        return () if callback is None else (callback.to_record(),)

    async def _carry(self, sid: str) -> None:
        pace, clock = self._emulation.settings.pace, self._emulation.clock
        while (message := self._store.messages.get(sid)) and (status := next_status(message)):
            due = due_at(message, status, pace)
            late = message.status == "queued" and due > expires_at(message)
            await clock.sleep((expires_at(message) if late else due) - clock.time())
            current = self._store.messages.get(sid)
            if current is None or next_status(current) != status:
                continue
            if late:
                self.move(current, "failed", EXPIRED_CODE)
            elif status == "sent" and current.media_urls and not self._store.media_of(sid):
                await self._send_with_media(current)
            else:
                self.move(current, status)
        await self._tell_price(sid)

    async def _send_with_media(self, message: Message) -> None:
        try:
            media = await self._emulation.media.fetch_of(message, self._faces[message.face].media_rules)
        except MediaRefused as refused:
            self.move(message, "failed", refused.code)
            return
        current = self._store.messages.get(message.sid)
        if current is not None and next_status(current) == "sent":
            self._emulation.write(*(medium.to_record() for medium in media))
            self.move(current, "sent")

    async def _tell_price(self, sid: str) -> None:
        message = self._store.messages.get(sid)
        if message is None or not self._has_a_price_to_come(message):
            return
        clock = self._emulation.clock
        await clock.sleep(message.updated_at + self._emulation.settings.pace.priced_seconds - clock.time())
        message = self._store.messages.get(sid)
        price = self._faces[message.face].price(message) if message is not None else None
        if price is not None:
            self._store.append({"type": "price", "sid": sid, "price": price})

    def _has_a_price_to_come(self, message: Message) -> bool:
        face = self._faces[message.face]
        return next_status(message) is None and message.price is None and face.price(message) is not None
