"""Texts while API, jobs, agent, emulator and PostgreSQL are killed at random and everything goes wrong at the carrier:
each arrives once or is said to be unknown with the evidence, and no rate and no cap is exceeded."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from fixtures.chaos import Callers, Killer, Means, Mix, Outages, Placing, make_wishes, set_fault, until_arrived
from fixtures.chaos_carriers import LONGEST_DELAY_SECONDS, TELNYX, TWILIO, Carrier, Paces
from fixtures.evidence import Outcome, check_wishes, until_settled
from fixtures.product import Product, running_product

GAP_SECONDS = 3.0
OUTAGE_SECONDS = 3.0
SLACK_SECONDS = LONGEST_DELAY_SECONDS + 1.5
"""A delayed request counts when it is carried out; and on a busy machine one is late by itself."""
UNDER_FIRE = 0.7
"""The share of the texts that arrives while processes are killed; the rest shows that it comes to an end after."""
MOST_UNKNOWN = 0.03
"""The share of texts that may be given up as unknown: three attempts, each with a lost answer and no effect. By the
odds of the faults it is under one in a hundred, and each kill adds attempts that end so."""
DECK = ("api", "api", "jobs", "jobs", "emulator", "postgres", "agent")
"""The agent takes longest to start, and a machine with two processors has little to spare for that."""


@dataclass(frozen=True)
class Run:
    """How much, how fast, how often. `seconds`: how long placing may take, and then again how long settling may.
    `calls`: how often each of the callers calls the agent."""

    mix: Mix
    paces: Paces
    cap: int
    every: tuple[float, float]
    seconds: float
    calls: int
    carrier: Carrier = TWILIO


async def survive(run: Run, seed: int) -> None:
    """Place all texts under fire; each must have its end in time, and what the carrier holds must fit."""
    print(f"\nseed {seed}")
    async with running_product({"OFFHOOK_RECONCILE_GAP_SECONDS": str(GAP_SECONDS)}) as product:
        means = await prepare(product, run)
        wishes = make_wishes(run.mix, means, seed)
        began = time.monotonic()
        placing = Placing(product, began + run.seconds)
        callers = Callers(product)
        async with under_fire(product, run, seed) as killer:
            await asyncio.gather(placing.all(wishes, at_once=20), callers.run(run.calls), killer.until_all_struck())
            await until_arrived(product, int(len(wishes) * UNDER_FIRE), began + run.seconds)
        fired = time.monotonic()
        held = max(0, run.mix.capped - run.cap)
        outcome = await until_settled(product, held=held, give_up=fired + run.seconds)
        unknown = outcome.check_each_once(capped=held, lists=run.carrier.lists)
        check_wishes(wishes, placing.ids, outcome)
        check_calls(callers, outcome)
        check_rates(run.paces, means, outcome)
        print(
            f"{len(outcome.messages)} texts, {len(outcome.arrived)} arrived, {len(unknown)} unknown, {held} held; "
            f"killed {dict(killer.kills)}; {fired - began:.0f} s under fire, settled after "
            f"{time.monotonic() - fired:.0f} s more"
        )
        assert len(unknown) <= max(2, len(wishes) * MOST_UNKNOWN), unknown


async def prepare(product: Product, run: Run) -> Means:
    """The policy, the carrier's account, and from then on its troubles."""
    texting = {"quiet_hours": None, "recipient_daily_cap": run.cap, "daily_segments": None}
    async with product.client() as client:
        await client.request("PATCH", "/api/organization", json={"settings": {"texting": texting}})
        means = await run.carrier.connect(product, client, run.paces)
    for fault in run.carrier.faults():
        await set_fault(product, count=None, **fault)
    return means


@asynccontextmanager
async def under_fire(product: Product, run: Run, seed: int) -> AsyncGenerator[Killer]:
    """Processes are killed and the carrier has outages until the block ends."""
    killer = Killer(product, DECK, run.every, seed)
    outages = Outages(product, run.carrier.face, OUTAGE_SECONDS, (8.0, 20.0), seed)
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


def check_rates(paces: Paces, means: Means, outcome: Outcome) -> None:
    """Of the account, of each number, and of what the messaging service picked among."""
    own = set(means.senders)
    groups = [frozenset({sender}) for sender in own]
    groups.append(frozenset(str(message["from"]) for message in outcome.arrived) - own)
    outcome.check_rate(paces.total, slack_seconds=SLACK_SECONDS)
    for senders in groups:
        outcome.check_rate(paces.sender, slack_seconds=SLACK_SECONDS, senders=senders)


def seed_of(default: int) -> int:
    return int(os.environ.get("CHAOS_SEED", str(default)))


@pytest.mark.ci
@pytest.mark.timeout(400)
async def test_five_hundred_texts_arrive_once_each_whatever_is_killed_and_whatever_goes_wrong() -> None:
    run = Run(
        mix=Mix(texts=470, twins=100, capped=30),
        paces=Paces(sender=6, total=18),
        cap=20,
        every=(0.7, 2.2),
        seconds=150,
        calls=4,
    )
    await survive(run, seed_of(7))


@pytest.mark.ci
@pytest.mark.timeout(300)
async def test_texts_through_a_carrier_without_a_list_arrive_once_each_as_well() -> None:
    run = Run(
        mix=Mix(texts=50, twins=0, capped=0),
        paces=Paces(sender=5, total=5),
        cap=20,
        every=(0.7, 2.2),
        seconds=110,
        calls=0,
        carrier=TELNYX,
    )
    await survive(run, seed_of(11))


@pytest.mark.soak
async def test_thousands_of_texts_arrive_once_each_whatever_is_killed_and_whatever_goes_wrong() -> None:
    """SOAK_TEXTS of them (20,000), from CHAOS_SEED or another seed each time."""
    count = int(os.environ.get("SOAK_TEXTS", "20000"))
    recipients = tuple(f"+1212555{n}" for n in range(2000, 2000 + max(50, count // 10)))
    run = Run(
        mix=Mix(texts=count, twins=count // 5, capped=30, recipients=recipients),
        paces=Paces(sender=10, total=30),
        cap=20,
        every=(0.7, 5.0),
        seconds=count / 30 * 3 + 150,
        calls=20,
    )
    await survive(run, seed_of(int(time.time())))
