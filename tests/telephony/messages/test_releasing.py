"""Held texts are looked at before their time when the rules change or the person writes."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fixtures.database import UNHINDERED
from fixtures.telephony import OTHER_TO, TO, World
from offhook.telephony.messages import releasing
from telephony.messages.test_inbound import receive


def quiet_now() -> dict[str, Any]:
    """Quiet hours around the present moment, by UTC."""
    now = datetime.now(UTC)
    hours = {"from": f"{now - timedelta(hours=3):%H:%M}", "to": f"{now + timedelta(hours=3):%H:%M}"}
    return {**UNHINDERED, "quiet_hours": hours}


async def configure(world: World, texting: dict[str, Any]) -> None:
    answer = await world.api.patch("/api/organization", {"settings": {"texting": texting}})
    assert answer.status == 200, answer.text


async def placed(world: World, to: str = TO) -> uuid.UUID:
    text = {"to": to, "body": "Your bicycle is ready.", "recipient_time_zone": "UTC"}
    return uuid.UUID((await world.api.post("/api/messages", text)).json["message"]["id"])


async def until_held(world: World, message_id: uuid.UUID, reason: str) -> None:
    async def held() -> bool:
        return (await world.message(message_id)).hold_reason == reason

    await world.until(held)


async def test_a_change_of_the_rules_holds_for_texts_that_wait(world: World) -> None:
    await configure(world, quiet_now())
    async with world.working():
        message_id = await placed(world)
        await until_held(world, message_id, "quiet_hours")
        held = await world.message(message_id)
        assert held.not_before is not None
        assert held.send_at == held.not_before
        await configure(world, dict(UNHINDERED))
        await world.until_status(message_id, "delivered")


async def test_more_room_in_the_day_is_used_at_once(world: World) -> None:
    await configure(world, {**UNHINDERED, "daily_segments": 1})
    async with world.working():
        first, second, third = [await placed(world) for _ in range(3)]
        await world.until_status(first, "delivered")
        await until_held(world, second, "daily_cap")
        await until_held(world, third, "daily_cap")
        await configure(world, {**UNHINDERED, "daily_segments": 2})
        await world.until_status(second, "delivered")
        await until_held(world, third, "daily_cap")


async def test_who_has_written_is_not_asleep(world: World) -> None:
    await configure(world, quiet_now())
    async with world.working():
        theirs, others = await placed(world), await placed(world, OTHER_TO)
        await until_held(world, theirs, "quiet_hours")
        await until_held(world, others, "quiet_hours")
        await receive(world, "Is my bicycle ready?")
        await world.until_status(theirs, "delivered")
        assert (await world.message(others)).hold_reason == "quiet_hours"


async def test_a_job_holds_ids_only(world: World) -> None:
    await configure(world, quiet_now())
    async with world.working():
        await until_held(world, await placed(world), "quiet_hours")
    await receive(world, "Hello")
    await configure(world, dict(UNHINDERED))
    async with world.database.system("a test") as connection:
        payloads = [row["payload"] for row in await connection.fetch("select payload from pgqueuer")]
    assert payloads
    assert not any(b"2025550140" in (payload or b"") for payload in payloads)


async def test_a_change_that_changes_nothing_wakes_nobody(world: World) -> None:
    await world.execute("delete from pgqueuer")
    await configure(world, dict(UNHINDERED))
    async with world.database.system("a test") as connection:
        assert await connection.fetchval("select count(*) from pgqueuer") == 0


async def test_many_are_given_back_in_batches_each_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releasing, "BATCH", 2)
    await configure(world, quiet_now())
    async with world.working():
        texts = [await placed(world) for _ in range(7)]
        for message_id in texts:
            await until_held(world, message_id, "quiet_hours")
        await configure(world, dict(UNHINDERED))
        for message_id in texts:
            await world.until_status(message_id, "delivered")


async def test_another_organizations_texts_wait_on(world: World, other_organization: uuid.UUID) -> None:
    await configure(world, quiet_now())
    async with world.working():
        message_id = await placed(world)
        await until_held(world, message_id, "quiet_hours")
    async with world.database.tenant(other_organization) as connection:
        await releasing.rules_changed(connection, other_organization)
    async with world.database.system("a test") as connection:
        [payload] = [
            row["payload"]
            for row in await connection.fetch(
                "select payload from pgqueuer where entrypoint = $1", releasing.LOOK_AGAIN
            )
        ]
    await world.telephony.releasing.handlers[releasing.LOOK_AGAIN](payload)
    assert (await world.message(message_id)).hold_reason == "quiet_hours"
