"""When the texts of a lane go: arithmetic on times, without effects.

A sender's lane says when its next text may start; so does the lane of its whole account, where that has a limit of its
own. A text of n segments starts when both allow it and moves both by n times their pace, because carriers pace by
segment (facts/telephony.md 1.9). Time that nobody used is gone: nothing is ever saved up for a burst.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

HORIZON_SECONDS: Final = 0.3
"""How far ahead slots are given away. Longer makes a text of higher priority wait for those that were taken before."""
LEAD_SECONDS: Final = 0.15
"""How long before a slot somebody looks for who is to have it: a pump that is late by less loses no slot."""

JITTER_SECONDS: Final = 0.005
"""What a timer may be late by without the lane losing time: those that follow still start at their own slots."""
LATE_SECONDS: Final = 0.1
"""A start that is later than its slot by this much moves the whole lane, so that what was missed is not caught up."""
TOLERANCE_SECONDS: Final = 2.0
"""A text that is later than this gives its slot up: it was claimed too long ago."""
OVERSLEPT_SECONDS: Final = 0.3
"""One that is later than this by what passed while it waited for its slot gives it up too: its process stood still, and
another may pump the lane by now. Shorter than that are the stalls of a busy machine."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`next_at`: when the next text may start; `seconds_per_segment`: how far each segment moves that."""

    next_at: datetime
    seconds_per_segment: float

    def after(self, start: datetime, segments: int) -> Pace:
        """Once a text of so many segments has started then."""
        return replace(self, next_at=start + timedelta(seconds=segments * self.seconds_per_segment))


@dataclass(frozen=True, slots=True)
class Plan:
    slots: tuple[datetime, ...]
    """Of the first texts, in order; the others have to wait for a later plan."""
    paces: tuple[Pace, ...]


def plan(segments: Sequence[int], paces: Sequence[Pace], now: datetime, horizon_seconds: float) -> Plan:
    """Give slots to texts of these many segments, in order, as long as the slots come within the horizon."""
    latest = now + timedelta(seconds=horizon_seconds)
    current, slots = tuple(paces), list[datetime]()
    for count in segments:
        start = start_of(current, now)
        if start > latest:
            break
        slots.append(start)
        current = tuple(pace.after(start, count) for pace in current)
    return Plan(tuple(slots), current)


def start_of(paces: Sequence[Pace], now: datetime) -> datetime:
    """The next slot that all of these allow."""
    return max(now, *(pace.next_at for pace in paces))


class Spacing:
    """Keeps the starts of one lane apart within a process, however late its timers are.

    Slots are apart already; this is for the moment when the process stood still and several have passed. Times are of
    the event loop's clock, in seconds.
    """

    __slots__ = ("_free_at",)

    def __init__(self) -> None:
        self._free_at = float("-inf")

    def turn(self, slot: float, began: float, now: float) -> float | None:
        """When the text of that slot, which waits for it since `began`, may start. None: it would be too late, so it
        gives the slot up."""
        turn = max(slot, self._free_at, now)
        return None if is_too_late(slot, began, turn) else turn

    def is_free(self, now: float) -> bool:
        """Whether nobody has to wait behind what has started."""
        return self._free_at <= now

    def start(self, slot: float, now: float, cost_seconds: float) -> None:
        """The text of that slot starts now."""
        due = max(slot, self._free_at)
        self._free_at = (due if now - due <= JITTER_SECONDS else now) + cost_seconds


def is_too_late(slot: float, began: float, start: float) -> bool:
    """Whether a text that waits for its slot since `began` may not start then any more."""
    return start - slot > TOLERANCE_SECONDS or start - max(slot, began) > OVERSLEPT_SECONDS
