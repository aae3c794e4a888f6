"""What every carrier does with a text that is to be sent."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

import pytest
from aiohttp import web

from offhook.telephony.carrier import (
    CarrierRefused,
    OutboundText,
    Treatment,
)
from telephony.carriers.answering import answering
from telephony.carriers.face import BODIES, CALLBACK, FROM, MEDIA, OPERATION, TEXT, TO, Face
from telephony.carriers.faces import every_face


@every_face
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_a_text_is_asked_for_as_it_was_given(face: Face, body: str) -> None:
    text = OutboundText(TO, FROM, body, CALLBACK)
    async with answering(face, lambda _: web.json_response(face.accepted(1), status=201)) as at:
        message = await at.carrier.send_text(at.account, text)
    [seen] = at.seen
    assert face.read_post(seen.request, seen.body) == text
    assert seen.request.method == "POST"
    assert face.authorized(seen.request)
    assert (message.carrier_message_id, message.status) == (face.message_id(1), "accepted")
    assert (message.to_number, message.from_number, message.direction) == (TO, FROM, "outbound")
    assert (message.segments, message.price, message.price_currency) == (2, Decimal("0.0083"), "USD")
    assert message.created_at == datetime(2026, 11, 21, 10, tzinfo=UTC)


@every_face
@pytest.mark.parametrize("body", ["", "with words"])
async def test_media_go_along_in_their_order(face: Face, body: str) -> None:
    text = OutboundText(TO, FROM, body, CALLBACK, media_urls=MEDIA)
    async with answering(face, lambda _: web.json_response(face.accepted(1), status=201)) as at:
        await at.carrier.send_text(at.account, text)
    assert face.read_post(at.seen[0].request, at.seen[0].body) == text


@every_face
async def test_a_messaging_service_stands_in_for_the_sender(face: Face) -> None:
    text = OutboundText(TO, None, "Hello", None, messaging_service=face.messaging_service)
    async with answering(face, lambda _: web.json_response(face.accepted(1), status=201)) as at:
        await at.carrier.send_text(at.account, text)
        assert re.fullmatch(at.carrier.messaging_service_id_pattern, face.messaging_service)
    assert face.read_post(at.seen[0].request, at.seen[0].body) == text


@every_face
async def test_validity_and_key_reach_a_carrier_that_honours_them_and_no_other(face: Face) -> None:
    text = OutboundText(TO, FROM, "Hello", CALLBACK, validity_seconds=600, idempotency_key=str(OPERATION))
    async with answering(face, lambda _: web.json_response(face.accepted(1), status=201)) as at:
        await at.carrier.send_text(at.account, text)
        validity = 600 if at.carrier.honours_validity else None
        key = str(OPERATION) if at.carrier.honours_keys else None
    read = face.read_post(at.seen[0].request, at.seen[0].body)
    assert (read.validity_seconds, read.idempotency_key) == (validity, key)


@every_face
async def test_the_same_text_is_the_same_bytes_so_that_a_key_is_honoured(face: Face) -> None:
    text = OutboundText(TO, FROM, "Hello", CALLBACK, media_urls=MEDIA, idempotency_key=str(OPERATION))
    async with answering(face, lambda _: web.json_response(face.accepted(1), status=201)) as at:
        await at.carrier.send_text(at.account, text)
        await at.carrier.send_text(at.account, text)
    assert at.seen[0].body == at.seen[1].body


@every_face
@pytest.mark.parametrize("case", ["opted_out", "invalid_recipient", "sender_full", "bad_credentials", "unknown"])
async def test_a_refusal_names_its_code_and_what_to_do(face: Face, case: str) -> None:
    wanted = face.refusals[case]
    headers = {"Retry-After": "7"}
    answer = lambda _: web.json_response(wanted.content, status=wanted.status, headers=headers)  # noqa: E731
    async with answering(face, answer) as at:
        with pytest.raises(CarrierRefused) as refused:
            await at.carrier.send_text(at.account, TEXT)
    refusal = refused.value.refusal
    assert (refusal.code, refusal.treatment) == (wanted.code, wanted.treatment)
    assert refusal.sentence.endswith(".")
    assert refusal.retry_after_seconds == 7 or wanted.status != 429
    assert len(at.seen) == 1


@every_face
@pytest.mark.parametrize("content", [b"", b"<html>", b"{}", b'{"code": true}', b'{"errors": 5}', b'{"errors": [7]}'])
@pytest.mark.parametrize(
    ("status", "treatment"),
    [(400, Treatment.ALERT), (401, Treatment.STOP_ACCOUNT), (429, Treatment.RETRY)],
)
async def test_a_refusal_without_a_code_is_told_by_its_status(
    face: Face, status: int, treatment: Treatment, content: bytes
) -> None:
    async with answering(face, lambda _: web.Response(status=status, body=content)) as at:
        with pytest.raises(CarrierRefused) as refused:
            await at.carrier.send_text(at.account, TEXT)
    assert refused.value.refusal.treatment is treatment
    assert refused.value.refusal.code


@every_face
@pytest.mark.parametrize("value", ["", "-1", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", "1e9", "9" * 400, "½"])
async def test_an_odd_retry_after_is_no_trouble(face: Face, value: str) -> None:
    headers = {"Retry-After": value}
    async with answering(face, lambda _: web.json_response({}, status=429, headers=headers)) as at:
        with pytest.raises(CarrierRefused) as refused:
            await at.carrier.send_text(at.account, TEXT)
    assert (refused.value.refusal.retry_after_seconds or 0) <= 86_400


@every_face
def test_every_sentence_is_one_and_an_unknown_code_alerts(face: Face) -> None:
    carrier = face.make(cast("Any", None))
    assert carrier.refusal_of("12345").treatment is Treatment.ALERT
    for refused in face.refusals.values():
        assert carrier.refusal_of(refused.code).sentence.endswith(".")
