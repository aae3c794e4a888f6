"""A message's way from queued to delivered (or not), one journalled step at a time."""

from __future__ import annotations

from offhook.emulator.callbacks import Callbacks, status_callback
from offhook.emulator.clock import Clock
from offhook.emulator.records import TERMINAL, Message
from offhook.emulator.settings import Pace, Settings
from offhook.emulator.store import Record, Store
from offhook.emulator.tasks import Tasks

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
    def __init__(self, store: Store, settings: Settings, clock: Clock, callbacks: Callbacks, tasks: Tasks) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._callbacks = callbacks
        self._tasks = tasks

    def resume(self) -> None:
        """Go on with every message that a stop or kill left on its way."""
        for message in tuple(self._store.messages.values()):
            if next_status(message) is not None:
                self._tasks.spawn(self._carry(message.sid))

    def create(self, message: Message) -> None:
        """Write a new message and send it on its way. The caller still has to await the store's `synced`."""
        self._write({"type": "message", **message.to_record()}, message, message.status)
        if next_status(message) is not None:
            self._tasks.spawn(self._carry(message.sid))

    def move(self, message: Message, status: str) -> None:
        """Write one step and tell it to the message's StatusCallback."""
        error_code = message.ending_error_code if status in {"undelivered", "failed"} else None
        record = {"type": "status", "sid": message.sid, "status": status, "error_code": error_code}
        self._write(record, message, status, error_code)

    def _write(self, record: Record, message: Message, status: str, error_code: int | None = None) -> None:
        told = status in self._settings.callback_statuses
        callback = status_callback(message, status, error_code) if told else None
        if callback is None:
            self._store.append(record)
            return
        self._store.append(record, callback)
        self._callbacks.start(callback)

    async def _carry(self, sid: str) -> None:
        while (message := self._store.messages.get(sid)) and (status := next_status(message)):
            await self._clock.sleep(due_at(message, status, self._settings.pace) - self._clock.time())
            current = self._store.messages.get(sid)
            if current is not None and next_status(current) == status:
                self.move(current, status)
