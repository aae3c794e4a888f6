"""A message's way from queued to delivered (or not), one journalled step at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from offhook.emulator.face import Face
from offhook.emulator.records import TERMINAL, Message
from offhook.emulator.settings import Pace
from offhook.emulator.store import Record

if TYPE_CHECKING:
    from offhook.emulator.emulation import Emulation

_NEXT = {"scheduled": "queued", "accepted": "queued", "queued": "sending", "sending": "sent"}


def next_status(message: Message) -> str | None:
    """The status that follows (facts/telephony.md 1.3), or None for a message that has reached its last."""
    if message.status in TERMINAL or message.status == message.ending:
        return None
    if message.status == "sending" and message.ending == "failed":
        return "failed"
    return _NEXT.get(message.status, message.ending)


def due_at(message: Message, status: str, pace: Pace) -> float:
    """When a message reaches `status`, in epoch seconds."""
    start = message.send_at if message.send_at is not None else message.created_at
    offsets = {"queued": pace.queued_seconds, "sending": pace.sending_seconds, "sent": pace.sent_seconds}
    return start + offsets.get(status, pace.ended_seconds)


class Lifecycle:
    def __init__(self, emulation: Emulation, faces: Mapping[str, Face]) -> None:
        self._emulation = emulation
        self._store = emulation.store
        self._faces = faces

    def resume(self) -> None:
        """Go on with every message that a stop or kill left on its way."""
        for message in tuple(self._store.messages.values()):
            if next_status(message) is not None:
                self.carry(message.sid)

    def carry(self, sid: str) -> None:
        """Send a message that was just written on its way."""
        self._emulation.tasks.spawn(self._carry(sid))

    def records_of(self, message: Message) -> tuple[Record, ...]:
        """What is written for a new message: itself, and the callback that its first status owes."""
        return ({"type": "message", **message.to_record()}, *self._callback(message, message.status, None))

    def create(self, message: Message) -> None:
        """Write a new message and send it on its way. The caller still has to await the store's `synced`."""
        self._emulation.write(*self.records_of(message))

    def move(self, message: Message, status: str, error_code: int | None = None) -> None:
        """Write one step and tell it to the customer."""
        if status in {"undelivered", "failed"} and error_code is None:
            error_code = message.ending_error_code
        record = {"type": "status", "sid": message.sid, "status": status, "error_code": error_code}
        self._emulation.write(record, *self._callback(message, status, error_code))

    def _callback(self, message: Message, status: str, error_code: int | None) -> tuple[Record, ...]:
        if status not in self._emulation.settings.callback_statuses:
            return ()
        callback = self._faces[message.face].status_callback(message, status, error_code)
        return () if callback is None else (callback.to_record(),)

    async def _carry(self, sid: str) -> None:
        while (message := self._store.messages.get(sid)) and (status := next_status(message)):
            due = due_at(message, status, self._emulation.settings.pace)
            await self._emulation.clock.sleep(due - self._emulation.clock.time())
            current = self._store.messages.get(sid)
            if current is not None and next_status(current) == status:
                self.move(current, status)
