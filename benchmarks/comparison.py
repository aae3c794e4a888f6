"""Two servers under the same load in turn: requests per second with many connections, and the time of one alone."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.context import Context
from benchmarks.goal import Breakdown, Figure, Measurement, Target
from benchmarks.load import Burst
from benchmarks.postgres import Postgres
from benchmarks.served import Served, serve_bare, serve_offhook
from benchmarks.side import Side
from benchmarks.stages import Stage, StageTimes, encode_plan

CONNECTIONS = 32
_BUSY_SECONDS = 0.9
_ALONE_SECONDS = 0.4
_OUTERMOST = "routing, answer"

SHARED_COMMIT_STAGES = (
    Stage("wait for the commit that takes it along", "offhook.core.db.shared:SharedCommit.submit", _OUTERMOST),
    Stage(
        "connection, BEGIN, COMMIT",
        "offhook.core.db.shared:SharedCommit._store",
        "wait for the commit that takes it along",
    ),
)
SUBMIT, STORE = (stage.name for stage in SHARED_COMMIT_STAGES)


def front(*inside: Stage, statement: str) -> list[Stage]:
    """The stages of a hot route: its own, `inside` the front, and those of the shared commit, whose SQL statement is
    run by the function `statement` names."""
    return [
        Stage(_OUTERMOST, "offhook.core.http.front:Front.__call__"),
        *inside,
        *SHARED_COMMIT_STAGES,
        Stage("SQL statement", statement, STORE),
    ]


@dataclass(frozen=True, slots=True)
class Race:
    """What is compared. `requests(side, count, first)`: so many requests, each of its own, numbered from `first`."""

    requests: Callable[[Side, int, int], list[bytes]]
    bare_application: str
    throughput: Target
    alone: Target
    stages: Sequence[Stage]
    rows: Mapping[str, str]
    """What each request must have left behind: name → query that counts it."""
    besides: str = ""
    """What ours does that the reference does not, a sentence."""


@dataclass
class _Runner:
    """One side's server during the race."""

    side: Side
    served: Served
    race: Race
    context: Context
    postgres: Postgres
    sent: int = 0
    busy_requests: int = 0
    server_seconds: float | None = 0.0
    postgres_seconds: float | None = 0.0

    async def send(self, count: int, connections: int) -> Burst:
        requests = self.race.requests(self.side, count, self.sent)
        self.sent += count
        return await (await self.context.load()).send(self.served.port, requests, connections=connections)

    async def send_busy(self, count: int) -> Burst:
        """Many at a time, and what processors spent on them."""
        server, postgres = self.served.cpu_seconds(), self.postgres.cpu_seconds()
        burst = await self.send(count, CONNECTIONS)
        self.busy_requests += count
        self.server_seconds = _grown(self.server_seconds, server, self.served.cpu_seconds())
        self.postgres_seconds = _grown(self.postgres_seconds, postgres, self.postgres.cpu_seconds())
        return burst

    def processor_time(self, whose: str) -> list[Breakdown]:
        if self.server_seconds is None or self.postgres_seconds is None:
            return []
        return [
            Breakdown(
                f"{whose}, processor time per request at {CONNECTIONS} connections",
                "µs",
                [
                    ("server process", self.server_seconds / self.busy_requests * 1e6),
                    ("PostgreSQL", self.postgres_seconds / self.busy_requests * 1e6),
                ],
            )
        ]


def _grown(total: float | None, before: float | None, after: float | None) -> float | None:
    return None if total is None or before is None or after is None else total + after - before


@dataclass(frozen=True, slots=True)
class _Size:
    """Requests of a round: with many connections, and alone."""

    busy: int
    alone: int


async def _warm_up(context: Context, runners: Sequence[_Runner]) -> _Size:
    """Send until everything is compiled and cached; how many requests make rounds of under a second on this machine."""
    if context.smoke:
        size = _Size(200, 50)
        for runner in runners:
            await runner.send(size.busy, CONNECTIONS)
        return size
    bursts = [(await runner.send(1000, CONNECTIONS), await runner.send(100, 1)) for runner in runners]
    return _Size(
        busy=min(3000, max(300, int(min(busy.per_second for busy, _ in bursts) * _BUSY_SECONDS))),
        alone=min(500, max(50, int(min(alone.per_second for _, alone in bursts) * _ALONE_SECONDS))),
    )


@dataclass
class _Turns:
    """Rounds in which the two took turns: pairs of (ours, reference)."""

    size: _Size
    busy: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    """Requests per second."""
    alone: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    """p50 of a request alone, in microseconds."""
    slowest: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    """p99 at many connections, in microseconds."""

    async def take(self, order: Sequence[_Runner], ours: str, bare: str) -> None:
        busy = {runner.side.name: await runner.send_busy(self.size.busy) for runner in order}
        alone = {runner.side.name: await runner.send(self.size.alone, 1) for runner in order}
        self.busy.append((busy[ours].per_second, busy[bare].per_second))
        self.alone.append((alone[ours].p50_microseconds, alone[bare].p50_microseconds))
        self.slowest.append((busy[ours].p99_microseconds, busy[bare].p99_microseconds))


async def run_race(context: Context, race: Race, ours: Side, bare: Side) -> Measurement:
    """Alternate between the two; then time the stages in a third server. Raises BadAnswer for answers that are not
    2xx, and AssertionError when rows are missing."""
    postgres = await context.postgres()
    async with (
        serve_offhook(context.processors, ours.environment) as our_server,
        serve_bare(context.processors, race.bare_application, _options(bare)) as bare_server,
    ):
        our_runner = _Runner(ours, our_server, race, context, postgres)
        bare_runner = _Runner(bare, bare_server, race, context, postgres)
        runners = [our_runner, bare_runner]
        turns = _Turns(await _warm_up(context, runners))
        for number in range(context.sized(full=9, smoke=1)):
            await postgres.settle()
            await turns.take(runners if number % 2 == 0 else runners[::-1], ours.name, bare.name)
        remarks = [await _check_rows(postgres, race, runner) for runner in runners]
    stages, shared = await _time_stages(context, race, ours, our_runner.sent, turns.size)
    slowest = Figure(race.alone, turns.slowest)
    return Measurement(
        [Figure(race.throughput, turns.busy), Figure(race.alone, turns.alone)],
        [stages, *our_runner.processor_time("ours"), *bare_runner.processor_time("reference")],
        [
            *([race.besides] if race.besides else []),
            *remarks,
            f"At {CONNECTIONS} connections {shared:.1f} requests share a commit; 99 % are answered within "
            f"{slowest.ours / 1000:.1f} ms, the reference's within {slowest.reference / 1000:.1f} ms.",
        ],
    )


def _options(bare: Side) -> dict[str, Any]:
    return {
        "dsn": bare.dsn,
        "organization_id": str(bare.organization_id),
        "account_id": str(bare.account_id),
        "key": bare.key,
    }


async def _check_rows(postgres: Postgres, race: Race, runner: _Runner) -> str:
    for name, query in race.rows.items():
        found = await postgres.count(runner.side.name, query)
        assert found == runner.sent, f"{runner.side.name}: {runner.sent} requests, {found} {name}"
    return f"{runner.side.name}: {runner.sent} requests, all answered 2xx, {' and '.join(race.rows)} of each stored."


async def _time_stages(context: Context, race: Race, side: Side, sent: int, size: _Size) -> tuple[Breakdown, float]:
    """What a request alone spends where, and how many share a commit among many."""
    with tempfile.TemporaryDirectory(prefix="offhook-benchmarks-") as directory:
        file = Path(directory) / "stages.json"
        async with serve_offhook(context.processors, side.environment, encode_plan(file, race.stages)) as served:
            runner = _Runner(side, served, race, context, await context.postgres(), sent)
            await runner.send(size.busy, CONNECTIONS)
            timed = await runner.send(size.alone, 1)
        times = StageTimes.read(file, race.stages)
    within = times.median_microseconds(_OUTERMOST, size.alone)
    outside = ("client, sockets, uvicorn", max(0.0, timed.p50_microseconds - within))
    shared = size.busy / max(1, times.count(STORE) - size.alone)
    what = f"ours alone ({timed.p50_microseconds:.0f} µs, clocks included)"
    return Breakdown(what, "µs", [outside, *times.parts(size.alone)]), shared
