"""`offhook api`: REST, gateway and webhooks in one process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

import uvicorn

from offhook.apps.api import create_app
from offhook.apps.wiring import Services, open_services
from offhook.core.memory import keep_loaded
from offhook.core.settings import Settings
from offhook.core.telemetry import configure

GRACE_SECONDS = 2
"""What requests under way get when the process is asked to stop. Without a limit an open stream would hold the
process for ever (facts/infrastructure.md, section 5)."""


def run(settings: Settings) -> int:
    """Serve until SIGINT or SIGTERM."""
    configure(settings.log_level)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings))
    return 0


async def _serve(settings: Settings) -> None:
    async with open_services(settings, name="api") as services:
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(services.parts(), lifespan=_lifespan_of(services)),
                host=settings.host,
                port=settings.api_port,
                http="httptools",
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
                backlog=2048,
            )
        )
        await server.serve()


def _lifespan_of(services: Services) -> Any:
    @contextlib.asynccontextmanager
    async def lifespan(_: Any) -> AsyncGenerator[None]:
        keep_loaded()
        yield
        await services.drain()

    return lifespan


def _loop_factory() -> Any:
    """uvloop where there is one (not on Windows)."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
