"""Texts while API, jobs, agent, emulator and PostgreSQL are killed at random and everything goes wrong at the carrier:
each arrives once or is said to be unknown with the evidence, and no rate and no cap is exceeded."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from fixtures.chaos import SENDERS, Callers, Killer, Mix, Outages, Placing, make_wishes, set_fault
from fixtures.evidence import Outcome, check_wishes, until_settled
from fixtures.product import Product, running_product

LONGEST_DELAY_SECONDS = 1.5
GAP_SECONDS = 3.0
OUTAGE_SECONDS = 3.0
SLACK_SECONDS = LONGEST_DELAY_SECONDS + 1.5
"""A delayed request counts when it is carried out; and on a busy machine one is late by itself."""
DECK = ("api", "api", "jobs", "jobs", "emulator", "postgres", "agent")
"""The agent takes longest to start, and a machine with two processors has little to spare for that."""

FAULTS: Sequence[dict[str, Any]] = (
    {"route": "messages.create", "kind": "latency", "seconds": 0.7, "probability": 0.05},
    {"route": "messages.create", "kind": "status", "status": 429, "probability": 0.05},
    {"route": "messages.create", "kind": "status", "status": 503, "probability": 0.02},
    {"route": "messages.create", "kind": "status_after", "status": 500, "probability": 0.03},
    {"route": "messages.create", "kind": "drop_before", "probability": 0.02},
    {"route": "messages.create", "kind": "drop_after", "probability": 0.04},
    {"route": "messages.create", "kind": "commit_delay", "seconds": LONGEST_DELAY_SECONDS, "probability": 0.04},
    {"route": "messages.list", "kind": "status", "status": 503, "probability": 0.1},
    {"route": "messages.list", "kind": "latency", "seconds": 0.5, "probability": 0.1},
    {"route": "callback", "kind": "drop", "probability": 0.05},
    {"route": "callback", "kind": "double", "probability": 0.1},
    {"route": "callback", "kind": "latency", "seconds": 2.0, "probability": 0.1},
    {"route": "callback", "kind": "reorder", "probability": 0.1},
)


@dataclass(frozen=True)
class Run:
    """How much, how fast, how often. `callers`: how often each of the callers calls."""

    mix: Mix
    sender_per_second: float
    total_per_second: float
    cap: int
    every: tuple[float, float]
    seconds: float
    callers: int


async def survive(run: Run, seed: int) -> None:
    """Place all texts under fire; `run.seconds` after the fire, each must have its end."""
    print(f"\nseed {seed}")
    environment = {"OFFHOOK_RECONCILE_GAP_SECONDS": str(GAP_SECONDS)}
    async with running_product(environment) as product:
        began = time.monotonic()
        wishes = make_wishes(await prepare(product, run), seed)
        placing = Placing(product, began + run.seconds)
        callers = Callers(product)
        async with under_fire(product, run, seed) as killer:
            await asyncio.gather(placing.all(wishes, at_once=20), callers.run(run.callers), killer.until_all_struck())
        fired = time.monotonic()
        held = run.mix.capped - run.cap
        outcome = await until_settled(product, held=held, give_up=fired + run.seconds)
        unknown = outcome.check_each_once(capped=held)
        check_wishes(wishes, placing.ids, outcome)
        check_calls(callers, outcome)
        outcome.check_rate(run.total_per_second, slack_seconds=SLACK_SECONDS)
        for sender in SENDERS:
            outcome.check_rate(run.sender_per_second, slack_seconds=SLACK_SECONDS, senders=frozenset({sender}))
        print(
            f"{len(outcome.messages)} texts, {len(outcome.arrived)} arrived, {len(unknown)} unknown, {held} held; "
            f"killed {dict(killer.kills)}; {fired - began:.0f} s under fire, settled after "
            f"{time.monotonic() - fired:.0f} s more"
        )
        assert len(unknown) <= max(2, len(wishes) // 100), unknown


async def prepare(product: Product, run: Run) -> Mix:
    """Senders, paces, caps and faults; the mix with what it may choose from."""
    texting = {"quiet_hours": None, "recipient_daily_cap": run.cap, "daily_segments": None}
    async with product.client() as client:
        await client.request("PATCH", "/api/organization", json={"settings": {"texting": texting}})
        [account, *_] = (await client.request("GET", "/api/carrier-accounts"))["carrier_accounts"]
        paces = {"messages_per_second": run.sender_per_second, "total_per_second": run.total_per_second}
        await client.request("PATCH", f"/api/carrier-accounts/{account['id']}", json=paces)
        for sender in SENDERS[1:]:
            number = {"number": sender, "carrier_account_id": account["id"]}
            await client.request("POST", "/api/phone-numbers", json=number)
    for fault in FAULTS:
        await set_fault(product, count=None, **fault)
    return run.mix


@asynccontextmanager
async def under_fire(product: Product, run: Run, seed: int) -> AsyncGenerator[Killer]:
    """Processes are killed and the carrier has outages until the block ends."""
    killer = Killer(product, DECK, run.every, seed)
    outages = Outages(product, "twilio", OUTAGE_SECONDS, (8.0, 20.0), seed)
    tasks = [asyncio.create_task(killer.run()), asyncio.create_task(outages.run())]
    try:
        yield killer
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def check_calls(callers: Callers, outcome: Outcome) -> None:
    """A call texts at most once, and whoever heard that a text was sent has one."""
    texted = Counter(message["to"] for message in outcome.messages if message["origin"] == "tool")
    for number, answered in callers.answered.items():
        assert answered <= texted[number] <= callers.tried[number], (answered, texted[number], callers.tried[number])


@pytest.mark.ci
@pytest.mark.timeout(300)
async def test_five_hundred_texts_arrive_once_each_whatever_is_killed_and_whatever_goes_wrong() -> None:
    seed = int(os.environ.get("CHAOS_SEED", "7"))
    run = Run(
        mix=Mix(texts=470, twins=100, capped=30),
        sender_per_second=6,
        total_per_second=18,
        cap=20,
        every=(0.3, 1.5),
        seconds=110,
        callers=4,
    )
    await survive(run, seed)


@pytest.mark.soak
async def test_thousands_of_texts_arrive_once_each_whatever_is_killed_and_whatever_goes_wrong() -> None:
    """SOAK_TEXTS of them (20,000), from CHAOS_SEED or another seed each time."""
    count = int(os.environ.get("SOAK_TEXTS", "20000"))
    seed = int(os.environ.get("CHAOS_SEED", str(int(time.time()))))
    recipients = tuple(f"+1212555{n}" for n in range(2000, 2000 + count // 10))
    run = Run(
        mix=Mix(texts=count, twins=count // 5, capped=30, recipients=recipients),
        sender_per_second=10,
        total_per_second=30,
        cap=20,
        every=(0.3, 5.0),
        seconds=count / 30 * 3 + 120,
        callers=20,
    )
    await survive(run, seed)
