"""Trouble on demand: what goes wrong on which route, how often. Kept over a restart."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from offhook.emulator.addresses import find_phone_number
from offhook.emulator.clock import Clock
from offhook.emulator.face import Face
from offhook.emulator.records import Fault
from offhook.emulator.store import Store

KINDS: dict[str, tuple[str, ...]] = {
    "latency": ("rest", "callback", "delivery"),
    "status": ("rest",),
    "status_after": ("rest",),
    "drop_before": ("rest",),
    "drop_after": ("rest",),
    "commit_delay": ("rest",),
    "outage": ("face",),
    "drop": ("callback",),
    "double": ("callback",),
    "reorder": ("callback",),
    "undelivered": ("delivery",),
    "failed": ("delivery",),
    "stuck": ("delivery",),
}
"""Kind to where it can happen: `rest` is every REST route of a face by name, `<face>.*` or `*`; `face` is a face by
name or `*`; the others are routes themselves."""


class FaultRefused(Exception):
    """The fault asked for makes no sense; the text says why."""


class Faults:
    """The faults in force, oldest first; the first that fits strikes. Each change is a record of the store."""

    def __init__(self, store: Store, clock: Clock, seed: int, faces: Mapping[str, Face]) -> None:
        self._store = store
        self._clock = clock
        self._dice = random.Random(seed)  # noqa: S311 (chaos that can be repeated, not secrecy)
        self._face_of = {route: face.name for face in faces.values() for route in face.fault_routes}
        self._allowed: dict[str, tuple[str, ...]] = {
            "rest": (*self._face_of, *(f"{name}.*" for name in faces), "*"),
            "face": (*faces, "*"),
            "callback": ("callback",),
            "delivery": ("delivery",),
        }

    def add(self, wanted: dict[str, Any]) -> Fault:
        """Raises `FaultRefused`. `wanted` has the names of `Fault`'s fields; route and kind are required."""
        fault = _parsed(self._store.next_fault_id(), wanted, self._allowed)
        if fault.kind == "outage" and fault.seconds:
            fault = replace(fault, until=self._clock.time() + fault.seconds)
        self._store.append({"type": "fault", **asdict(fault)})
        return fault

    def clear(self) -> None:
        if self._store.faults:
            self._store.append({"type": "faults_cleared"})

    def remove(self, number: int) -> bool:
        """Whether there was one of that id."""
        if number not in self._store.faults:
            return False
        self._store.append({"type": "fault_removed", "id": number})
        return True

    def active(self) -> list[Fault]:
        now = self._clock.time()
        return [fault for fault in self._store.faults.values() if fault.until is None or fault.until > now]

    def draw(self, route: str, *, to: str | None = None) -> Fault | None:
        """The fault that strikes now on this route, if one does; it is counted."""
        if not self._store.faults:
            return None
        names = self._names(route)
        for fault in self.active():
            if fault.route not in names or (fault.to is not None and fault.to != to):
                continue
            if fault.after:
                self._store.append({"type": "fault_spared", "id": fault.id})
                continue
            if self._dice.random() >= fault.probability:
                continue
            self._store.append({"type": "fault_struck", "id": fault.id, "route": route})
            return fault
        return None

    def _names(self, route: str) -> frozenset[str]:
        """What a fault's route may say to mean this one."""
        face = self._face_of.get(route)
        return frozenset({route} if face is None else {route, face, f"{face}.*", "*"})


def _parsed(number: int, wanted: dict[str, Any], allowed: Mapping[str, Iterable[str]]) -> Fault:
    unknown = set(wanted) - (set(Fault.__dataclass_fields__) - {"id", "until"})
    if unknown:
        raise FaultRefused(f"unknown field: {', '.join(sorted(unknown))}")
    kind, route, to = wanted.get("kind"), wanted.get("route"), wanted.get("to")
    places = KINDS.get(kind) if isinstance(kind, str) else None
    if not isinstance(kind, str) or places is None:
        raise FaultRefused(f"kind must be one of: {', '.join(KINDS)}")
    routes = [name for place in places for name in allowed[place]]
    if not isinstance(route, str) or route not in routes:
        raise FaultRefused(f"route for {kind} must be one of: {', '.join(routes)}")
    number_to = find_phone_number(to) if isinstance(to, str) else None
    if to is not None and number_to is None:
        raise FaultRefused("to must be a phone number such as +12025550123")
    if kind in ("latency", "commit_delay") and "seconds" not in wanted:
        raise FaultRefused(f"seconds says how long a {kind} lasts: give it")
    lasting = kind == "outage"
    count, status, pause = (
        wanted.get("count", None if lasting else 1),
        wanted.get("status", None if lasting else 503),
        wanted.get("retry_after_seconds"),
    )
    return Fault(
        id=number,
        route=route,
        kind=kind,
        count=None if count is None else int(_within("count", count, 1, 1_000_000)),
        seconds=_within("seconds", wanted.get("seconds", 0.0), 0, 86_400),
        status=None if lasting and status is None else int(_within("status", status, 400, 599)),
        retry_after_seconds=None if pause is None else int(_within("retry_after_seconds", pause, 0, 86_400)),
        error_code=int(_within("error_code", wanted.get("error_code", 30008), 1, 99_999)),
        to=number_to,
        probability=_within("probability", wanted.get("probability", 1.0), 0, 1),
        after=int(_within("after", wanted.get("after", 0), 0, 1_000_000)),
    )


def _within(name: str, value: object, low: float, high: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise FaultRefused(f"{name} must be a number from {low} to {high}")
    return value
