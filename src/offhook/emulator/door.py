"""The door before the REST routes of every face: where the faults in force happen to a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from offhook.emulator.clock import Clock
from offhook.emulator.face import Face
from offhook.emulator.faults import Fault, Faults
from offhook.emulator.tasks import Tasks

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ARRIVED_AT = web.RequestKey("arrived_at", float)
"""In a request: when it came in, whatever happens to it afterwards; in epoch seconds."""


class FaultyDoor:
    def __init__(self, faults: Faults, clock: Clock, tasks: Tasks) -> None:
        self._faults = faults
        self._clock = clock
        self._tasks = tasks

    async def pass_through(
        self, request: web.Request, face: Face, route: str, to: str | None, handler: Handler
    ) -> web.StreamResponse:
        """Answer the request by `handler`, or as a fault has it. Read its body before: a connection may break."""
        request[ARRIVED_AT] = self._clock.time()
        with self._tasks.at_work():
            return await self._pass(request, face, route, to, handler)

    async def _pass(
        self, request: web.Request, face: Face, route: str, to: str | None, handler: Handler
    ) -> web.StreamResponse:
        fault = self._faults.draw(route, to=to)
        if fault is None:
            return await handler(request)
        match fault.kind:
            case "latency":
                await self._clock.sleep(fault.seconds)
                return await handler(request)
            case "status":
                return _refusal(face, fault)
            case "outage":
                return _hang_up(request) if fault.status is None else _refusal(face, fault)
            case "drop_before":
                return _hang_up(request)
            case "commit_delay":
                self._tasks.spawn(partial(self._later, request, fault.seconds, handler))
                return _hang_up(request)
            case _:
                response = await handler(request)
                await self._clock.sleep(fault.seconds)
                return _refusal(face, fault) if fault.kind == "status_after" else _hang_up(request, response)

    async def _later(self, request: web.Request, seconds: float, handler: Handler) -> None:
        await self._clock.sleep(seconds)
        await handler(request)


def _refusal(face: Face, fault: Fault) -> web.StreamResponse:
    response = face.refusal(fault.status or 503)
    if fault.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(fault.retry_after_seconds)
    return response


def _hang_up(request: web.Request, response: web.StreamResponse | None = None) -> web.StreamResponse:
    """Break the connection; the answer that is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return response or web.Response()
