"""Pacing: the texts of one lane, taken by four processes of jobs, as they arrive at the carrier."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from itertools import pairwise

from benchmarks.carrier import Arrival, BareCarrier, running_carrier
from benchmarks.context import Context
from benchmarks.goal import Better, Figure, Goal, Measurement, Target
from benchmarks.load import post
from benchmarks.served import Served, run_jobs, serve_offhook
from benchmarks.side import Paces, Side, make_side, unassigned_numbers

PROCESSES = 4
PER_SECOND = 10.0

SPAN = Target("first text to last", "s", Better.LOWER, 1.05)
FULLEST = Target("the carrier's queue, were it that fast", "texts", Better.LOWER, None, at_most=2.0)


def _requests(side: Side, name: str, texts: int) -> list[bytes]:
    headers = {"authorization": f"Bearer {side.key}", "content-type": "application/json"}
    bodies = (
        {"to": unassigned_numbers()[number], "from": side.senders[0], "body": f"{name}, {number}"}
        for number in range(texts)
    )
    return [post("/api/messages", json.dumps(body).encode(), headers) for body in bodies]


async def _round(context: Context, side: Side, api: Served, carrier: BareCarrier, name: str, texts: int) -> list[float]:
    """When each text of a round arrived, in order."""
    await (await context.load()).send(api.port, _requests(side, name, texts), connections=8)
    give_up = time.monotonic() + 3 * texts / PER_SECOND + 20
    while True:
        arrived = [one for one in await carrier.arrivals() if one.body.startswith(f"{name}, ")]
        if len(arrived) >= texts:
            return _checked(arrived)
        assert time.monotonic() < give_up, f"{len(arrived)} of {texts} texts have arrived"
        await asyncio.sleep(0.2)


def _checked(arrived: Sequence[Arrival]) -> list[float]:
    assert len({one.body for one in arrived}) == len(arrived), "a text arrived twice"
    return sorted(one.at_seconds for one in arrived)


def fullest(times: Sequence[float], per_second: float) -> float:
    """How many texts were ever in a queue that sends at the rate, with the one just come: 1 where none came early."""
    level = most = 1.0
    for earlier, later in pairwise(times):
        level = max(0.0, level - (later - earlier) * per_second) + 1.0
        most = max(most, level)
    return most


async def measure(context: Context) -> Measurement:
    postgres = await context.postgres()
    texts = context.sized(full=60, smoke=10)
    async with running_carrier(context, keeps_arrivals=True) as carrier:
        context.processors.give_others(carrier.served.pid)
        side = await make_side(postgres, "pacing", carrier_url=carrier.url, paces=Paces(sender=PER_SECOND))
        async with (
            serve_offhook(context.processors, side.environment) as api,
            run_jobs(context.processors, side.environment, PROCESSES),
        ):
            rounds = [
                await _round(context, side, api, carrier, f"Round {number}", texts)
                for number in range(context.sized(full=3, smoke=1))
            ]
    ideal = (texts - 1) / PER_SECOND
    return Measurement(
        [
            Figure(SPAN, [(times[-1] - times[0], ideal) for times in rounds]),
            Figure(FULLEST, [(fullest(times, PER_SECOND), 1.0) for times in rounds]),
        ],
        [],
        [
            f"{texts} texts a round at {PER_SECOND:g} a second, by the receiving server's clock. A queue that sends at "
            "that rate would never have held more than one text beside the one just come: in no span of time did more "
            "arrive than the rate allows, but for one.",
        ],
    )


GOAL = Goal(
    number="pacing",
    statement=f"The texts of one lane at {PER_SECOND:g} a second, over {PROCESSES} processes of `offhook jobs`",
    reference="the ideal: each text exactly at its time",
    measure=measure,
)
