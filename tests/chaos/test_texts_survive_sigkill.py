"""Texts while API, jobs, agent, emulator and PostgreSQL are killed at random and everything goes wrong at the carrier:
each arrives once or is said to be unknown with the evidence, and no rate and no cap is exceeded."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from fixtures.chaos import CAPPED, Callers, Means, Mix, Outages, Placing, make_wishes, set_fault, until_arrived
from fixtures.chaos_carriers import TELNYX, TWILIO, Carrier, Paces
from fixtures.chaos_database import cut_listeners, note_decisions
from fixtures.chaos_processes import losing_processes
from fixtures.evidence import Outcome, check_wishes, until_settled
from fixtures.product import Product, get_json, running_product

GAP_SECONDS = 3.0
OUTAGE_SECONDS = 3.0
LATE_SECONDS = 0.3
"""How long after its slot a text may leave and arrive; one that is later still is to give its slot up."""
UNDER_FIRE = 0.7
"""The share of the texts that arrives while processes are killed; the rest shows that it comes to an end after."""
MOST_UNKNOWN = 0.03
"""The share of texts that may be given up as unknown: three attempts, each with a lost answer and no effect. By the
odds of the faults it is under one in a hundred, and each kill adds attempts that end so."""


@dataclass(frozen=True)
class Run:
    """How much, how fast, how often. `seconds`: how long all of it may take. `calls`: how often each of the callers
    calls the agent. `segments`: the day's budget."""

    mix: Mix
    paces: Paces
    cap: int
    every: tuple[float, float]
    seconds: float
    calls: int
    segments: int | None = None
    carrier: Carrier = TWILIO


@pytest.fixture
async def product() -> AsyncGenerator[Product]:
    async with running_product({"OFFHOOK_RECONCILE_GAP_SECONDS": str(GAP_SECONDS)}) as product:
        yield product


async def survive(product: Product, run: Run, seed: int) -> None:
    """Place all texts under fire; each must have its end in time, and what the carrier holds must fit."""
    print(f"\nseed {seed}")
    means = await prepare(product, run)
    wishes = make_wishes(run.mix, means, seed)
    began = time.monotonic()
    give_up = began + run.seconds
    placing, callers = Placing(product, give_up), Callers(product)
    outages = Outages(product, run.carrier.face, OUTAGE_SECONDS, (8.0, 20.0), seed)
    async with losing_processes(product, run.every, seed) as killer, outages.going():
        await asyncio.gather(placing.all(wishes, at_once=20), callers.run(run.calls), killer.until_all_struck())
        await until_arrived(product, int(len(wishes) * UNDER_FIRE), give_up)
    await cut_listeners(product)  # nobody is killed after this: who listened must do so again by itself
    fired = time.monotonic()
    outcome = await until_settled(product, give_up=give_up)
    held = {reason: len(messages) for reason, messages in outcome.held.items()}
    print(
        f"{len(outcome.messages)} texts, {len(outcome.arrived)} arrived, {len(outcome.unknown)} unknown, "
        f"held {held}; {callers.answered.total()} of {callers.tried.total()} calls answered; "
        f"struck {dict(killer.strikes)}; "
        f"{fired - began:.0f} s under fire, settled after {time.monotonic() - fired:.0f} s more"
    )
    outcome.check_each_once(lists=run.carrier.lists)
    check_wishes(wishes, placing.ids, outcome)
    outcome.check_caps(to=CAPPED, texts=run.cap, wished=run.mix.capped, segments=run.segments)
    check_rates(run.paces, means, outcome)
    check_calls(callers, outcome)
    (outcome.check_listings if run.carrier.lists else outcome.check_asked_again)(GAP_SECONDS)
    assert len(outcome.unknown) <= max(2, len(wishes) * MOST_UNKNOWN), outcome.unknown
    run.carrier.check_strikes((await get_json(f"{product.instance.emulator_url}/_emulator/faults"))["strikes"])


async def prepare(product: Product, run: Run) -> Means:
    """The policy, the carrier's account, and from then on its troubles."""
    texting = {
        "quiet_hours": None,
        "recipient_daily_cap": run.cap,
        "daily_segments": run.segments,
        "time_zone": where_no_day_ends_soon(),
    }
    await note_decisions(product)
    async with product.client() as client:
        await client.request("PATCH", "/api/organization", json={"settings": {"texting": texting}})
        means = await run.carrier.connect(product, client, run.paces)
    for fault in run.carrier.faults():
        await set_fault(product, **fault)
    return means


def where_no_day_ends_soon() -> str:
    """A budget is a day's."""
    zones = ("America/New_York", "Asia/Tokyo")
    return next(zone for zone in zones if 2 <= datetime.now(UTC).astimezone(ZoneInfo(zone)).hour < 20)


def check_calls(callers: Callers, outcome: Outcome) -> None:
    """A call texts at most once, and whoever heard that a text was sent has one."""
    texted = Counter(message["to"] for message in outcome.messages if message["origin"] == "tool")
    for number, tried in callers.tried.items():
        assert callers.answered[number] <= texted[number] <= tried, (callers.answered[number], texted[number], tried)
    assert bool(callers.answered.total()) is bool(callers.tried.total()), "no caller was answered"


def check_rates(paces: Paces, means: Means, outcome: Outcome) -> None:
    """Of the account, of each number, and of what the messaging service picked among: but for one text, none came
    before its time."""
    own = set(means.senders)
    groups = [frozenset({sender}) for sender in own]
    groups.append(frozenset(str(message["from"]) for message in outcome.arrived) - own)
    ahead = {"all": (outcome.ahead_seconds(paces.total), paces.total)}
    ahead |= {
        ", ".join(sorted(senders)): (outcome.ahead_seconds(paces.sender, senders), paces.sender) for senders in groups
    }
    for who, (seconds, per_second) in ahead.items():
        print(f"{who or 'the service'}: {seconds:.2f} s ahead of their rate at most")
        assert seconds <= 1 / per_second + LATE_SECONDS, f"{who}: {seconds:.2f} s ahead of their rate"


def seed_of(default: int) -> int:
    return int(os.environ.get("CHAOS_SEED", str(default)))


@pytest.mark.ci
@pytest.mark.timeout(180, func_only=True)
async def test_five_hundred_texts_arrive_once_each_whatever_is_killed_and_whatever_goes_wrong(product: Product) -> None:
    run = Run(
        mix=Mix(texts=500, twins=100, capped=30),
        paces=Paces(sender=6, total=18),
        cap=20,
        every=(0.7, 2.2),
        seconds=170,
        calls=4,
        segments=470,
    )
    await survive(product, run, seed_of(7))


@pytest.mark.ci
@pytest.mark.timeout(120, func_only=True)
async def test_texts_through_a_carrier_without_a_list_arrive_once_each_as_well(product: Product) -> None:
    run = Run(
        mix=Mix(texts=60, twins=0, capped=0),
        paces=Paces(sender=5, total=5),
        cap=20,
        every=(0.7, 2.2),
        seconds=110,
        calls=0,
        carrier=TELNYX,
    )
    await survive(product, run, seed_of(11))


@pytest.mark.soak
async def test_thousands_of_texts_arrive_once_each_whatever_is_killed_and_whatever_goes_wrong(product: Product) -> None:
    """SOAK_TEXTS of them (20,000), from CHAOS_SEED or another seed each time."""
    count = int(os.environ.get("SOAK_TEXTS", "20000"))
    recipients = tuple(f"+1212555{n}" for n in range(2000, 2000 + max(50, count // 10)))
    run = Run(
        mix=Mix(texts=count, twins=count // 5, capped=30, recipients=recipients),
        paces=Paces(sender=10, total=30),
        cap=20,
        every=(0.7, 5.0),
        seconds=count / 30 * 3 + 300,
        calls=20,
        segments=count - 30,
    )
    await survive(product, run, seed_of(int(time.time())))
