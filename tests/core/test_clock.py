"""Clocks: the machine's, and the one that tests move."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from offhook.core.clock import Clock, ManualClock, SystemClock


async def test_the_system_clock_is_aware_utc_and_goes_on() -> None:
    clock: Clock = SystemClock()
    before, started = clock.now(), clock.monotonic()
    await clock.sleep(0.001)
    await clock.sleep(-1)
    assert before.tzinfo is UTC
    assert clock.now() >= before
    assert clock.monotonic() >= started + 0.001


async def test_a_manual_clock_stands_still_until_it_is_moved() -> None:
    clock = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))
    started = clock.monotonic()
    await clock.advance(90)
    assert clock.now() == datetime(2026, 3, 1, 0, 1, 30, tzinfo=UTC)
    assert clock.monotonic() - started == 90


async def test_sleepers_wake_in_the_order_of_their_times_and_see_them() -> None:
    clock: ManualClock = ManualClock()
    start = clock.now()
    woken: list[tuple[str, timedelta]] = []

    async def sleeper(name: str, *naps: float) -> None:
        for nap in naps:
            await clock.sleep(nap)
            woken.append((name, clock.now() - start))

    tasks = [asyncio.create_task(sleeper("a", 5, 5)), asyncio.create_task(sleeper("b", 7, 100))]
    await clock.advance(0)
    assert clock.sleepers == 2
    await clock.advance(20)
    assert woken == [("a", timedelta(seconds=5)), ("b", timedelta(seconds=7)), ("a", timedelta(seconds=10))]
    await clock.advance(1000)
    await asyncio.gather(*tasks)
    assert woken[-1] == ("b", timedelta(seconds=107))


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = ManualClock()
    task = asyncio.create_task(clock.sleep(5))
    await clock.advance(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert clock.sleepers == 0


async def test_sleeping_for_no_time_returns() -> None:
    clock = ManualClock()
    await clock.sleep(0)
    await clock.sleep(-1)
    assert clock.sleepers == 0
