"""Quiet hours: when a text may go, by the recipient's clock. Pure; right on days when clocks change.

47 CFR 64.1200(c)(1) allows telephone solicitations from 8 to 21 in the called party's local time, and texts are
litigated alike (facts/telephony.md 10.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

HORIZON: Final = timedelta(hours=50)
"""How far an opening is looked for: whatever suits all zones comes round once a day, or never."""

_ONE_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` until before `end`, by the wall clock; over midnight where `start` is the later of the two."""

    start: time = time(21)
    end: time = time(8)

    def hold(self, moment: datetime, zone: ZoneInfo) -> bool:
        """Whether the clock on the wall there shows a quiet time."""
        wall = moment.astimezone(zone).time()
        if self.start < self.end:
            return self.start <= wall < self.end
        return wall >= self.start or wall < self.end

    def __str__(self) -> str:
        return f"{self.start:%H:%M}–{self.end:%H:%M}"


def next_opening(quiet: QuietHours, zones: Sequence[ZoneInfo], now: datetime) -> datetime | None:
    """The first moment, `now` or later, that is quiet in none of the zones; None: there is no such moment."""
    moment = now
    while moment - now < HORIZON:
        holding = next((zone for zone in zones if quiet.hold(moment, zone)), None)
        if holding is None:
            return moment
        moment = _end(quiet, holding, moment)
    return None


def _end(quiet: QuietHours, zone: ZoneInfo, moment: datetime) -> datetime:
    """When the quiet hours that hold `moment` are over."""
    wall = moment.astimezone(zone)
    day = wall.date() if wall.time() < quiet.end else wall.date() + timedelta(days=1)
    # The clock may show the end twice, or jump over it.
    shown = (datetime.combine(day, quiet.end, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    end = min(at for at in shown if at > moment)
    return end if _shows(zone, end, quiet.end) else _jump(quiet, zone, moment, end)


def _shows(zone: ZoneInfo, moment: datetime, wall: time) -> bool:
    return moment.astimezone(zone).time() == wall


def _jump(quiet: QuietHours, zone: ZoneInfo, held: datetime, free: datetime) -> datetime:
    """Where between the two the clock jumps over the end: to the second, on which clocks are changed."""
    held = held.replace(microsecond=0)
    while free - held > _ONE_SECOND:
        middle = (held + (free - held) / 2).replace(microsecond=0)
        held, free = (middle, free) if quiet.hold(middle, zone) else (held, middle)
    return free
