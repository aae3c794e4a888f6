"""Trouble on demand: what goes wrong on which route, how often."""

from __future__ import annotations

import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from offhook.emulator.clock import Clock
from offhook.emulator.errors import error_for_status, error_response
from offhook.emulator.tasks import Tasks

REQUEST_ROUTES = (
    "messages.create",
    "messages.fetch",
    "messages.list",
    "messages.update",
    "messages.delete",
    "account.fetch",
    "numbers.list",
    "numbers.fetch",
    "numbers.update",
)
KINDS: dict[str, tuple[str, ...]] = {
    "latency": (*REQUEST_ROUTES, "callback"),
    "status": REQUEST_ROUTES,
    "status_after": REQUEST_ROUTES,
    "drop_before": REQUEST_ROUTES,
    "drop_after": REQUEST_ROUTES,
    "commit_delay": REQUEST_ROUTES,
    "drop": ("callback",),
    "double": ("callback",),
    "undelivered": ("delivery",),
    "failed": ("delivery",),
    "stuck": ("delivery",),
}
"""Kind to the routes it can happen on. `*` as a route means every REST route."""


class FaultRefused(Exception):
    """The fault asked for makes no sense; the text says why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`count` is how often it still strikes (None: until deleted); `seconds` is its latency or delay."""

    id: int
    route: str
    kind: str
    count: int | None = 1
    seconds: float = 0.0
    status: int = 503
    error_code: int = 30008
    to: str | None = None
    probability: float = 1.0


class Faults:
    """The faults in force, oldest first; the first that fits strikes. Not kept over a restart."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311 (chaos that can be repeated, not secrecy)
        self._ids = itertools.count(1)
        self._active: list[Fault] = []

    def add(self, wanted: dict[str, Any]) -> Fault:
        """Raises `FaultRefused`. `wanted` has the names of `Fault`'s fields; route and kind are required."""
        fault = _parsed(next(self._ids), wanted)
        self._active.append(fault)
        return fault

    def clear(self) -> None:
        self._active.clear()

    def active(self) -> list[Fault]:
        return list(self._active)

    def draw(self, route: str, *, to: str | None = None) -> Fault | None:
        """The fault that strikes now on this route, if one does; its count goes down."""
        for position, fault in enumerate(self._active):
            fits = fault.route == route or (fault.route == "*" and route in REQUEST_ROUTES)
            if not fits or (fault.to is not None and fault.to != to) or self._dice.random() >= fault.probability:
                continue
            if fault.count == 1:
                del self._active[position]
            elif fault.count is not None:
                self._active[position] = replace(fault, count=fault.count - 1)
            return fault
        return None


def _parsed(number: int, wanted: dict[str, Any]) -> Fault:
    unknown = set(wanted) - (set(Fault.__dataclass_fields__) - {"id"})
    if unknown:
        raise FaultRefused(f"unknown field: {', '.join(sorted(unknown))}")
    kind, route, count, to = wanted.get("kind"), wanted.get("route"), wanted.get("count", 1), wanted.get("to")
    routes = KINDS.get(kind) if isinstance(kind, str) else None
    if not isinstance(kind, str) or routes is None:
        raise FaultRefused(f"kind must be one of: {', '.join(KINDS)}")
    if not isinstance(route, str) or (route not in routes and not (route == "*" and routes[0] in REQUEST_ROUTES)):
        raise FaultRefused(f"route for {kind} must be one of: {', '.join(routes)}")
    if to is not None and not isinstance(to, str):
        raise FaultRefused("to must be a phone number")
    return Fault(
        id=number,
        route=route,
        kind=kind,
        count=None if count is None else int(_within("count", count, 1, 1_000_000)),
        seconds=_within("seconds", wanted.get("seconds", 0.0), 0, 86_400),
        status=int(_within("status", wanted.get("status", 503), 400, 599)),
        error_code=int(_within("error_code", wanted.get("error_code", 30008), 1, 99_999)),
        to=to,
        probability=_within("probability", wanted.get("probability", 1.0), 0, 1),
    )


def _within(name: str, value: object, low: float, high: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise FaultRefused(f"{name} must be a number from {low} to {high}")
    return value


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FaultyDoor:
    """Stands before the REST routes and lets the faults in force happen to a request."""

    def __init__(self, faults: Faults, clock: Clock, tasks: Tasks) -> None:
        self._faults = faults
        self._clock = clock
        self._tasks = tasks

    async def pass_through(
        self, request: web.Request, route: str, to: str | None, handler: Handler
    ) -> web.StreamResponse:
        fault = self._faults.draw(route, to=to)
        if fault is None:
            return await handler(request)
        match fault.kind:
            case "latency":
                await self._clock.sleep(fault.seconds)
                return await handler(request)
            case "status":
                return error_response(error_for_status(fault.status))
            case "drop_before":
                return _hang_up(request)
            case "commit_delay":
                self._tasks.spawn(self._later(request, fault.seconds, handler))
                return _hang_up(request)
            case _:
                response = await handler(request)
                await self._clock.sleep(fault.seconds)
                return (
                    error_response(error_for_status(fault.status))
                    if fault.kind == "status_after"
                    else (_hang_up(request, response))
                )

    async def _later(self, request: web.Request, seconds: float, handler: Handler) -> None:
        await self._clock.sleep(seconds)
        await handler(request)


def _hang_up(request: web.Request, response: web.StreamResponse | None = None) -> web.StreamResponse:
    """Break the connection; the answer that is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return response or web.Response()
