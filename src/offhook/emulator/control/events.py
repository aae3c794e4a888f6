"""What happens, as it happens."""

from __future__ import annotations

import asyncio
import contextlib
import json
from itertools import takewhile

from aiohttp import web

from offhook.emulator.control.bodies import ControlRefused, json_response
from offhook.emulator.control.views import event_view
from offhook.emulator.emulation import Emulation
from offhook.emulator.store import Event

WAIT_MAX_SECONDS = 60.0
EVENTS_MAX = 500


async def list_events(request: web.Request, emulation: Emulation) -> web.StreamResponse:
    """`?after=<seq>&wait=<seconds>`: what happened since, waiting for the first event if there is none yet.

    With `Accept: text/event-stream` the answer is a stream instead; `Last-Event-ID` stands for `after`.
    """
    try:
        after = int(request.headers.get("Last-Event-ID") or request.query.get("after", "0"))
        wait = min(WAIT_MAX_SECONDS, max(0.0, float(request.query.get("wait", "0"))))
    except ValueError:
        raise ControlRefused("after and wait must be numbers") from None
    if "text/event-stream" in request.headers.get("Accept", ""):
        return await _stream(request, emulation, after)
    if not _since(emulation, after) and wait:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await _something_after(emulation, after)
    events = _since(emulation, after)
    return json_response(
        {"events": [event_view(emulation.store, e) for e in events], "last": events[-1].seq if events else after}
    )


async def _stream(request: web.Request, emulation: Emulation, after: int) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    while not emulation.stopping.is_set():
        for event in _since(emulation, after):
            data = json.dumps(event_view(emulation.store, event))
            await response.write(f"id: {event.seq}\nevent: {event.type}\ndata: {data}\n\n".encode())
            after = event.seq
        await _something_after(emulation, after)
    return response


def _since(emulation: Emulation, after: int) -> list[Event]:
    """The next events, never part of a transaction: `seq` is the number of one, so none is skipped by asking on."""
    newer = list(takewhile(lambda event: event.seq > after, reversed(emulation.store.events)))
    found: list[Event] = []
    for event in reversed(newer):
        if len(found) >= EVENTS_MAX and event.seq != found[-1].seq:
            break
        found.append(event)
    return found


async def _something_after(emulation: Emulation, after: int) -> None:
    """Return once there is a later transaction, or the emulator stops."""
    woken = asyncio.Event()
    unsubscribe = emulation.store.subscribe(woken.set)
    try:
        while emulation.store.seq <= after and not emulation.stopping.is_set():
            woken.clear()
            await woken.wait()
    finally:
        unsubscribe()
