"""What every goal is measured with: how long, where, and the PostgreSQL that all of them share."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.load import Load
from benchmarks.postgres import Postgres, running_postgres
from benchmarks.processors import Processors

T = TypeVar("T")


@dataclass
class Context:
    """Given to each goal's `measure`."""

    smoke: bool
    """Only whether it runs: the smallest rounds that yield a ratio."""
    processors: Processors
    tell: Callable[[str], None]
    """Progress, a sentence for a person."""
    _stack: AsyncExitStack
    _postgres: Postgres | None = None
    _load: Load | None = None

    def sized(self, full: T, smoke: T) -> T:
        """`full`, or `smoke` in a smoke run."""
        return smoke if self.smoke else full

    async def postgres(self) -> Postgres:
        """The embedded server, started when first asked for."""
        if self._postgres is None:
            self.tell("starting PostgreSQL (fsync and synchronous_commit on)")
            self._postgres = await self._stack.enter_async_context(running_postgres())
        return self._postgres

    @property
    def has_postgres(self) -> bool:
        """Whether anything asked for it."""
        return self._postgres is not None

    async def load(self) -> Load:
        """The process that sends requests, started when first asked for."""
        if self._load is None:
            self._load = await self._stack.enter_async_context(Load.running())
        return self._load


@asynccontextmanager
async def open_context(*, smoke: bool, tell: Callable[[str], None]) -> AsyncGenerator[Context]:
    """A context; what it started is stopped at the end."""
    processors = Processors.of_this_machine()
    processors.leave_one_free()
    async with AsyncExitStack() as stack:
        yield Context(smoke, processors, tell, stack)
