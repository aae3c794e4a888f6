"""`offhook jobs`: whatever the queue delivers."""

from __future__ import annotations

import asyncio
import signal

from offhook.apps.wiring import open_services
from offhook.core.db.consumer import Consumer
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
        await consumer.run()
