"""A text whose callbacks are lost gets its final status all the same: the carrier is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fixtures.telephony import TO, World
from offhook.core.db.jobs import RetryLater
from offhook.telephony.accounts import Accounts
from offhook.telephony.messages.asking import Asking
from offhook.telephony.messages.following import Following
from offhook.telephony.messages.models import Message

Look = Callable[[], Awaitable[bool]]


@pytest.fixture
def following(world: World) -> Following:
    accounts: Accounts = world.telephony.inbox._accounts
    return Following(world.database, accounts, Asking(accounts))


async def accepted(world: World, **fault: Any) -> Message:
    """A text that the carrier has, and that no callback will ever tell of."""
    await world.fault("drop", route="callback", count=None)
    if fault:
        await world.fault(route="delivery", **fault)
    receipt = await world.telephony.messaging.text(world.wish("Lost in silence"))
    return await world.message(receipt.message_id)


def one_look(following: Following, message: Message) -> Look:
    async def look() -> bool:
        try:
            await following.follow(message.id)
        except RetryLater:
            return False
        return True

    return look


async def test_a_text_without_callbacks_is_looked_up_until_it_is_delivered(world: World, following: Following) -> None:
    message = await accepted(world)
    assert message.status in ("accepted", "sent")
    await world.until(one_look(following, message))
    ended = await world.message(message.id)
    assert (ended.status, ended.finished_at is not None) == ("delivered", True)


async def test_a_refusal_that_was_never_called_back_is_acted_on(world: World, following: Following) -> None:
    message = await accepted(world, kind="undelivered", error_code=21610)
    await world.until(one_look(following, message))
    ended = await world.message(message.id)
    assert (ended.status, ended.error_code) == ("undelivered", "21610")
    assert ended.decision
    async with world.database.tenant(world.organization_id) as connection:
        assert await connection.fetchval("select number from suppressions") == TO


async def test_a_text_that_stays_without_a_receipt_is_looked_up_less_and_less_and_then_left(
    world: World, following: Following
) -> None:
    message = await accepted(world, kind="stuck")
    pauses: list[float] = []
    for seconds_ago in (0, 31, 121, 601, 3_601, 14_401):
        await world.execute("update messages set sent_at = now() - make_interval(secs => $1)", float(seconds_ago))
        with pytest.raises(RetryLater) as later:
            await following.follow(message.id)
        pauses.append(later.value.seconds)
    assert pauses == sorted(pauses)
    await world.execute("update messages set sent_at = now() - interval '12 hours'")
    await following.follow(message.id)
    assert (await world.message(message.id)).status in ("accepted", "sent")


async def test_a_carrier_that_does_not_answer_is_asked_again_later(world: World, following: Following) -> None:
    message = await accepted(world)
    await world.fault("status", route="messages.fetch", status=500)
    await world.execute("update messages set sent_at = now() - interval '31 seconds'")
    with pytest.raises(RetryLater) as later:
        await following.follow(message.id)
    assert later.value.seconds < 10, "it would wait for the next look, although this one told nothing"
    await world.until(one_look(following, message))


async def test_what_is_finished_or_not_sent_is_left_alone(world: World, following: Following) -> None:
    message = await accepted(world)
    await world.until(one_look(following, message))
    before = await world.message(message.id)
    await following.follow(message.id)
    assert await world.message(message.id) == before
