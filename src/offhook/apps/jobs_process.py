"""`offhook jobs`: whatever the queue delivers, and two sweeps: of what is not kept, and of lanes that nobody pumps."""

from __future__ import annotations

import asyncio
import signal

from offhook.apps.wiring import open_services
from offhook.conversations.retention import Retention
from offhook.core.db.consumer import Consumer
from offhook.core.memory import keep_loaded
from offhook.core.settings import Settings
from offhook.core.telemetry import configure


def run(settings: Settings) -> int:
    """Consume until SIGINT or SIGTERM."""
    configure(settings.log_level)
    asyncio.run(_consume(settings))
    return 0


async def _consume(settings: Settings) -> None:
    async with open_services(settings, name="jobs") as services:
        consumer = Consumer(services.database, services.job_handlers)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, consumer.stop)
        sweeps = (Retention(services.database, services.clock).run(), services.telephony.pump.sweep())
        sweeping = [asyncio.create_task(sweep) for sweep in sweeps]
        keep_loaded()
        try:
            await consumer.run()
        finally:
            for task in sweeping:
                task.cancel()
            await asyncio.wait(sweeping)
