"""Pacing: texts of one lane, and of many lanes under their account's rate, taken by four processes of jobs, as they
arrive at the carrier."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from benchmarks.carrier import Arrival, BareCarrier, running_carrier
from benchmarks.connections import ports_of
from benchmarks.context import Context
from benchmarks.goal import Better, Figure, Goal, Measurement, Target
from benchmarks.load import post
from benchmarks.served import Served, run_jobs, serve_offhook
from benchmarks.side import Paces, Side, add_neighbour, make_side, unassigned_numbers

PROCESSES = 4
PER_SECOND = 10.0
LANES = 32
TOTAL_PER_SECOND = 20.0

SPAN = Target("first text to last", "s", Better.LOWER, 1.05)
FULLEST = Target("the carrier's queue, were it that fast", "texts", Better.LOWER, None, at_most=2.0)
TOTAL_SPAN = replace(SPAN, name="first text to last, many lanes")
TOTAL_FULLEST = replace(FULLEST, name="the account's queue, many lanes")


@dataclass(frozen=True)
class Crowd:
    """Texts over the first `lanes` numbers of a side, and the rate that is to hold for all of them together."""

    side: Side
    lanes: int
    per_second: float

    def requests(self, name: str, texts: int) -> list[bytes]:
        side = self.side
        headers = {"authorization": f"Bearer {side.key}", "content-type": "application/json"}
        bodies = (
            {
                "to": unassigned_numbers()[number],
                "from": side.senders[number % self.lanes],
                "body": f"{name}, {number}",
            }
            for number in range(texts)
        )
        return [post("/api/messages", json.dumps(body).encode(), headers) for body in bodies]


@dataclass(frozen=True)
class Round:
    """`times`: when each text arrived, in order. `sent`: texts by the process that sent them."""

    times: Sequence[float]
    sent: Counter[int]

    @property
    def span_seconds(self) -> float:
        return self.times[-1] - self.times[0]


@dataclass(frozen=True)
class Course:
    """What the rounds run through."""

    context: Context
    api: Served
    carrier: BareCarrier
    jobs: Sequence[int]

    async def round(self, crowd: Crowd, name: str, texts: int) -> Round:
        await (await self.context.load()).send(self.api.port, crowd.requests(name, texts), connections=8)
        give_up = time.monotonic() + 3 * texts / crowd.per_second + 20
        owners = dict[int, int]()
        while True:
            owners |= ports_of(self.jobs)
            arrived = [one for one in await self.carrier.arrivals() if one.body.startswith(f"{name}, ")]
            if len(arrived) >= texts:
                return _checked(arrived, owners)
            assert time.monotonic() < give_up, f"{len(arrived)} of {texts} texts have arrived"
            await asyncio.sleep(0.2)

    async def rounds(self, crowd: Crowd, name: str, texts: int) -> list[Round]:
        count = self.context.sized(full=3, smoke=1)
        return [await self.round(crowd, f"{name} {number}", texts) for number in range(count)]


def _checked(arrived: Sequence[Arrival], owners: dict[int, int]) -> Round:
    assert len({one.body for one in arrived}) == len(arrived), "a text arrived twice"
    sent = Counter(owners[one.port] for one in arrived if one.port in owners)
    return Round(sorted(one.at_seconds for one in arrived), sent)


def fullest(times: Sequence[float], per_second: float) -> float:
    """How many texts were ever in a queue that sends at the rate, with the one just come: 1 where none came early."""
    level = most = 1.0
    for earlier, later in pairwise(times):
        level = max(0.0, level - (later - earlier) * per_second) + 1.0
        most = max(most, level)
    return most


async def measure(context: Context) -> Measurement:
    postgres = await context.postgres()
    single_texts, total_texts = context.sized(full=(60, 120), smoke=(10, 20))
    async with running_carrier(context, keeps_arrivals=True) as carrier:
        context.processors.give_others(carrier.served.pid)
        side = await make_side(postgres, "pacing", carrier_url=carrier.url, paces=Paces(sender=PER_SECOND))
        shared = Paces(sender=PER_SECOND, total=TOTAL_PER_SECOND)
        neighbour = await add_neighbour(side, carrier_url=carrier.url, paces=shared)
        async with (
            serve_offhook(context.processors, side.environment) as api,
            run_jobs(context.processors, side.environment, PROCESSES) as jobs,
        ):
            course = Course(context, api, carrier, jobs)
            single = await course.rounds(Crowd(side, 1, PER_SECOND), "Lane", single_texts)
            total = await course.rounds(Crowd(neighbour, LANES, TOTAL_PER_SECOND), "Account", total_texts)
    return Measurement(
        [
            *_figures(SPAN, FULLEST, single, PER_SECOND),
            *_figures(TOTAL_SPAN, TOTAL_FULLEST, total, TOTAL_PER_SECOND),
        ],
        [],
        [
            f"{single_texts} texts a round at {PER_SECOND:g} a second, by the receiving server's clock. A queue that "
            "sends at that rate would never have held more than one text beside the one just come: in no span of time "
            "did more arrive than the rate allows, but for one.",
            f"Many lanes: {total_texts} texts a round over {LANES} senders of one account at {TOTAL_PER_SECOND:g} a "
            f"second in all. Texts by the process that sent them: {_shares(total)}. One lane stays with the process "
            f"that took it as long as it is never empty: {_shares(single)}.",
        ],
    )


def _figures(span: Target, full: Target, rounds: Sequence[Round], per_second: float) -> list[Figure]:
    return [
        Figure(span, [(one.span_seconds, (len(one.times) - 1) / per_second) for one in rounds]),
        Figure(full, [(fullest(one.times, per_second), 1.0) for one in rounds]),
    ]


def _shares(rounds: Sequence[Round]) -> str:
    return "; ".join(", ".join(str(texts) for _, texts in one.sent.most_common()) for one in rounds)


GOAL = Goal(
    number="pacing",
    statement=f"The texts of one lane at {PER_SECOND:g} a second, and of {LANES} lanes at {TOTAL_PER_SECOND:g} in all, "
    f"over {PROCESSES} processes of `offhook jobs`",
    reference="the ideal: each text exactly at its time",
    measure=measure,
)
