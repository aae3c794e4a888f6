"""Every carrier against the emulator's face of it: over real sockets, with real signatures and callbacks."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from offhook.telephony.carrier import (
    CarrierRefused,
    InboundTextEvent,
    MessageStatusEvent,
    NotOffered,
    OutboundText,
    OutcomeUnknown,
    Treatment,
)
from telephony.carriers.answering import serving
from telephony.carriers.emulated import PHONE, Emulated, emulated
from telephony.carriers.face import BODIES, OPERATION, Face
from telephony.carriers.faces import FACES

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 1000


@pytest.fixture(params=FACES, ids=lambda face: face.name)
async def at(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Emulated]:
    face: Face = request.param
    async with emulated(face, tmp_path / "emulator") as made:
        yield made


async def statuses(at: Emulated, count: int) -> list[MessageStatusEvent]:
    found = [at.parsed(webhook) for webhook in await at.webhooks("message-status", count)]
    return [event for event in found if isinstance(event, MessageStatusEvent)]


async def test_a_text_arrives_and_its_callbacks_tell_so(at: Emulated) -> None:
    sent = await at.carrier.send_text(
        at.account, at.text("Grüße 👋", status_callback_url=f"{at.our_url}/message-status?op={OPERATION}")
    )
    assert sent.status == "accepted"
    [shown] = await at.phone()
    assert (shown["sid"], shown["body"]) == (sent.carrier_message_id, "Grüße 👋")
    told = await statuses(at, at.face.callbacks)
    assert told[-1].status == "delivered"
    assert {(event.carrier_message_id, event.operation_id) for event in told} == {(sent.carrier_message_id, OPERATION)}
    assert {event.from_number for event in told} == {at.customer.number}
    assert all(at.verified(webhook) for webhook in await at.webhooks("message-status", at.face.callbacks))
    found = await at.carrier.get_message(at.account, sent.carrier_message_id)
    assert (found.status, found.body, found.segments) == ("delivered", "Grüße 👋", 1)


@pytest.mark.parametrize(
    "body", [body for body in BODIES if body and len(body) < 1000], ids=lambda body: ascii(body)[:20]
)
async def test_words_arrive_as_they_were(at: Emulated, body: str) -> None:
    sent = await at.carrier.send_text(at.account, at.text(body))
    [shown] = await at.phone()
    assert shown["body"] == body
    assert (await at.carrier.get_message(at.account, sent.carrier_message_id)).body == body


async def test_a_medium_is_fetched_and_arrives(at: Emulated) -> None:
    picture = lambda _: web.Response(body=PNG, content_type="image/png")  # noqa: E731
    async with serving(picture) as (url, fetched):
        sent = await at.carrier.send_text(at.account, at.text("", media_urls=(f"{url}/a.png?x=1&y=2",)))
        told = await statuses(at, at.face.callbacks)
    assert sent.media_count == 1
    assert told[-1].status == "delivered"
    assert {seen.request.raw_path for seen in fetched} == {"/a.png?x=1&y=2"}


async def test_a_messaging_service_picks_a_number_and_tells_it(at: Emulated) -> None:
    text = OutboundText(PHONE, None, "Hello", f"{at.our_url}/message-status", at.customer.messaging_service)
    sent = await at.carrier.send_text(at.account, text)
    told = await statuses(at, at.face.callbacks)
    assert sent.carrier_message_id == told[-1].carrier_message_id
    assert (told[-1].from_number or "").startswith("+1")


async def test_who_said_stop_is_refused_and_may_be_texted_after_start(at: Emulated) -> None:
    await at.control(f"phones/{PHONE}/send", {"to": at.customer.number, "body": "STOP"})
    with pytest.raises(CarrierRefused) as refused:
        await at.carrier.send_text(at.account, at.text())
    assert refused.value.refusal.treatment is Treatment.SUPPRESS
    await at.control(f"phones/{PHONE}/send", {"to": at.customer.number, "body": "START"})
    assert (await at.carrier.send_text(at.account, at.text())).status == "accepted"


@pytest.mark.parametrize("number", ["+1", "12025550140", "nonsense", "+1202555014x"])
async def test_a_number_that_is_none_is_refused_for_good(at: Emulated, number: str) -> None:
    with pytest.raises(CarrierRefused) as refused:
        await at.carrier.send_text(at.account, at.text(to_number=number))
    assert refused.value.refusal.treatment is Treatment.FAIL


async def test_a_sender_that_is_not_the_accounts_is_told_to_an_operator(at: Emulated) -> None:
    with pytest.raises(CarrierRefused) as refused:
        await at.carrier.send_text(at.account, at.text(from_number="+14155550100"))
    assert refused.value.refusal.treatment in {Treatment.STOP_SENDER, Treatment.ALERT}


async def test_wrong_credentials_stop_the_account(at: Emulated) -> None:
    wrong = dataclasses.replace(at.account, credentials=dict.fromkeys(at.account.credentials, "wrong"))
    with pytest.raises(CarrierRefused) as refused:
        await at.carrier.send_text(wrong, at.text())
    assert refused.value.refusal.treatment is Treatment.STOP_ACCOUNT


async def test_too_many_requests_are_worth_another_try(at: Emulated) -> None:
    await at.fault("status", status=429, count=1, retry_after_seconds=7)
    with pytest.raises(CarrierRefused) as refused:
        await at.carrier.send_text(at.account, at.text())
    assert refused.value.refusal.treatment is Treatment.RETRY
    assert refused.value.refusal.retry_after_seconds == 7
    assert not await at.phone()


@pytest.mark.parametrize("kind", ["status_after", "drop_after", "drop_before"])
async def test_what_breaks_off_is_unknown_and_was_done_or_not(at: Emulated, kind: str) -> None:
    more = {"status": 503} if kind.startswith("status") else {}
    await at.fault(kind, count=1, **more)
    with pytest.raises(OutcomeUnknown):
        await at.carrier.send_text(at.account, at.text())
    assert len(await at.phone()) == (0 if kind == "drop_before" else 1)


@pytest.mark.parametrize("kind", ["status_after", "drop_after", "drop_before"])
async def test_an_unknown_outcome_is_settled_by_what_the_carrier_declares(at: Emulated, kind: str) -> None:
    more = {"status": 503} if kind.startswith("status") else {}
    await at.fault(kind, count=1, **more)
    text, since = at.text(idempotency_key=str(OPERATION)), datetime.now(UTC) - timedelta(seconds=5)
    with pytest.raises(OutcomeUnknown):
        await at.carrier.send_text(at.account, text)
    done = len(await at.phone())
    if at.carrier.honours_keys:
        again = await at.carrier.send_text(at.account, text)
        [shown] = await at.phone()
        assert shown["sid"] == again.carrier_message_id
        with pytest.raises(OutcomeUnknown):
            await at.carrier.send_text(at.account, dataclasses.replace(text, body="Other words", asked_before=True))
        assert len(await at.phone()) == 1
    if at.carrier.lists_messages:
        listed = await at.carrier.list_messages(
            at.account, to_number=PHONE, from_number=at.customer.number, since=since
        )
        assert len(listed) == done
    else:
        with pytest.raises(NotOffered):
            await at.carrier.list_messages(at.account, to_number=PHONE, from_number=None, since=since)


async def test_a_message_that_is_not_there_is_refused(at: Emulated) -> None:
    with pytest.raises(CarrierRefused) as refused:
        await at.carrier.get_message(at.account, at.face.message_id(7))
    assert refused.value.refusal.treatment in {Treatment.FAIL, Treatment.ALERT}


async def test_words_are_redacted_where_that_is_offered(at: Emulated) -> None:
    sent = await at.carrier.send_text(at.account, at.text("secret"))
    await statuses(at, at.face.callbacks)
    try:
        await at.carrier.redact_message(at.account, sent.carrier_message_id, with_media=False)
    except NotOffered:
        return
    assert (await at.carrier.get_message(at.account, sent.carrier_message_id)).body == ""


async def test_a_text_to_us_is_told_signed_and_read(at: Emulated) -> None:
    await at.customer.set_inbound_url(f"{at.our_url}/inbound-text")
    body = "Grüße & mehr = 👋\n"
    await at.control(f"phones/{PHONE}/send", {"to": at.customer.number, "body": body})
    [webhook] = await at.webhooks("inbound-text", 1)
    assert at.verified(webhook)
    event = at.parsed(webhook)
    assert isinstance(event, InboundTextEvent)
    assert (event.from_number, event.to_number, event.body) == (PHONE, at.customer.number, body)
    tampered = dataclasses.replace(webhook, body=webhook.body.replace(b"02025550140"[1:], b"2025550141"))
    assert tampered.body != webhook.body
    assert not at.verified(tampered)
    stranger = dataclasses.replace(at.account, credentials=at.face.other_credentials)
    assert not at.carrier.verify(stranger, url=webhook.url, headers=webhook.headers, body=webhook.body)


async def test_a_picture_to_us_is_fetched(at: Emulated) -> None:
    await at.customer.set_inbound_url(f"{at.our_url}/inbound-text")
    async with serving(lambda _: web.Response(body=PNG, content_type="image/png")) as (url, _):
        wish = {"to": at.customer.number, "body": "Look", "media": [{"url": f"{url}/a.png"}]}
        await at.control(f"phones/{PHONE}/send", wish)
        [webhook] = await at.webhooks("inbound-text", 1)
    assert at.verified(webhook)
    event = at.parsed(webhook)
    assert isinstance(event, InboundTextEvent)
    [medium] = event.media
    async with at.carrier.fetch_media(at.account, medium.url) as (content_type, chunks):
        data = b"".join([chunk async for chunk in chunks])
    assert (content_type, data) == ("image/png", PNG)


async def test_a_text_to_us_is_redacted_with_its_picture_where_that_is_offered(at: Emulated) -> None:
    await at.customer.set_inbound_url(f"{at.our_url}/inbound-text")
    picture = {"content_type": "image/png", "data": base64.b64encode(PNG).decode()}
    await at.control(f"phones/{PHONE}/send", {"to": at.customer.number, "body": "Look", "media": [picture, picture]})
    [webhook] = await at.webhooks("inbound-text", 1)
    event = at.parsed(webhook)
    assert isinstance(event, InboundTextEvent)
    for _ in range(2):  # asked again, it is told again
        try:
            await at.carrier.redact_message(at.account, event.carrier_message_id, with_media=True)
        except NotOffered:
            return
    for medium in event.media:
        with pytest.raises(CarrierRefused):
            async with at.carrier.fetch_media(at.account, medium.url):
                pass
    assert (await at.carrier.get_message(at.account, event.carrier_message_id)).body == ""


async def test_the_carrier_tells_that_it_took_a_text_for_an_opt_out(at: Emulated) -> None:
    await at.customer.set_inbound_url(f"{at.our_url}/inbound-text")
    for body in ("stop", "HELP", "Start"):
        await at.control(f"phones/{PHONE}/send", {"to": at.customer.number, "body": body})
    events = [at.parsed(webhook) for webhook in await at.webhooks("inbound-text", 3)]
    told = sorted((event.body.lower(), event.consent) for event in events if isinstance(event, InboundTextEvent))
    assert told == [("help", "help"), ("start", "start"), ("stop", "stop")]
