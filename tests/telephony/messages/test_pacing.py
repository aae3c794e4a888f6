"""The rate of a lane, held by four processes that take from it at once."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

from fixtures.jobs import running_jobs
from fixtures.telephony import OTHER_TO, TO, World
from offhook.telephony.messages.models import Message, NewText

RATE = 40.0


async def _placed(world: World, count: int) -> None:
    texts = [NewText(world.organization_id, "api", (TO, OTHER_TO)[n % 2], f"Text {n}") for n in range(count)]
    await asyncio.gather(*(world.telephony.messaging.place(text) for text in texts))


async def _all_taken(world: World) -> list[Message]:
    async def taken() -> bool:
        return all(message.status not in ("queued", "sending") for message in await world.messages())

    await world.until(taken, 30.0)
    return await world.messages()


def _slots(messages: list[Message]) -> list[float]:
    assert {message.attempt for message in messages} == {1}
    return sorted(message.attempt_started_at.timestamp() for message in messages if message.attempt_started_at)


def report(slots: list[float], arrivals: list[float]) -> None:
    """Ideal and measured, for who runs this to look at: `-s`."""
    ideal, taken, came = (len(slots) - 1) / RATE, slots[-1] - slots[0], arrivals[-1] - arrivals[0]
    print(f"ideal {ideal:.3f} s, slots {taken:.3f} s, arrivals {came:.3f} s ({came / ideal - 1:+.1%})")


async def test_four_processes_on_one_lane_never_pass_its_rate(world: World, database_dsn: str, tmp_path: Path) -> None:
    await world.execute("update carrier_accounts set messages_per_second = $1", RATE)
    async with running_jobs(4, database_dsn, tmp_path / "media", world.emulator.url):
        await _placed(world, 160)
        slots = _slots(await _all_taken(world))
    gaps = [after - before for before, after in itertools.pairwise(slots)]
    assert len(gaps) == 159
    assert min(gaps) >= 1 / RATE - 2e-6  # a timestamp's last digit
    arrivals = sorted(m.created_at for m in world.emulator.store.messages.values())
    report(slots, arrivals)
