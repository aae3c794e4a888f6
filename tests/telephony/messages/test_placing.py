"""The statement that places texts: what it reads, and what it says of a wish that was placed before."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from fixtures.calls import make_conversation
from fixtures.telephony import TO, World
from offhook.core.db.pool import Connection
from offhook.core.errors import Conflict, InvalidInput, OffhookError
from offhook.core.ids import new_id
from offhook.telephony.messages import placing
from offhook.telephony.messages.messaging import Wish
from offhook.telephony.messages.models import NewText, Placed


def scans(plan: dict[str, Any]) -> Iterator[str]:
    """The tables that a plan reads."""
    if plan["Node Type"] != "ModifyTable" and "Relation Name" in plan:
        yield plan["Relation Name"]
    for child in plan.get("Plans", ()):
        yield from scans(child)


@pytest.mark.parametrize("statement", [placing._PLACE_ONE, placing._PLACE_MANY])
async def test_placing_reads_no_text_that_was_placed_before(world: World, statement: str) -> None:
    """The planner, which has not counted the table yet, would look for the operation by walking through all texts."""
    async with world.database.system("a test") as connection:
        await connection.execute("set local plan_cache_mode = force_generic_plan")
        await connection.execute(f"prepare place as {statement}")
        nothing = ", ".join("null" for _ in placing._COLUMNS)
        planned = await connection.fetchval(f"explain (format json) execute place ({nothing})")
        await connection.execute("deallocate place")
    plan = json.loads(planned)[0]["Plan"]
    assert {"lanes", "suppressions"} <= set(scans(plan))
    assert "messages" not in set(scans(plan))


async def test_a_wish_that_was_placed_is_found_again_whatever_has_happened_since(world: World) -> None:
    wish = NewText(world.organization_id, "api", TO, "Once", operation_id="once")
    first = await world.telephony.messaging.place(wish)
    await world.execute(
        "insert into suppressions (organization_id, number, reason) values ($1, $2, 'operator')",
        world.organization_id,
        TO,
    )
    assert (await world.telephony.messaging.place(wish)).id == first.id
    await world.execute("update carrier_accounts set stopped_reason = 'Refused.'")
    assert (await world.telephony.messaging.place(wish)).id == first.id
    other = NewText(world.organization_id, "api", TO, "Twice", operation_id="twice")
    with pytest.raises(InvalidInput) as refused:
        await world.telephony.messaging.place(other)
    assert refused.value.code == "suppressed"
    await world.execute("delete from suppressions")
    with pytest.raises(Conflict) as stopped:
        await world.telephony.messaging.place(other)
    assert stopped.value.code == "carrier_account_stopped"


async def test_a_wish_placed_many_times_in_one_batch_is_placed_once_and_takes_one_slot(world: World) -> None:
    await world.execute("update carrier_accounts set messages_per_second = 1")
    wish = NewText(world.organization_id, "api", TO, "Once", operation_id="once")
    placed = await asyncio.gather(*(world.telephony.messaging.place(wish) for _ in range(20)))
    assert len({message.id for message in placed}) == 1
    assert len(await world.messages()) == 1
    async with world.database.system("a test") as connection:
        backlog = await connection.fetchval(
            "select extract(epoch from backlog_until - $1)::float8 from lanes", placed[0].send_at
        )
    assert backlog == pytest.approx(1.0, abs=0.05)


async def test_a_text_of_no_conversation_spoils_no_others_commit(
    world: World, other_organization: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    messaging = world.telephony.messaging
    run = messaging._commit._run

    async def counted(connection: Connection, wishes: Sequence[Wish]) -> Sequence[Sequence[Placed] | OffhookError]:
        batches.append(len(wishes))
        return await run(connection, wishes)

    monkeypatch.setattr(messaging._commit, "_run", counted)
    theirs = (await make_conversation(world.database, other_organization)).conversation_id
    mine = (await make_conversation(world.database, world.organization_id)).conversation_id
    strays = [
        NewText(world.organization_id, "api", TO, "Astray", conversation_id=one) for one in (new_id(), theirs) * 5
    ]
    good = [NewText(world.organization_id, "api", TO, f"Good {n}", conversation_id=mine) for n in range(10)]
    results = await asyncio.gather(*map(messaging.place, [*strays, *good]), return_exceptions=True)
    assert {getattr(result, "code", result) for result in results[:10]} == {"conversation_not_found"}
    assert len(await world.messages()) == 10
    assert sum(batches) == 20
