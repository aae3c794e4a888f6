"""Values remembered for a few seconds, so that what is asked with every request is looked up now and then."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from offhook.core.clock import Clock

K = TypeVar("K")
V = TypeVar("V")

MOST: Final = 4096


class Recent(Generic[K, V]):
    """At most `most` values, each for `seconds`; what was put first is forgotten first, and what is over when something
    else is put."""

    def __init__(self, clock: Clock, seconds: float, *, most: int = MOST) -> None:
        self._clock = clock
        self._seconds = seconds
        self._most = most
        self._known: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K) -> V | None:
        known = self._known.get(key)
        return known[1] if known is not None and self._clock.monotonic() < known[0] else None

    def put(self, key: K, value: V, *, at_most_seconds: float | None = None) -> V:
        """`at_most_seconds`: where this value is good for less than the others."""
        now = self._clock.monotonic()
        seconds = self._seconds if at_most_seconds is None else min(self._seconds, at_most_seconds)
        self._known[key] = (now + seconds, value)
        self._known.move_to_end(key)
        while self._known and (len(self._known) > self._most or next(iter(self._known.values()))[0] <= now):
            self._known.popitem(last=False)
        return value

    def forget(self, key: K) -> None:
        self._known.pop(key, None)

    def forget_where(self, holds: Callable[[V], bool]) -> None:
        """Every value of which `holds` is true."""
        for key in [key for key, (_, value) in self._known.items() if holds(value)]:
            del self._known[key]
