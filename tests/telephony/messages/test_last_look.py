"""The suppression list is looked at a last time when a claimed text's turn has come, before the carrier is asked."""

from __future__ import annotations

import asyncpg
import pytest

from fixtures.telephony import TO, World
from offhook.core.db.pool import OWNER_ROLE
from offhook.telephony.messages import queries, sending
from offhook.telephony.messages.models import Message, NewText
from offhook.telephony.messages.sending import Sending

OPT_OUT = "insert into suppressions (organization_id, number, reason) values ($1, $2, 'free_form')"


async def claimed(world: World, *, maybe_sent: bool = False) -> Message:
    placed = await world.telephony.messaging.place(NewText(world.organization_id, "api", TO, "Hello"))
    await world.execute(
        "update messages set status = 'sending', attempt = 1, attempt_started_at = now(),"
        " maybe_sent_since = case when $2 then now() end where id = $1",
        placed.id,
        maybe_sent,
    )
    async with world.database.system("a test claims a text") as connection:
        found = await queries.find(connection, placed.id)
    assert found is not None
    return found[0]


@pytest.fixture
def attempts(world: World) -> Sending:
    return Sending(world.database, world.telephony.inbox._accounts, None)


async def test_who_opts_out_while_a_claimed_text_waits_for_its_slot_does_not_get_it(
    world: World, attempts: Sending
) -> None:
    message = await claimed(world)

    async def turn() -> bool:
        await world.execute(OPT_OUT, world.organization_id, TO)
        return True

    assert await attempts.attempt(message, turn)
    ended = await world.message(message.id)
    assert (ended.status, ended.error_code) == ("canceled", "suppressed")
    assert ended.decision == "Not sent: the recipient has asked not to be texted any more."
    assert await world.phone() == []


async def test_an_earlier_attempt_of_unknown_outcome_is_not_called_canceled(world: World, attempts: Sending) -> None:
    message = await claimed(world, maybe_sent=True)
    await world.execute(OPT_OUT, world.organization_id, TO)
    assert await attempts.attempt(message, at_once)
    ended = await world.message(message.id)
    assert (ended.status, ended.error_code) == ("failed", "outcome_unknown")
    assert await world.phone() == []


async def test_a_text_goes_back_to_its_lane_where_the_list_cannot_be_read(
    world: World, attempts: Sending, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LOOK_SECONDS", 0.05)
    message = await claimed(world)
    held = await asyncpg.connect(database_dsn)
    try:
        async with held.transaction():
            await held.execute(f"set role {OWNER_ROLE}")
            await held.execute("lock table offhook.suppressions in access exclusive mode")
            assert await attempts.attempt(message, at_once)
    finally:
        await held.close()
    waiting = await world.message(message.id)
    assert (waiting.status, waiting.attempt) == ("queued", 0)
    assert await world.phone() == []


async def at_once() -> bool:
    return True
