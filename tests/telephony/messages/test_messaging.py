"""Texts on the happy road and off it: placed once, sent once, honest about what is not known."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from fixtures.telephony import FROM, NOWHERE, OTHER_TO, TO, World
from offhook.core.errors import Conflict, Effect, InvalidInput, NotFound
from offhook.emulator import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN
from offhook.telephony.carrier import OutboundText
from offhook.telephony.messages.models import NewText


async def test_a_text_is_sent_within_the_request_and_followed_to_its_delivery(world: World) -> None:
    async with world.working():
        receipt = await world.telephony.messaging.text(world.wish("Book here: https://spokeandchain.example/book"))
        assert (receipt.status, receipt.effect) == ("accepted", Effect.DONE)
        assert receipt.carrier_message_id is not None
        assert receipt.segments == 1
        delivered = await world.until_status(receipt.message_id, "delivered")
    assert delivered.sent_at is not None
    assert delivered.finished_at is not None
    [arrived] = await world.phone()
    assert arrived["body"] == "Book here: https://spokeandchain.example/book"
    assert arrived["from"] == FROM


async def test_the_same_operation_is_placed_and_sent_once(world: World) -> None:
    wish = world.wish("Once")
    receipts = await asyncio.gather(*(world.telephony.messaging.text(wish) for _ in range(5)))
    again = await world.telephony.messaging.text(wish)
    assert {receipt.message_id for receipt in receipts} == {again.message_id}
    assert again.effect is Effect.DONE
    assert len(await world.phone()) == 1


async def test_identical_texts_of_different_operations_are_both_sent(world: World) -> None:
    await asyncio.gather(*(world.telephony.messaging.text(world.wish("Twin")) for _ in range(4)))
    assert len(await world.phone()) == 4


async def test_a_placed_text_is_sent_by_a_job(world: World) -> None:
    message = await world.telephony.messaging.place(NewText(world.organization_id, "api", TO, "Queued"))
    assert message.status == "queued"
    async with world.working():
        await world.until_status(message.id, "delivered")
    assert len(await world.phone()) == 1


@pytest.mark.parametrize(
    ("kind", "more"),
    [("drop_after", {}), ("status_after", {"status": 500}), ("status", {"status": 503}), ("drop_before", {})],
)
async def test_an_unknown_outcome_ends_with_exactly_one_text(world: World, kind: str, more: dict[str, Any]) -> None:
    await world.fault(kind, **more)
    receipt = await world.telephony.messaging.text(world.wish("Exactly once"))
    if kind in ("drop_after", "status_after"):
        assert receipt.effect is Effect.DONE, "the first look at the carrier's list found it"
    else:
        assert (receipt.status, receipt.effect) == ("sending", Effect.UNKNOWN)
        assert receipt.decision is not None
    await _hurry(world)
    async with world.working():
        await world.until_status(receipt.message_id, "delivered")
    assert len(await world.phone()) == 1


async def test_a_refused_connection_is_tried_again_at_once(world: World) -> None:
    await world.execute("update carrier_accounts set base_url = $1", NOWHERE)
    receipt = await world.telephony.messaging.text(world.wish("Later"))
    assert (receipt.status, receipt.effect) == ("queued", Effect.NONE)
    await world.execute("update carrier_accounts set base_url = $1", world.emulator.url)
    world.telephony.messaging._attempts._sending._accounts.forget(world.account_id, world.organization_id)
    async with world.working():
        await world.until_status(receipt.message_id, "delivered")
    assert len(await world.phone()) == 1


async def test_too_many_requests_waits_and_goes_on(world: World) -> None:
    await world.fault("status", status=429)
    receipt = await world.telephony.messaging.text(world.wish("Patience"))
    assert (receipt.status, receipt.effect, receipt.error_code) == ("queued", Effect.NONE, "20429")
    async with world.working():
        await world.until_status(receipt.message_id, "delivered")
    assert len(await world.phone()) == 1


async def test_wrong_credentials_stop_the_account_until_they_are_entered_again(world: World) -> None:
    given: dict[str, Any] = {
        "carrier": "twilio",
        "external_account_id": DEFAULT_ACCOUNT_SID,
        "base_url": world.emulator.url,
    }
    adopt = world.telephony.carrier_accounts.adopt
    await adopt(world.organization_id, credentials={"auth_token": "wrong"}, **given)
    receipt = await world.telephony.messaging.text(world.wish("No"))
    assert (receipt.status, receipt.effect, receipt.error_code) == ("failed", Effect.NONE, "20003")
    account = await world.telephony.carrier_accounts.get(world.organization_id, world.account_id)
    assert account.stopped_reason is not None
    with pytest.raises(Conflict) as stopped:
        await world.telephony.messaging.text(world.wish("Still no"))
    assert stopped.value.code == "carrier_account_stopped"
    assert await world.phone() == []
    await adopt(world.organization_id, credentials={"auth_token": DEFAULT_AUTH_TOKEN}, **given)
    assert (await world.telephony.messaging.text(world.wish("Yes"))).effect is Effect.DONE


async def test_an_opt_out_at_the_carrier_suppresses_the_number(world: World) -> None:
    await world.control("POST", "blocks", {"from": FROM, "to": TO})
    receipt = await world.telephony.messaging.text(world.wish("Please"))
    assert (receipt.status, receipt.error_code) == ("failed", "21610")
    with pytest.raises(InvalidInput) as refused:
        await world.telephony.messaging.text(world.wish("Please"))
    assert refused.value.code == "suppressed"
    assert not (await world.telephony.consent.check(world.organization_id, TO)).allowed


async def test_an_opt_out_between_placing_and_sending_cancels_the_text(world: World) -> None:
    message = await world.telephony.messaging.place(NewText(world.organization_id, "api", TO, "Queued"))
    await world.execute(
        "insert into suppressions (organization_id, number, reason) values ($1, $2, 'keyword')",
        world.organization_id,
        TO,
    )
    async with world.working():
        canceled = await world.until_status(message.id, "canceled")
    assert canceled.decision is not None
    assert await world.phone() == []


async def test_a_text_whose_process_died_before_the_request_is_sent_once(world: World) -> None:
    receipt = await _claimed_by_a_dead_process(world, sent=False)
    async with world.working():
        await world.until_status(receipt, "delivered")
    assert len(await world.phone()) == 1


async def test_a_text_whose_process_died_after_the_request_is_found_and_not_sent_again(world: World) -> None:
    receipt = await _claimed_by_a_dead_process(world, sent=True)
    async with world.working():
        found = await world.until_status(receipt, "accepted", "sent", "delivered")
    assert found.attempt == 1
    assert len(await world.phone()) == 1


async def test_an_asker_that_comes_back_learns_what_its_dead_process_did(world: World) -> None:
    wish = world.wish("Was it sent?")
    message_id = await _claimed_by_a_dead_process(world, sent=True, operation_id=wish.operation_id, overdue=False)
    receipt = await world.telephony.messaging.text(wish)
    assert receipt.message_id == message_id
    assert receipt.effect is Effect.DONE
    assert len(await world.phone()) == 1


async def test_twins_of_unknown_outcome_get_one_text_each(world: World) -> None:
    await world.fault("drop_after", count=2)
    await world.fault("drop_before", count=2)
    receipts = await asyncio.gather(*(world.telephony.messaging.text(world.wish("Twin")) for _ in range(4)))
    await _hurry(world)
    async with world.working():
        for receipt in receipts:
            await world.until_status(receipt.message_id, "delivered")
    arrived = await world.phone()
    assert len(arrived) == 4
    owners = [message.carrier_message_id for message in await world.messages()]
    assert sorted(filter(None, owners)) == sorted(text["sid"] for text in arrived)


async def test_an_outcome_unknown_three_times_is_given_up_with_the_evidence(world: World) -> None:
    await world.fault("drop_before", count=None)
    receipt = await world.telephony.messaging.text(world.wish("Never"))
    async with world.working():

        async def ended() -> bool:
            await _hurry(world)
            return (await world.message(receipt.message_id)).status == "failed"

        await world.until(ended, 30)
    message = await world.message(receipt.message_id)
    assert (message.error_code, message.attempt) == ("outcome_unknown", 3)
    assert message.decision is not None
    assert "two listings" in message.decision
    assert await world.phone() == []


async def test_one_listing_or_two_close_together_send_nothing_again(world: World) -> None:
    await world.fault("drop_before")
    receipt = await world.telephony.messaging.text(world.wish("Wait for evidence"))
    reconcile = world.telephony.job_handlers["messages.reconcile"]
    for _ in range(3):
        with pytest.raises(Exception, match="again in"):
            await reconcile(receipt.message_id.bytes)
        message = await world.message(receipt.message_id)
        assert (message.status, message.empty_listings, message.attempt) == ("sending", 1, 1)
    await world.execute("update messages set last_listing_at = last_listing_at - interval '1 minute'")
    await reconcile(receipt.message_id.bytes)
    assert (await world.message(receipt.message_id)).status == "queued"


async def test_texts_keep_the_pace_of_their_lane(world: World) -> None:
    await world.execute("update carrier_accounts set messages_per_second = 1")
    texts = [NewText(world.organization_id, "api", TO, "é" * 100) for _ in range(3)]
    texts += [NewText(world.organization_id, "api", OTHER_TO, "short") for _ in range(3)]
    placed = [await world.telephony.messaging.place(text) for text in texts]
    gaps = [(after.send_at - before.send_at).total_seconds() for before, after in itertools.pairwise(placed)]
    assert [message.segments for message in placed] == [1, 1, 1, 1, 1, 1]
    assert all(gap == pytest.approx(1.0, abs=1e-4) for gap in gaps)
    long = await world.telephony.messaging.place(NewText(world.organization_id, "api", TO, "ж" * 200))
    after = await world.telephony.messaging.place(NewText(world.organization_id, "api", TO, "next"))
    assert long.segments == 3
    assert (after.send_at - long.send_at).total_seconds() == pytest.approx(3.0, abs=1e-4)


async def test_many_placed_at_once_never_share_a_slot(world: World) -> None:
    await world.execute("update carrier_accounts set messages_per_second = 100")
    texts = [NewText(world.organization_id, "api", TO, f"Text {n}") for n in range(40)]
    placed = await asyncio.gather(*(world.telephony.messaging.place(text) for text in texts))
    slots = sorted(message.send_at for message in placed)
    assert all((b - a).total_seconds() >= 0.0099 for a, b in itertools.pairwise(slots))


async def test_a_text_waits_for_its_slot_within_the_request_or_says_that_it_is_queued(world: World) -> None:
    await world.execute("update carrier_accounts set messages_per_second = 2")
    wishes = [world.wish("First"), world.wish("Second"), world.wish("Third", wait_seconds=1.0)]
    first, second, third = [await world.telephony.messaging.text(wish) for wish in wishes]
    assert [first.effect, second.effect] == [Effect.DONE, Effect.DONE]
    assert third.status in ("accepted", "queued")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"body": "  "}, "body"),
        ({"body": "x" * 1601}, "body"),
        ({"body": "a\x00b"}, "body"),
        ({"body": "a\ud800b"}, "body"),
        ({"to_number": "12"}, "to"),
        ({"to_number": "+19005550140"}, "to"),
        ({"to_number": "+4930123456"}, "to"),
        ({"to_number": "911"}, "to"),
        ({"from_number": "+12025550177"}, "from"),
    ],
)
async def test_what_cannot_be_sent_is_refused_before_anything_is_stored(
    world: World, more: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await world.telephony.messaging.text(world.wish(**{"body": "Hello", **more}))
    assert [problem.path for problem in refused.value.fields] == [field]
    assert await world.messages() == []


async def test_a_bad_item_of_a_shared_commit_does_not_harm_its_neighbours(world: World) -> None:
    texts = [NewText(world.organization_id, "api", TO, "Good") for _ in range(3)]
    bad = NewText(world.organization_id, "api", TO, "Bad", conversation_id=uuid.uuid4())
    results: Sequence[object] = await asyncio.gather(
        *(world.telephony.messaging.place(text) for text in [*texts, bad]), return_exceptions=True
    )
    assert isinstance(results[3], NotFound)
    assert len(await world.messages()) == 3


async def _hurry(world: World) -> None:
    """Let the guard jobs, which wait for the longest attempt, look now."""
    await world.execute(
        "update pgqueuer set execute_after = now() - interval '1 second'"
        " where entrypoint = 'messages.reconcile' and execute_after > now() + interval '2 seconds'"
    )


async def _claimed_by_a_dead_process(
    world: World, *, sent: bool, operation_id: str | None = None, overdue: bool = True
) -> uuid.UUID:
    """A text as a process leaves it that was killed in the middle of its attempt."""
    placed = await world.telephony.messaging.place(
        NewText(world.organization_id, "tool", TO, "Was it sent?", operation_id=operation_id)
    )
    await world.execute("delete from pgqueuer")
    await world.execute("update lanes set pump_at = null")
    await world.execute(
        "update messages set status = 'sending', attempt = 1,"
        " attempt_started_at = clock_timestamp() - make_interval(secs => $2) where id = $1",
        placed.id,
        60 if overdue else 0,
    )
    await world.execute(
        "insert into pgqueuer (priority, entrypoint, payload, status) values (0, 'messages.reconcile', $1, 'queued')",
        placed.id.bytes,
    )
    if sent:
        sending = world.telephony.messaging._attempts._sending
        account = await sending._accounts.get_open(world.account_id)
        text = OutboundText(TO, FROM, "Was it sent?", None)
        await sending._accounts.carrier("twilio").send_text(account, text)
    return placed.id
