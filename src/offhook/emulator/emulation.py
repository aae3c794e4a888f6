"""The parts of a running emulator, put together once and handed to its routes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from aiohttp import web

from offhook.emulator.callbacks import Callbacks
from offhook.emulator.clock import Clock
from offhook.emulator.door import FaultyDoor
from offhook.emulator.face import Face
from offhook.emulator.faults import Faults
from offhook.emulator.lifecycle import Lifecycle
from offhook.emulator.media import MediaFetcher
from offhook.emulator.records import Medium, Message
from offhook.emulator.settings import Settings
from offhook.emulator.store import Record, Store
from offhook.emulator.tasks import Tasks


class Emulation:
    """Store, clock, faults and what runs beside the requests. `start` and `stop` belong to a running loop."""

    def __init__(self, store: Store, settings: Settings, clock: Clock, faces: Sequence[Face]) -> None:
        self.store = store
        self.settings = settings
        self.clock = clock
        self.faces = {face.name: face for face in faces}
        self.faults = Faults(store, clock, settings.fault_seed, self.faces)
        self.tasks = Tasks(clock)
        self.stopping = asyncio.Event()
        self.door = FaultyDoor(self.faults, clock, self.tasks)
        self.media = MediaFetcher(self)
        self.callbacks = Callbacks(self, self.faces)
        self.lifecycle = Lifecycle(self, self.faces)

    def start(self) -> None:
        for account in self.settings.accounts:
            if account.sid not in self.store.accounts:  # what was changed in one that is there stays so
                self.store.add_account(account)
        self.media.open()
        self.callbacks.open()
        self.lifecycle.resume()

    def write(self, *records: Record) -> None:
        """Write one transaction and set going what follows from it: the callbacks owed, the messages on their way.

        Await the store's `synced` before anybody is told.
        """
        self.store.append(*records)
        for record in records:
            if record["type"] == "callback":
                self.callbacks.start(record["id"])
            elif record["type"] == "message":
                self.lifecycle.carry(record["sid"])

    async def keep(self, *records: Record) -> None:
        """As `write`, for what happens beside the requests: a disk that does not take it is tried until it does."""
        while True:
            try:
                return self.write(*records)
            except OSError as error:
                await self.tasks.wait_for_the_disk(error)

    def delete_message(self, message: Message) -> None:
        """Forget a message with its media."""
        media = self.store.media_of(message.sid)
        self.write({"type": "delete", "sid": message.sid}, *({"type": "medium_deleted", "sid": m.sid} for m in media))
        for medium in media:
            self.store.medium_path(medium.sid).unlink(missing_ok=True)

    def forget_messages(self) -> None:
        """Forget every message with its media, what is owed, and who opted out."""
        media = tuple(self.store.media)
        self.write({"type": "messages_cleared"})
        for sid in media:
            self.store.medium_path(sid).unlink(missing_ok=True)

    def delete_medium(self, medium: Medium) -> None:
        self.write({"type": "medium_deleted", "sid": medium.sid})
        self.store.medium_path(medium.sid).unlink(missing_ok=True)

    def with_ending(self, message: Message) -> Message:
        """The message with the ending that a `delivery` fault in force gives it."""
        fault = self.faults.draw("delivery", to=message.to)
        if fault is None:
            return message
        if fault.kind == "stuck":
            return replace(message, ending="sent")
        if fault.kind == "latency":
            return replace(message, late_seconds=fault.seconds)
        return replace(message, ending=fault.kind, ending_error_code=fault.error_code)

    def end_watching(self) -> None:
        """Let those who wait for events go, so that they do not hold up the stop."""
        self.stopping.set()
        self.store.wake_listeners()

    async def stop(self) -> None:
        await self.tasks.end()
        await self.callbacks.close()
        await self.media.close()


EMULATION = web.AppKey("emulation", Emulation)
