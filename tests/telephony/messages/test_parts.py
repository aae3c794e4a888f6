"""A text that is split: several messages, one answer."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fixtures.telephony import TO, World
from offhook.core.db.shared import MAX_BATCH
from offhook.core.errors import Effect
from offhook.core.texts import TextOptions
from offhook.telephony.messages.messaging import receipt_of
from offhook.telephony.messages.models import Message, NewText

LONG = "The workshop opens at eight tomorrow. " * 60
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SPLIT = TextOptions(split=True)


async def test_its_parts_arrive_in_order_and_are_answered_as_one(world: World) -> None:
    wish = world.wish(LONG, options=SPLIT)
    receipt = await world.telephony.messaging.text(wish)
    first, second = await world.messages()
    assert (receipt.message_id, receipt.parts, receipt.effect) == (first.id, 2, Effect.DONE)
    assert receipt.segments == first.segments + second.segments
    assert [text["body"] for text in await world.phone()] == [first.body, second.body]
    assert (first.priority, second.part, second.parts) == (0, 2, 2)


async def test_asked_again_the_same_parts_are_found(world: World) -> None:
    wish = world.wish(LONG, options=SPLIT)
    first = await world.telephony.messaging.text(wish)
    assert (await world.telephony.messaging.text(wish)).message_id == first.message_id
    assert len(await world.phone()) == 2


async def until(so: Callable[[], bool]) -> None:
    while not so():  # noqa: ASYNC110 (what is waited for tells nobody)
        await asyncio.sleep(0.01)


async def test_all_its_parts_are_placed_in_one_transaction_however_full_it_is(world: World) -> None:
    """So that no part stands where another was refused, or a process died before it."""
    messaging, commit = world.telephony.messaging, world.telephony.messaging._commit
    short = NewText(world.organization_id, "api", TO, "Short")
    await messaging.place(short)

    def gathered() -> int:
        return sum(map(len, commit._waiting.values()))

    async with asyncio.timeout(20), world.database.system("a test") as connection:
        await connection.execute("select from lanes for update")  # so that one waits, and others gather behind it
        others = [asyncio.create_task(messaging.place(short))]
        await until(lambda: bool(commit._workers) and not commit._waiting)
        others += [asyncio.create_task(messaging.place(short)) for _ in range(MAX_BATCH - 1)]
        await until(lambda: gathered() == MAX_BATCH - 1)
        split = asyncio.create_task(messaging.place_parts(replace(short, body=LONG, options=SPLIT)))
        await until(lambda: gathered() == MAX_BATCH)
    await asyncio.gather(*others)
    parts = await split
    assert len(parts) == 2
    assert len({part.created_at for part in parts}) == 1  # when its transaction began


async def test_a_part_that_is_refused_is_told_with_what_went(world: World) -> None:
    await world.fault("status", status=400, count=1)
    receipt = await world.telephony.messaging.text(world.wish(LONG, options=SPLIT))
    assert (receipt.status, receipt.effect, receipt.parts) == ("failed", Effect.DONE, 2)


def message(**changes: Any) -> Message:
    standing = Message(
        id=uuid.uuid4(),
        organization_id=uuid.uuid4(),
        direction="outbound",
        origin="tool",
        operation_id=None,
        conversation_id=None,
        carrier_account_id=uuid.uuid4(),
        from_number=None,
        to_number=TO,
        body="x",
        encoding="GSM-7",
        segments=1,
        status="queued",
        send_at=NOW,
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(standing, **changes)


@pytest.mark.parametrize(
    ("statuses", "status", "effect"),
    [
        (["accepted", "delivered"], "accepted", Effect.DONE),
        (["sent", "queued"], "queued", Effect.DONE),
        (["queued", "queued"], "queued", Effect.NONE),
        (["sent", "sending"], "sending", Effect.UNKNOWN),
        (["failed", "sending"], "failed", Effect.UNKNOWN),
        (["canceled", "delivered"], "canceled", Effect.DONE),
        (["failed", "failed"], "failed", Effect.NONE),
    ],
)
def test_the_worst_part_gives_the_status_and_all_the_effect(statuses: list[str], status: str, effect: Effect) -> None:
    parts = [message(status=one) for one in statuses]
    receipt = receipt_of(*parts)
    assert (receipt.status, receipt.effect, receipt.message_id) == (status, effect, parts[0].id)
    assert (receipt.parts, receipt.segments) == (2, 2)


@pytest.mark.parametrize("reason", ["sender_stopped", "account_stopped", "time_zone_unknown"])
def test_a_hold_that_somebody_must_end_has_no_hour(reason: str) -> None:
    assert message(hold_reason=reason, not_before=NOW).held_until is None


@pytest.mark.parametrize(
    ("changes", "until"),
    [
        (
            {"not_before": NOW, "recipient_time_zone": "Europe/Berlin"},
            "04:00 Europe/Berlin",
        ),
        ({"not_before": NOW, "expires_at": NOW}, None),
        ({"not_before": NOW, "expires_at": NOW + timedelta(seconds=1)}, "22:00 America/New_York"),
        ({}, None),
    ],
)
def test_a_hold_is_told_on_the_recipients_clock_if_the_text_will_go(changes: dict[str, Any], until: str | None) -> None:
    receipt = receipt_of(message(hold_reason="quiet_hours", **changes))
    assert receipt.hold_reason == "quiet_hours"
    told = receipt.held_until
    assert (None if told is None else f"{told:%H:%M} {told.tzinfo}") == until
