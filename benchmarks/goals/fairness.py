"""Fairness: how long another tenant's single text takes while one tenant has ten thousand waiting."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from statistics import median, quantiles
from typing import Any

import aiohttp
import asyncpg

from benchmarks.carrier import BareCarrier, running_carrier
from benchmarks.context import Context
from benchmarks.goal import Better, Figure, Goal, Measurement, Target
from benchmarks.load import post
from benchmarks.served import Served, run_jobs, serve_offhook
from benchmarks.side import (
    DEFAULT_LIMITS,
    SENDERS,
    UNHINDERED,
    Side,
    add_neighbour,
    make_side,
    unassigned_numbers,
)

SLOW = Target("p95 of a text, POST to carrier", "ms", Better.LOWER, None, adds_at_most=100.0)
MIDDLE = Target("p50 of a text, POST to carrier", "ms", Better.LOWER, None)
LIMITED_SLOW = replace(SLOW, name="p95, the flood under default limits")
LIMITED_MIDDLE = replace(MIDDLE, name="p50, the flood under default limits")

FLOOD = 10_000
_TEXT = "Your bike is ready. Book your next repair slot here: https://spokeandchain.example/book"
_PAUSE_SECONDS = (0.03, 0.17)
"""Between two texts of the neighbour, so that they fall anywhere in the flood's rhythm."""


@dataclass
class Neighbour:
    """The tenant with a single text now and then, each from a number that is free."""

    side: Side
    api: Served
    carrier: BareCarrier
    session: aiohttp.ClientSession
    numbers: count[int] = field(default_factory=count)
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    async def text(self, texts: int) -> list[float]:
        """Milliseconds from before the POST until the carrier has each of them."""
        began = dict[str, float]()
        for _ in range(texts):
            number = next(self.numbers)
            body = f"Single text {number}"
            began[body] = time.monotonic()
            await self._post(number, body)
            await asyncio.sleep(self.chance.uniform(*_PAUSE_SECONDS))
        arrived = await self._arrived(set(began))
        return [(arrived[body] - at) * 1e3 for body, at in began.items()]

    async def _post(self, number: int, body: str) -> None:
        wish = {"to": _recipient(number), "from": self.side.senders[number % SENDERS], "body": body}
        url = f"http://127.0.0.1:{self.api.port}/api/messages"
        headers = {"Authorization": f"Bearer {self.side.key}"}
        async with self.session.post(url, json=wish, headers=headers) as response:
            assert response.status == 202, await response.text()

    async def _arrived(self, bodies: set[str]) -> dict[str, float]:
        async with asyncio.timeout(60):
            while True:
                arrived = {one.body: one.at_seconds for one in await self.carrier.arrivals() if one.body in bodies}
                if len(arrived) == len(bodies):
                    return arrived
                await asyncio.sleep(0.1)


def _recipient(number: int) -> str:
    recipients = unassigned_numbers()
    return recipients[number % (len(recipients) - SENDERS)]


async def _flood(context: Context, side: Side, api: Served, texts: int) -> None:
    """So many texts over all of the tenant's numbers, placed through the API."""
    headers = {"authorization": f"Bearer {side.key}", "content-type": "application/json"}
    bodies = (
        {"to": _recipient(number), "from": side.senders[number % SENDERS], "body": _TEXT} for number in range(texts)
    )
    requests = [post("/api/messages", json.dumps(body).encode(), headers) for body in bodies]
    await (await context.load()).send(api.port, requests, connections=16)


async def _waiting(side: Side) -> int:
    return await _fetch(side, "select count(*) from messages where organization_id = $1 and status = 'queued'")


async def _ebb(side: Side) -> int:
    """Take back what still waits; how many those were. Its lanes are locked first, in the order in which pumps lock
    them: a sender's, then the whole account's."""
    waiting = await _waiting(side)
    await _fetch(
        side,
        "with locked as materialized (select id from lanes where organization_id = $1"
        " order by sender = '', sender for update), gone as (update messages set status = 'canceled'"
        " where organization_id = $1 and status = 'queued' and (select count(*) from locked) > 0 returning 1)"
        " select count(*) from gone",
    )
    return waiting


async def _fetch(side: Side, query: str) -> int:
    driver: Any = asyncpg
    connection = await driver.connect(side.dsn, server_settings={"role": "offhook_system", "search_path": "offhook"})
    try:
        return await connection.fetchval(query, side.organization_id)
    finally:
        await connection.close()


@dataclass
class _Round:
    alone: list[float]
    flooded: list[float]
    waiting: int
    """Of the flood's texts, when the last of the neighbour's had gone."""


async def measure(context: Context) -> Measurement:
    postgres = await context.postgres()
    async with running_carrier(context, keeps_arrivals=True) as carrier:
        context.processors.give_others(carrier.served.pid)
        side = await make_side(postgres, "fairness", carrier_url=carrier.url)
        async with (
            serve_offhook(context.processors, side.environment) as api,
            run_jobs(context.processors, side.environment, 1),
            aiohttp.ClientSession() as session,
        ):
            neighbour = Neighbour(side, api, carrier, session)
            await neighbour.text(10)
            free, limited = list[_Round](), list[_Round]()
            for _ in range(context.sized(full=3, smoke=1)):
                free.append(await _round(context, neighbour, UNHINDERED))
                limited.append(await _round(context, neighbour, DEFAULT_LIMITS))
    return _measurement(free, limited)


async def _round(context: Context, neighbour: Neighbour, texting: Mapping[str, object]) -> _Round:
    """The neighbour alone, then beside a flood: of a tenant of its own, because limits are a day's."""
    flood, texts = context.sized(full=(FLOOD, 100), smoke=(200, 5))
    flooding = await add_neighbour(neighbour.side, carrier_url=neighbour.carrier.url, texting=texting)
    alone = await neighbour.text(texts)
    await _flood(context, flooding, neighbour.api, flood)
    flooded = await neighbour.text(texts)
    return _Round(alone, flooded, await _ebb(flooding))


def _measurement(free: Sequence[_Round], limited: Sequence[_Round]) -> Measurement:
    return Measurement(
        [
            Figure(SLOW, [(_p95(one.flooded), _p95(one.alone)) for one in free]),
            Figure(MIDDLE, [(median(one.flooded), median(one.alone)) for one in free]),
            Figure(LIMITED_SLOW, [(_p95(one.flooded), _p95(one.alone)) for one in limited]),
            Figure(LIMITED_MIDDLE, [(median(one.flooded), median(one.alone)) for one in limited]),
        ],
        [],
        [
            f"The flood: {FLOOD:,} texts over {SENDERS} senders at one per second each; when the last single text had "
            f"gone, {min(one.waiting for one in free):,} or more of them still waited.",
            f"Under default limits all but {1_000:,} segments of the day are held, and so are texts that are too many "
            f"for one person; {min(one.waiting for one in limited):,} or more waited or were held at the end.",
            "API and jobs are processes of their own, as they are run; both tenants text through one carrier account "
            "each, at a bare server that notes when a request arrives.",
        ],
    )


def _p95(times: Sequence[float]) -> float:
    return quantiles(times, n=20)[18]


GOAL = Goal(
    number="fairness",
    statement="A single text of one tenant while another tenant has 10,000 waiting",
    reference="the same texts with nobody else texting, in turn in the same run",
    measure=measure,
)
