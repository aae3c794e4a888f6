"""All REST routes of Twilio's face, in one table."""

from __future__ import annotations

from aiohttp import web

from offhook.emulator.twilio import media, messages, numbers, services
from offhook.emulator.twilio.doors import Row, guarded


def table() -> list[Row]:
    return [*messages.table(), *media.table(), *numbers.table(), *services.table()]


def routes() -> list[web.RouteDef]:
    return [
        *(web.route(method, path, guarded(name, route)) for method, path, name, route in table()),
        media.content_route(),
    ]


def route_names() -> tuple[str, ...]:
    """As faults use them."""
    return (*(name for _, _, name, _ in table()), media.CONTENT_NAME)
