"""What shall go wrong, and what time it is."""

from __future__ import annotations

from aiohttp import web

from offhook.emulator.clock import VirtualClock
from offhook.emulator.control.bodies import Body, ControlRefused, json_response, number_in, read_body
from offhook.emulator.control.views import fault_view, iso
from offhook.emulator.emulation import Emulation

ADVANCE_MAX_SECONDS = 366 * 86_400.0


async def list_faults(request: web.Request, emulation: Emulation) -> web.Response:
    faults = [fault_view(fault) for fault in emulation.faults.active()]
    return json_response({"faults": faults, "strikes": emulation.store.strike_counts()})


async def add_fault(request: web.Request, emulation: Emulation) -> web.Response:
    fault = emulation.faults.add(await read_body(request))
    await emulation.store.synced()
    return json_response(fault_view(fault), status=201)


async def remove_fault(request: web.Request, emulation: Emulation) -> web.Response:
    number = request.match_info["id"]
    if not (number.isascii() and number.isdecimal() and emulation.faults.remove(int(number))):
        return json_response({"error": "there is no such fault"}, status=404)
    await emulation.store.synced()
    return web.Response(status=204)


async def clear_faults(request: web.Request, emulation: Emulation) -> web.Response:
    emulation.faults.clear()
    await emulation.store.synced()
    return web.Response(status=204)


async def show_clock(request: web.Request, emulation: Emulation) -> web.Response:
    return json_response(_clock_view(emulation))


async def advance_clock(request: web.Request, emulation: Emulation) -> web.Response:
    """`{"advance_seconds"}`: the answer comes when all that became due has happened."""
    seconds = number_in(await read_body(request, "advance_seconds"), "advance_seconds", None, 0, ADVANCE_MAX_SECONDS)
    if seconds is None:
        raise ControlRefused("advance_seconds must be a number")
    if not isinstance(emulation.clock, VirtualClock):
        raise ControlRefused("this emulator goes by the real time: start it with --virtual-clock")
    await emulation.clock.advance(seconds)
    emulation.store.append({"type": "clock"})  # so that a restart goes on from here
    await emulation.store.synced()
    return json_response(_clock_view(emulation))


def _clock_view(emulation: Emulation) -> Body:
    now = emulation.clock.time()
    return {"now": iso(now), "epoch_seconds": now, "virtual": isinstance(emulation.clock, VirtualClock)}
