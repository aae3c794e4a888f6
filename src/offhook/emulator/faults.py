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
        unknown = set(wanted) - set(Fault.__dataclass_fields__) | ({"id"} & set(wanted))
        if unknown:
            raise FaultRefused(f"unknown field: {', '.join(sorted(unknown))}")
        fault = Fault(id=next(self._ids), **{"route": "", "kind": "", **wanted})
        _check(fault)
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


def _check(fault: Fault) -> None:
    routes = KINDS.get(fault.kind)
    if routes is None:
        raise FaultRefused(f"kind must be one of: {', '.join(KINDS)}")
    if fault.route not in routes and not (fault.route == "*" and routes[0] in REQUEST_ROUTES):
        raise FaultRefused(f"route for {fault.kind} must be one of: {', '.join(routes)}")
    numbers_ok = (
        (fault.count is None or _is_number(fault.count, 1, 1_000_000, int))
        and _is_number(fault.seconds, 0, 86_400)
        and _is_number(fault.probability, 0, 1)
        and _is_number(fault.status, 400, 599, int)
        and _is_number(fault.error_code, 1, 99_999, int)
    )
    if not numbers_ok:
        raise FaultRefused("count ≥ 1 or null, 0 ≤ seconds ≤ 86400, 0 ≤ probability ≤ 1, 400 ≤ status ≤ 599")


def _is_number(value: object, low: float, high: float, kind: type | tuple[type, ...] = (int, float)) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool) and low <= value <= high  # pyright: ignore[reportOperatorIssue, reportUnknownVariableType]


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
