"""The control API under /_emulator/: what the phones show, what happens, and what shall go wrong. No authentication."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from offhook.emulator.control import accounts, events, phones, troubles
from offhook.emulator.control.bodies import ControlRefused, json_response
from offhook.emulator.emulation import EMULATION, Emulation
from offhook.emulator.faults import FaultRefused
from offhook.emulator.phones import InboundRefused

Control = Callable[[web.Request, Emulation], Awaitable[web.StreamResponse]]


def routes() -> list[web.RouteDef]:
    table: list[tuple[str, str, Control]] = [
        ("GET", "health", _health),
        ("GET", "messages", phones.list_messages),
        ("DELETE", "messages", phones.forget_messages),
        ("GET", "phones", phones.list_phones),
        ("GET", "phones/{number}", phones.show_phone),
        ("POST", "phones/{number}/send", phones.send),
        ("GET", "media/{sid}", phones.show_medium),
        ("GET", "events", events.list_events),
        ("GET", "clock", troubles.show_clock),
        ("POST", "clock", troubles.advance_clock),
        ("GET", "faults", troubles.list_faults),
        ("POST", "faults", troubles.add_fault),
        ("DELETE", "faults", troubles.clear_faults),
        ("DELETE", "faults/{id}", troubles.remove_fault),
        ("POST", "accounts", accounts.set_account),
        ("POST", "numbers", accounts.set_number),
        ("GET", "services", accounts.list_services),
        ("POST", "services", accounts.set_service),
        ("GET", "blocks", accounts.list_blocks),
        ("POST", "blocks", accounts.set_block),
    ]
    return [web.route(method, f"/_emulator/{path}", _answering(handler)) for method, path, handler in table]


def _answering(handler: Control) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request, request.app[EMULATION])
        except (ControlRefused, FaultRefused, InboundRefused) as refused:
            return json_response({"error": str(refused)}, status=400)

    return handle


async def _health(request: web.Request, emulation: Emulation) -> web.Response:
    store = emulation.store
    counts = {"messages": len(store.messages), "accounts": len(store.accounts), "seq": store.seq}
    return json_response({"status": "ok", **counts})
