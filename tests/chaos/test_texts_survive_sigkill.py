"""Texts while API, jobs and PostgreSQL are killed at random, some of them identical twins, and the carrier loses
answers: all arrive, none twice, none stuck."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from contextlib import suppress

import pytest

from fixtures.chaos import Killer, arrived, make_texts, place_all, set_fault, until_kills, until_settled
from fixtures.product import running_product

LONGEST_DELAY_SECONDS = 1.5
GAP_SECONDS = 3.0
KILLED = ("api", "jobs", "postgres")


async def survive(count: int, *, twins: int, seed: int, every: tuple[float, float], seconds: float) -> None:
    """Place `count` texts under fire; they must all have arrived once within `seconds` after the fire."""
    texts = make_texts(count, twins, seed)
    async with running_product({"OFFHOOK_RECONCILE_GAP_SECONDS": str(GAP_SECONDS)}) as product:
        for fault in (
            {"kind": "commit_delay", "seconds": LONGEST_DELAY_SECONDS},
            {"kind": "drop_after"},
            {"kind": "drop_before"},
        ):
            await set_fault(product, route="messages.create", probability=0.05, count=None, **fault)
        killer = Killer(product, KILLED, every, seed)
        killing = asyncio.create_task(killer.run())
        async with product.client() as client:
            await place_all(client, texts, at_once=10, give_up=time.monotonic() + seconds)
        await until_kills(killer, 3)
        killing.cancel()
        with suppress(asyncio.CancelledError):
            await killing
        messages = await until_settled(product, texts, give_up=time.monotonic() + seconds)

        assert await arrived(product) == Counter((text.to, text.body) for text in texts)
        assert Counter(message["status"] for message in messages) == {"delivered": count}


@pytest.mark.ci
@pytest.mark.timeout(400)
async def test_two_hundred_texts_arrive_once_each_whatever_is_killed() -> None:
    await survive(200, twins=40, seed=7, every=(0.4, 1.2), seconds=150)


@pytest.mark.soak
async def test_thousands_of_texts_arrive_once_each_whatever_is_killed() -> None:
    """SOAK_TEXTS of them (5,000). The emulator's account takes 10 a second."""
    count = int(os.environ.get("SOAK_TEXTS", "5000"))
    await survive(count, twins=count // 5, seed=int(time.time()), every=(0.5, 5.0), seconds=count)
