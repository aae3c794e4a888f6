"""Where a request's time goes inside the API process: functions of the product, timed from outside.

Only a server of its own is timed so, never one whose speed is compared: the clocks cost a few microseconds.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Stage:
    """A named part of the way. `target`: the function, as `module:name` or `module:Class.name`, in the namespace where
    it is looked up when called. `inside`: the stage that calls it."""

    name: str
    target: str
    inside: str | None = None


class StageClocks:
    """Times stages in this process from `install` on."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._stages = stages
        self._seconds = {stage.name: array("d") for stage in stages}

    def install(self) -> None:
        """Put a clock around each target. Raises ImportError or AttributeError for one that is not there."""
        for stage in self._stages:
            module, _, path = stage.target.partition(":")
            *owners, name = path.split(".")
            owner: Any = functools.reduce(getattr, owners, importlib.import_module(module))
            setattr(owner, name, _timed(getattr(owner, name), self._seconds[stage.name].append))

    def write(self, file: Path) -> None:
        """Every duration, in the order in which they ended."""
        file.write_text(json.dumps({name: list(seconds) for name, seconds in self._seconds.items()}))


def _timed(function: Callable[..., Any], note: Callable[[float], None]) -> Callable[..., Any]:
    clock = time.perf_counter

    @functools.wraps(function)
    async def awaited(*args: Any, **named: Any) -> Any:
        began = clock()
        try:
            return await function(*args, **named)
        finally:
            note(clock() - began)

    @functools.wraps(function)
    def called(*args: Any, **named: Any) -> Any:
        began = clock()
        try:
            return function(*args, **named)
        finally:
            note(clock() - began)

    return awaited if inspect.iscoroutinefunction(function) else called


@dataclass(frozen=True, slots=True)
class StageTimes:
    """What was written by a server, read again."""

    stages: Sequence[Stage]
    seconds: dict[str, list[float]]

    @classmethod
    def read(cls, file: Path, stages: Sequence[Stage]) -> StageTimes:
        return cls(stages, json.loads(file.read_text()))

    def count(self, name: str) -> int:
        return len(self.seconds[name])

    def parts(self, last: int) -> list[tuple[str, float]]:
        """Each stage without the stages inside it: medians of its `last` times, in microseconds."""
        whole = {stage.name: self.median_microseconds(stage.name, last) for stage in self.stages}
        within = {name: sum(whole[s.name] for s in self.stages if s.inside == name) for name in whole}
        return [(name, max(0.0, whole[name] - within[name])) for name in whole]

    def median_microseconds(self, name: str, last: int) -> float:
        """Of a stage with all inside it."""
        return median(self.seconds[name][-last:]) * 1e6


def encode_plan(file: Path, stages: Sequence[Stage]) -> str:
    """What to time and where to write it, as text for an environment variable."""
    return json.dumps({"file": str(file), "stages": [asdict(stage) for stage in stages]})


def decode_plan(text: str) -> tuple[Path, list[Stage]]:
    plan = json.loads(text)
    return Path(plan["file"]), [Stage(**stage) for stage in plan["stages"]]
