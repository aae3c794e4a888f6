"""Webhooks: signed, stored once, handled once, in whatever order they come."""

from __future__ import annotations

import asyncio
import uuid
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from fixtures.api import Answer
from fixtures.telephony import FROM, TO, World
from offhook.emulator import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN
from offhook.telephony.messages.models import NewText

FORM = {"content-type": "application/x-www-form-urlencoded"}


async def callback(
    world: World,
    sid: str,
    status: str,
    *,
    op: uuid.UUID | None = None,
    token: str = DEFAULT_AUTH_TOKEN,
    account: object = None,
    **more: str,
) -> Answer:
    """A status callback as Twilio sends it, signed with the SDK."""
    path = f"/webhooks/carriers/{account or world.account_id}/message-status" + (f"?op={op}" if op else "")
    fields = {"MessageSid": sid, "MessageStatus": status, "To": TO, "From": FROM, "Körper": "", **more}
    signature = RequestValidator(token).compute_signature(world.public_url + path, fields)
    headers = {**FORM, "X-Twilio-Signature": signature}
    return await world.api.send("POST", path, data=urlencode(fields).encode(), headers=headers)


async def sent(world: World, body: str = "Hello") -> tuple[uuid.UUID, str]:
    """A text that the carrier has, about which it will say nothing by itself."""
    await world.control("POST", "faults", {"kind": "drop", "route": "callback", "count": None})
    receipt = await world.telephony.messaging.text(world.wish(body))
    assert receipt.carrier_message_id is not None
    return receipt.message_id, receipt.carrier_message_id


async def handled(world: World) -> None:
    async def none_waits() -> bool:
        async with world.database.system("a test") as connection:
            return not await connection.fetchval("select exists (select from carrier_events where handled_at is null)")

    await world.until(none_waits)


async def test_statuses_that_come_late_doubled_and_reordered_only_move_forward(world: World) -> None:
    message_id, sid = await sent(world)
    async with world.working():
        for status in ("sent", "delivered", "sent", "queued", "delivered", "failed", "sending"):
            answer = await callback(world, sid, status, op=message_id)
            assert (answer.status, answer.text) == (204, "")
            await handled(world)
    assert (await world.message(message_id)).status == "delivered"
    async with world.database.system("a test") as connection:
        assert await connection.fetchval("select count(*) from carrier_events") == 5


async def test_many_at_once_are_all_stored_before_they_are_answered(world: World) -> None:
    message_id, sid = await sent(world)
    statuses = ["queued", "sending", "sent", "delivered", "read"] * 4
    answers = await asyncio.gather(*(callback(world, sid, status, op=message_id) for status in statuses))
    assert {answer.status for answer in answers} == {204}
    async with world.database.system("a test") as connection:
        assert await connection.fetchval("select count(*) from carrier_events") == 5
        assert await connection.fetchval("select count(*) from pgqueuer where entrypoint like 'carrier%'") == 5


async def test_a_callback_alone_settles_a_lost_answer(world: World) -> None:
    placed = await world.telephony.messaging.place(NewText(world.organization_id, "api", TO, "Lost answer"))
    await world.execute("delete from pgqueuer")
    await world.execute("update messages set status = 'sending', attempt = 1, attempt_started_at = now()")
    async with world.working():
        await callback(world, "SM" + "1" * 32, "sent", op=placed.id)
        await handled(world)
    message = await world.message(placed.id)
    assert (message.status, message.carrier_message_id) == ("sent", "SM" + "1" * 32)


async def test_a_callback_for_a_text_that_was_given_to_its_twin_settles_the_twin(world: World) -> None:
    texts = [NewText(world.organization_id, "api", TO, "Twin") for _ in range(2)]
    first, second = [await world.telephony.messaging.place(text) for text in texts]
    await world.execute("delete from pgqueuer")
    await world.execute(
        "update messages set status = 'sending', attempt = 1, attempt_started_at = now(), outcome_unknown_since = now()"
    )
    await world.execute("update messages set carrier_message_id = 'SM2' where id = $1", first.id)
    async with world.working():
        await callback(world, "SM1", "sent", op=first.id)
        await callback(world, "SM2", "delivered", op=second.id)
        await handled(world)
    assert (await world.message(second.id)).carrier_message_id == "SM1"
    assert (await world.message(first.id)).status == "delivered"


async def test_an_opt_out_reported_later_suppresses_the_number(world: World) -> None:
    message_id, sid = await sent(world)
    async with world.working():
        await callback(world, sid, "failed", op=message_id, ErrorCode="21610")
        await handled(world)
    message = await world.message(message_id)
    assert (message.status, message.error_code) == ("failed", "21610")
    assert not (await world.telephony.consent.check(world.organization_id, TO)).allowed


@pytest.mark.parametrize("what", ["token", "account", "nonsense", "unsigned", "altered"])
async def test_what_is_not_signed_for_that_account_is_refused_without_a_reason(world: World, what: str) -> None:
    if what == "unsigned":
        path = f"/webhooks/carriers/{world.account_id}/message-status"
        answer = await world.api.send("POST", path, data=b"MessageSid=SM1&MessageStatus=sent", headers=FORM)
    elif what == "altered":
        path = f"/webhooks/carriers/{world.account_id}/message-status"
        signature = RequestValidator(DEFAULT_AUTH_TOKEN).compute_signature(world.public_url + path, {"MessageSid": "1"})
        headers = {**FORM, "X-Twilio-Signature": signature, "Host": "elsewhere.example"}
        answer = await world.api.send("POST", path, data=b"MessageSid=2", headers=headers)
    else:
        more = {"token": {"token": "x"}, "account": {"account": uuid.uuid4()}, "nonsense": {"account": "x"}}[what]
        answer = await callback(world, "SM1", "sent", **more)  # pyright: ignore[reportArgumentType]
    assert answer.status in (403, 404)
    assert answer.text == ""


async def test_a_signed_form_that_is_no_status_is_refused_and_an_unknown_status_ignored(world: World) -> None:
    assert (await callback(world, "", "sent")).status == 400
    assert (await callback(world, "SM1", "dreaming")).status == 204
    async with world.database.system("a test") as connection:
        assert await connection.fetchval("select count(*) from carrier_events") == 0


async def test_a_body_of_100_kilobytes_is_too_large(world: World) -> None:
    path = f"/webhooks/carriers/{world.account_id}/message-status"
    answer = await world.api.send("POST", path, data=b"a=" + b"x" * 100_000, headers=FORM)
    assert answer.status == 413


async def test_an_operation_of_another_account_is_not_touched(world: World, other_organization: uuid.UUID) -> None:
    other = await world.telephony.carrier_accounts.create(
        other_organization,
        carrier="twilio",
        external_account_id=DEFAULT_ACCOUNT_SID,
        credentials={"auth_token": DEFAULT_AUTH_TOKEN},
    )
    placed = await world.telephony.messaging.place(NewText(world.organization_id, "api", TO, "Mine"))
    await world.execute("delete from pgqueuer")
    async with world.working():
        assert (await callback(world, "SM9", "delivered", op=placed.id, account=other.id)).status == 204
        await handled(world)
    assert (await world.message(placed.id)).status == "queued"
