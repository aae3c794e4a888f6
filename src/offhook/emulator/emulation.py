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
from offhook.emulator.lifecycle import Lifecycle, next_status
from offhook.emulator.records import Message
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
        self.callbacks = Callbacks(self, self.faces)
        self.lifecycle = Lifecycle(self, self.faces)

    def start(self) -> None:
        for account in self.settings.accounts:
            self.store.add_account(account)
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
            elif record["type"] == "message" and next_status(self.store.messages[record["sid"]]) is not None:
                self.lifecycle.carry(record["sid"])

    def with_ending(self, message: Message) -> Message:
        """The message with the ending that a `delivery` fault in force gives it."""
        fault = self.faults.draw("delivery", to=message.to)
        if fault is None:
            return message
        if fault.kind == "stuck":
            return replace(message, ending="sent")
        return replace(message, ending=fault.kind, ending_error_code=fault.error_code)

    def end_watching(self) -> None:
        """Let those who wait for events go, so that they do not hold up the stop."""
        self.stopping.set()
        self.store.wake_listeners()

    async def stop(self) -> None:
        await self.tasks.end()
        await self.callbacks.close()


EMULATION = web.AppKey("emulation", Emulation)
