"""What a goal is, and what measuring it gives."""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import median

from benchmarks import goals
from benchmarks.context import Context


class Better(Enum):
    """Which way a ratio (ours / reference) should go."""

    HIGHER = "≥"
    LOWER = "≤"


@dataclass(frozen=True, slots=True)
class Target:
    """One figure of a goal: what is compared, in which unit, and the ratio aimed at. With no aim at all, it is shown
    for what it is."""

    name: str
    unit: str
    better: Better
    ratio: float | None
    at_most: float | None = None
    """What ours may be at most, in the unit."""
    adds_at_most: float | None = None
    """How far ours may be above the reference in the worst round, in the unit."""

    @property
    def aim(self) -> str:
        aims = [
            None if self.ratio is None else f"{self.better.value} {self.ratio:g}",
            None if self.at_most is None else f"< {self.at_most:g} {self.unit}",
            None if self.adds_at_most is None else f"adds < {self.adds_at_most:g} {self.unit}",
        ]
        return ", ".join(aim for aim in aims if aim is not None) or "–"

    @property
    def has_aim(self) -> bool:
        return not (self.ratio is None and self.at_most is None and self.adds_at_most is None)


@dataclass(frozen=True, slots=True)
class Figure:
    """A target, measured: `pairs` of (ours, reference), one per interleaved round."""

    target: Target
    pairs: Sequence[tuple[float, float]]

    @property
    def ours(self) -> float:
        return median(ours for ours, _ in self.pairs)

    @property
    def reference(self) -> float:
        return median(reference for _, reference in self.pairs)

    @property
    def ratios(self) -> list[float]:
        return sorted(ours / reference for ours, reference in self.pairs)

    @property
    def ratio(self) -> float:
        return median(self.ratios)

    @property
    def added(self) -> float:
        """How far ours is above the reference, in the worst round."""
        return max(ours - reference for ours, reference in self.pairs)

    @property
    def shortcomings(self) -> list[str]:
        """Each aim that is not met, by how much."""
        target, short = self.target, list[str]()
        if target.ratio is not None:
            off = self.ratio / target.ratio - 1
            if off > 0 and target.better is Better.LOWER:
                short.append(f"{off:.0%} over")
            elif off < 0 and target.better is Better.HIGHER:
                short.append(f"{-off:.0%} short")
        if target.at_most is not None and self.ours >= target.at_most:
            short.append(f"{self.ours - target.at_most:.3g} {target.unit} too much")
        if target.adds_at_most is not None and self.added >= target.adds_at_most:
            short.append(f"adds {self.added:.3g} {target.unit}")
        return short

    @property
    def is_met(self) -> bool:
        return not self.shortcomings

    @property
    def is_sound(self) -> bool:
        """Whether every number in it is finite and above zero."""
        return bool(self.pairs) and all(math.isfinite(n) and n > 0 for pair in self.pairs for n in pair)


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Where something goes: named parts in one unit."""

    what: str
    unit: str
    parts: Sequence[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Measurement:
    """A goal, measured. `remarks` hold what was counted besides, each a sentence."""

    figures: Sequence[Figure]
    breakdowns: Sequence[Breakdown] = ()
    remarks: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Goal:
    """`number`: as in the list of goals ("G8"), or a name where it is in none ("pacing"). `statement`: what is
    compared. `reference`: with what, exactly."""

    number: str
    statement: str
    reference: str
    measure: Callable[[Context], Awaitable[Measurement]]


def all_goals() -> list[Goal]:
    """Every module's goal, by number; then those with a name."""
    found: list[Goal] = []
    for module in pkgutil.iter_modules(goals.__path__):
        goal = importlib.import_module(f"{goals.__name__}.{module.name}").GOAL
        assert isinstance(goal, Goal)
        found.append(goal)
    return sorted(found, key=_place)


def _place(goal: Goal) -> tuple[bool, int, str]:
    digits = goal.number[1:]
    return (not digits.isdigit(), int(digits) if digits.isdigit() else 0, goal.number)
