"""200 texts while API, jobs and PostgreSQL are killed at random, some of them identical twins, and the carrier loses
answers: 200 arrive, none twice, none stuck."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import suppress

import pytest

from fixtures.chaos import Killer, arrived, make_texts, place_all, set_fault, until_settled
from fixtures.product import running_product

pytestmark = [pytest.mark.ci, pytest.mark.timeout(240)]

TEXTS, TWINS = 200, 40
LONGEST_DELAY_SECONDS = 1.5
GAP_SECONDS = 3.0


async def test_two_hundred_texts_arrive_once_each_whatever_is_killed() -> None:
    texts = make_texts(TEXTS, TWINS, seed=7)
    async with running_product({"OFFHOOK_RECONCILE_GAP_SECONDS": str(GAP_SECONDS)}) as product:
        await set_fault(
            product,
            route="messages.create",
            kind="commit_delay",
            seconds=LONGEST_DELAY_SECONDS,
            probability=0.05,
            count=None,
        )
        await set_fault(product, route="messages.create", kind="drop_after", probability=0.05, count=None)
        await set_fault(product, route="messages.create", kind="drop_before", probability=0.05, count=None)
        killer = Killer(product, ("api", "jobs", "postgres"), (0.4, 1.2), seed=11)
        killing = asyncio.create_task(killer.run())
        async with product.client() as client:
            await place_all(client, texts, at_once=10, give_up=time.monotonic() + 90)
        await asyncio.sleep(3)
        killing.cancel()
        with suppress(asyncio.CancelledError):
            await killing
        messages = await until_settled(product, texts, give_up=time.monotonic() + 120)

        assert await arrived(product) == Counter((text.to, text.body) for text in texts)
        assert Counter(message["status"] for message in messages) == {"delivered": TEXTS}
        assert sum(killer.kills.values()) >= 3, killer.kills
