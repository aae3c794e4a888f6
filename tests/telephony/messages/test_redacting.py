"""Texts are forgotten: at the carrier, here, and in every message that has the same words."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import pytest

from fixtures.api import Answer
from fixtures.emulators import basic
from fixtures.media import png
from fixtures.telephony import FROM, TO, World
from offhook.emulator import DEFAULT_ACCOUNT_SID
from offhook.telephony.messages.models import Message, NewText

WORDS = "A secret that nobody keeps"
MESSAGES = f"/2010-04-01/Accounts/{DEFAULT_ACCOUNT_SID}/Messages"


async def redact(world: World, message_id: uuid.UUID) -> Answer:
    return await world.api.post(f"/api/messages/{message_id}/redact")


async def sent(world: World, status: str = "delivered", body: str = WORDS) -> Message:
    """A text that has got so far."""
    async with world.working():
        placed = await world.telephony.messaging.place(NewText(world.organization_id, "api", TO, body))
        return await world.until_status(placed.id, status)


async def at_carrier(world: World, message: Message, what: str = "", method: str = "GET") -> Any:
    url = f"{world.emulator.url}{MESSAGES}/{message.carrier_message_id}{what}.json"
    async with world.api.session.request(method, url, headers=basic()) as response:
        assert response.status < 300, await response.text()
        return await response.json() if response.content_type == "application/json" else None


async def test_a_text_that_has_ended_is_redacted_here_and_at_the_carrier(world: World) -> None:
    message = await sent(world)
    redacted = await redact(world, message.id)
    assert redacted.status == 200, redacted.text
    assert (redacted.json["message"]["body"], redacted.json["message"]["redacted_at"] is None) == ("", False)
    assert WORDS not in (await world.api.get(f"/api/messages/{message.id}")).text
    assert (await at_carrier(world, message))["body"] == ""
    assert (await redact(world, message.id)).json == redacted.json
    assert (await redact(world, uuid.uuid4())).json["code"] == "message_not_found"


async def test_a_text_that_stays_sent_is_redacted(world: World) -> None:
    await world.fault("stuck", route="delivery")
    message = await sent(world, "sent")
    assert (await redact(world, message.id)).status == 200
    assert (await world.message(message.id)).body == ""


async def test_a_text_that_has_not_ended_at_the_carrier_is_redacted_when_it_has(world: World) -> None:
    receipt = await world.telephony.messaging.text(world.wish(WORDS))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("offhook.emulator.twilio.messages._has_ended", lambda _: False)
        refused = await redact(world, receipt.message_id)
    assert (refused.status, refused.json["code"]) == (409, "carrier_refused")
    assert "ask again when it has" in refused.json["detail"]
    assert (await world.message(receipt.message_id)).body == WORDS


async def test_what_the_carrier_has_deleted_already_is_forgotten_here(world: World) -> None:
    message = await sent(world)
    await at_carrier(world, message, method="DELETE")
    assert (await redact(world, message.id)).status == 200
    assert (await world.message(message.id)).body == ""


async def test_where_the_carrier_refuses_it_is_said_who_must_act(world: World) -> None:
    message = await sent(world)
    await world.api.patch(f"/api/carrier-accounts/{world.account_id}", {"credentials": {"auth_token": "wrong"}})
    refused = await redact(world, message.id)
    assert (refused.status, refused.json["code"]) == (409, "carrier_refused")
    assert "an operator must enter valid ones" in refused.json["detail"]
    assert (await world.message(message.id)).body == WORDS


async def test_a_carrier_that_is_busy_is_asked_again(world: World) -> None:
    message = await sent(world)
    for kind, more in (("status", {"status": 429}), ("status", {"status": 503})):
        await world.fault(kind, route="messages.update", **more)
        refused = await redact(world, message.id)
        assert (refused.status, refused.json["code"]) == (503, "carrier_unavailable")
    assert (await redact(world, message.id)).status == 200


async def test_a_text_that_has_not_gone_is_not_redacted(world: World) -> None:
    message = await world.telephony.messaging.place(NewText(world.organization_id, "api", TO, WORDS))
    waits = await redact(world, message.id)
    assert (waits.status, waits.json["code"]) == (409, "message_not_ended")
    await world.execute("update messages set status = 'sending', attempt = 1 where id = $1", message.id)
    assert (await redact(world, message.id)).json["code"] == "message_not_ended"
    assert (await world.message(message.id)).body == WORDS


async def repeated(world: World) -> tuple[Message, Message]:
    """A text that was not delivered, and its repeat, which waits."""
    await world.fault("undelivered", route="delivery", error_code=30003)
    first = await sent(world, "undelivered")

    async def is_repeated() -> bool:
        return len(await world.messages()) == 2

    await world.until(is_repeated)
    [repeat] = [message for message in await world.messages() if message.retry_of == first.id]
    return first, repeat


async def test_a_repeat_that_waits_is_canceled_and_forgotten_with_its_text(world: World) -> None:
    first, repeat = await repeated(world)
    assert (repeat.status, repeat.body) == ("queued", WORDS)
    assert (await redact(world, first.id)).status == 200
    repeat = await world.message(repeat.id)
    assert (repeat.status, repeat.body, repeat.redacted_at is None) == ("canceled", "", False)
    assert repeat.decision is not None
    assert "redacted" in repeat.decision
    assert WORDS not in (await world.api.get("/api/messages")).text


async def test_every_text_of_the_same_words_is_forgotten_whichever_is_named(world: World) -> None:
    first, repeat = await repeated(world)
    await world.execute("update messages set status = 'failed', finished_at = now() where id = $1", repeat.id)
    assert (await redact(world, repeat.id)).json["message"]["id"] == str(repeat.id)
    assert [message.body for message in await world.messages()] == ["", ""]
    assert (await at_carrier(world, first))["body"] == ""


async def test_a_text_that_is_being_repeated_now_is_asked_for_again_later(world: World) -> None:
    first, repeat = await repeated(world)
    await world.execute("update messages set status = 'sending', attempt = 1 where id = $1", repeat.id)
    refused = await redact(world, first.id)
    assert (refused.status, refused.json["code"]) == (409, "message_not_ended")
    assert {message.body for message in await world.messages()} == {WORDS}


async def test_a_picture_that_was_texted_is_forgotten_here_and_at_the_carrier(world: World) -> None:
    inbound_url = (await world.api.get(f"/api/carrier-accounts/{world.account_id}")).json["carrier_account"]
    await world.control("POST", "numbers", {"number": FROM, "sms_url": inbound_url["inbound_url"]})
    picture = {"content_type": "image/png", "data": base64.b64encode(png()).decode()}
    async with world.working():
        await world.control("POST", f"phones/{TO}/send", {"to": FROM, "body": WORDS, "media": [picture]})

        async def is_kept() -> bool:
            return bool((await world.api.get("/api/media")).json["media"])

        await world.until(is_kept)
    [message] = await world.messages()
    assert len((await at_carrier(world, message, "/Media"))["media_list"]) == 1
    assert (await redact(world, message.id)).status == 200
    assert (await at_carrier(world, message, "/Media"))["media_list"] == []
    [medium] = (await world.api.get("/api/media")).json["media"]
    assert medium["erased_at"] is not None
