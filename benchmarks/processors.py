"""Which processors what runs on: the server that is measured has one to itself, all the rest shares the others.

Ours and the reference get the same one in turn. Where a process cannot be bound to a processor (macOS), or there is
only one, nothing is bound.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Processors:
    measured: frozenset[int]
    others: frozenset[int]

    @classmethod
    def of_this_machine(cls) -> Processors:
        if sys.platform != "linux":
            return cls(frozenset(), frozenset())
        usable = sorted(os.sched_getaffinity(0))
        if len(usable) < 2:
            return cls(frozenset(), frozenset())
        return cls(frozenset(usable[:1]), frozenset(usable[1:]))

    @property
    def are_bound(self) -> bool:
        return bool(self.measured)

    def leave_one_free(self) -> None:
        """Keep this process, and what it starts from now on, off the processor of the measured server."""
        if sys.platform == "linux" and self.are_bound:
            os.sched_setaffinity(0, self.others)

    def give_measured(self, pid: int) -> None:
        """Move a process just started to the processor kept for it."""
        if sys.platform == "linux" and self.are_bound:
            os.sched_setaffinity(pid, self.measured)

    def give_others(self, pid: int) -> None:
        """Move a process off the processor of what is measured."""
        if sys.platform == "linux" and self.are_bound:
            os.sched_setaffinity(pid, self.others)

    @contextmanager
    def measured_here(self) -> Generator[None]:
        """While this process itself is what is measured."""
        self.give_measured(os.getpid())
        try:
            yield
        finally:
            self.leave_one_free()
