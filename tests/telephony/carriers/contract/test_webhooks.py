"""What every carrier makes of a webhook: of its own, of another's, of nonsense."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from offhook.telephony.carrier import (
    INBOUND_TEXT,
    MESSAGE_STATUS,
    CarrierAccount,
    InboundMedium,
    InboundTextEvent,
    MessageStatusEvent,
)
from telephony.carriers.answering import Answering, answering, nothing
from telephony.carriers.face import BODIES, FROM, OPERATION, TO, Face, Inbound, Webhook
from telephony.carriers.faces import every_face


def kind_of(webhook: Webhook) -> str:
    return urlsplit(webhook.url).path.rpartition("/")[2]


def parsed(at: Answering, webhook: Webhook) -> Any:
    query = dict(parse_qsl(urlsplit(webhook.url).query))
    return at.carrier.parse_event(kind=kind_of(webhook), query=query, body=webhook.body)


def verified(at: Answering, webhook: Webhook, account: CarrierAccount | None = None) -> bool:
    return at.carrier.verify(account or at.account, url=webhook.url, headers=webhook.headers, body=webhook.body)


@every_face
async def test_a_signed_one_is_accepted_and_any_change_refused(face: Face) -> None:
    webhook = face.status_webhook(face.message_id(1), face.words["delivered"], None)
    async with answering(face, nothing) as at:
        assert verified(at, webhook)
        changed = [
            dataclasses.replace(webhook, body=webhook.body + b" "),
            dataclasses.replace(webhook, body=webhook.body.replace(FROM[1:].encode(), TO[1:].encode(), 1)),
            dataclasses.replace(webhook, body=b""),
            dataclasses.replace(webhook, headers={}),
            *(dataclasses.replace(webhook, headers={**webhook.headers, name: odd})
              for name in webhook.headers if "content-type" not in name for odd in ("", "x", "é", "9" * 5000)),
        ]  # fmt: skip
        assert not [one for one in changed if verified(at, one)]


@every_face
async def test_another_accounts_key_is_refused(face: Face) -> None:
    webhook = face.status_webhook(face.message_id(1), face.words["delivered"], None)
    async with answering(face, nothing) as at:
        assert not verified(at, webhook, face.account(at.url, other=True))
        assert not verified(at, webhook, dataclasses.replace(at.account, credentials={}))


@every_face
async def test_a_replay_is_refused_or_the_same_event_again(face: Face) -> None:
    """Whoever signs no time is protected by storing an event once."""
    first = face.status_webhook(face.message_id(1), face.words["delivered"], None)
    async with answering(face, nothing) as at:
        again = face.status_webhook(face.message_id(1), face.words["delivered"], None)
        assert parsed(at, first).external_id == parsed(at, again).external_id
        other = face.status_webhook(face.message_id(1), face.words["sent"], None)
        assert parsed(at, first).external_id != parsed(at, other).external_id


@every_face
@pytest.mark.parametrize("status", ["sent", "delivered", "undelivered"])
async def test_a_status_is_read(face: Face, status: str) -> None:
    code = face.undelivered_code if status == "undelivered" else None
    webhook = face.status_webhook(face.message_id(3), face.words[status], code)
    async with answering(face, nothing) as at:
        assert verified(at, webhook)
        event = parsed(at, webhook)
    assert isinstance(event, MessageStatusEvent)
    assert (event.carrier_message_id, event.status, event.error_code) == (face.message_id(3), status, code)
    assert (event.operation_id, event.from_number) == (OPERATION, FROM)


@every_face
@pytest.mark.parametrize("word", ["something-new", "\x00", "x" * 5000])
async def test_a_word_that_is_new_means_nothing(face: Face, word: str) -> None:
    async with answering(face, nothing) as at:
        assert parsed(at, face.status_webhook(face.message_id(3), word, None)) is None


@every_face
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_a_text_to_us_is_read(face: Face, body: str) -> None:
    webhook = face.inbound_webhook(Inbound(body))
    async with answering(face, nothing) as at:
        assert verified(at, webhook)
        event = parsed(at, webhook)
    assert event == InboundTextEvent(
        external_id=event.external_id,
        carrier_message_id=face.message_id(1),
        from_number=TO,
        to_number=FROM,
        body=body,
    )


@every_face
@pytest.mark.parametrize("consent", ["stop", "start", "help"])
async def test_a_text_to_us_tells_media_consent_and_service(face: Face, consent: str) -> None:
    media = (
        InboundMedium("https://media.example/1?a=b&c=d", "image/png"),
        InboundMedium("https://m.example/2", "text/vcard"),
    )
    text = Inbound("Stop it", media, consent, face.messaging_service)
    async with answering(face, nothing) as at:
        event = parsed(at, face.inbound_webhook(text))
    assert isinstance(event, InboundTextEvent)
    assert (event.media, event.consent, event.messaging_service) == (media, consent, face.messaging_service)


@every_face
async def test_what_no_database_stores_is_cleaned(face: Face) -> None:
    async with answering(face, nothing) as at:
        event = parsed(at, face.inbound_webhook(Inbound("a\x00b")))
    assert event.body == "ab"


@every_face
@pytest.mark.parametrize("kind", [MESSAGE_STATUS, INBOUND_TEXT])
@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{}", b"\xff\xfe", b"[" * 60_000, b'{"data": []}', b"&&&=", b"MessageSid=", b'"x"',
     b'{"data": {"event_type": "message.finalized", "payload": {"id": 5, "to": [5]}}}',
     b'{"data": {"event_type": "message.received", "payload": {"type": "SMS", "id": "1", "to": []}}}',
     b"MessageSid=" + b"x" * 60_000],
    ids=range(13),
)  # fmt: skip
async def test_nonsense_is_malformed_or_means_nothing(face: Face, kind: str, body: bytes) -> None:
    async with answering(face, nothing) as at:
        with suppress(ValueError):
            assert at.carrier.parse_event(kind=kind, query={"op": "x"}, body=body) is None


@every_face
async def test_an_unknown_kind_of_webhook_means_nothing(face: Face) -> None:
    webhook = face.inbound_webhook(Inbound("Hello"))
    async with answering(face, nothing) as at:
        assert at.carrier.parse_event(kind="voice", query={}, body=webhook.body) is None
