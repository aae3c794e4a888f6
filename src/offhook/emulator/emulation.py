"""The parts of a running emulator, put together once and handed to its routes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from aiohttp import web

from offhook.emulator.callbacks import Callbacks
from offhook.emulator.clock import Clock
from offhook.emulator.faults import Faults, FaultyDoor
from offhook.emulator.lifecycle import Lifecycle
from offhook.emulator.records import Message
from offhook.emulator.settings import Settings
from offhook.emulator.store import Store
from offhook.emulator.tasks import Tasks


class Emulation:
    """Store, clock, faults and what runs beside the requests. `start` and `stop` belong to a running loop."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self.store = store
        self.settings = settings
        self.clock = clock
        self.faults = Faults(settings.fault_seed)
        self.tasks = Tasks()
        self.stopping = asyncio.Event()
        self.door = FaultyDoor(self.faults, clock, self.tasks)
        self.callbacks = Callbacks(store, settings, clock, self.faults, self.tasks)
        self.lifecycle = Lifecycle(store, settings, clock, self.callbacks, self.tasks)

    def start(self) -> None:
        for account in self.settings.accounts:
            self.store.add_account(account)
        self.callbacks.open()
        self.lifecycle.resume()

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
