"""What every carrier says when it cannot know, and of what was sent before."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
from datetime import UTC, datetime

import pytest
from aiohttp import web

from offhook.telephony.carrier import (
    CarrierRefused,
    NotOffered,
    NotSent,
    OutcomeUnknown,
)
from offhook.telephony.exchange import MAX_ANSWER_BYTES
from telephony.carriers.answering import abort, answering, nothing, serving
from telephony.carriers.face import TEXT, TO, Face
from telephony.carriers.faces import every_face


@every_face
@pytest.mark.parametrize("status", [408, 500, 502, 503])
async def test_an_error_of_the_server_is_one_and_not_repeated(face: Face, status: int) -> None:
    async with answering(face, lambda _: web.json_response(face.accepted(1), status=status)) as at:
        with pytest.raises(OutcomeUnknown):
            await at.carrier.send_text(at.account, TEXT)
    assert len(at.seen) == 1


@every_face
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'"x"',
        b"{}",
        b'{"sid": 5, "data": 5}',
        b"\xff",
        b"[" * 200_000,
        b'{"data": {"id": "1", "to": []}}',
    ],
    ids=range(8),
)
async def test_a_success_that_cannot_be_read_is_one(face: Face, content: bytes) -> None:
    async with answering(face, lambda _: web.Response(status=201, body=content)) as at:
        with pytest.raises(OutcomeUnknown):
            await at.carrier.send_text(at.account, TEXT)


@every_face
async def test_a_broken_connection_is_one_and_no_connection_is_none(face: Face) -> None:
    async with answering(face, abort) as at:
        with pytest.raises(OutcomeUnknown):
            await at.carrier.send_text(at.account, TEXT)
        assert len(at.seen) == 1
        for nowhere in ("http://127.0.0.1:9", f"http://{'a' * 64}.example", "http://name.invalid"):
            with pytest.raises(NotSent):
                await at.carrier.send_text(dataclasses.replace(at.account, base_url=nowhere), TEXT)


@every_face
async def test_an_answer_too_long_to_be_read_is_one(face: Face) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=201)
        await response.prepare(request)
        try:
            for _ in range(MAX_ANSWER_BYTES // 65_536 + 50):
                await response.write(b" " * 65_536)
        except ConnectionError:
            pass
        return response

    async with answering(face, endless) as at:
        with pytest.raises(OutcomeUnknown):
            await at.carrier.send_text(at.account, TEXT)


@every_face
async def test_a_small_answer_that_unpacks_to_a_huge_one_is_one(face: Face) -> None:
    packed = gzip.compress(b" " * (4 * MAX_ANSWER_BYTES))
    answer = web.Response(status=201, body=packed, headers={"Content-Encoding": "gzip"})
    async with answering(face, lambda _: answer) as at:
        with pytest.raises(OutcomeUnknown):
            await at.carrier.send_text(at.account, TEXT)


@every_face
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_credentials_follow_none(face: Face, status: int) -> None:
    async with serving(nothing) as (elsewhere, visits):
        answer = lambda _: web.Response(status=status, headers={"Location": f"{elsewhere}/x"})  # noqa: E731
        async with answering(face, answer) as at:
            with pytest.raises(CarrierRefused):
                await at.carrier.send_text(at.account, TEXT)
            with pytest.raises(CarrierRefused):
                await at.carrier.get_message(at.account, face.message_id(1))
    assert not visits


@every_face
async def test_a_message_is_fetched_by_its_id(face: Face) -> None:
    async with answering(face, lambda _: web.json_response(face.delivered(7))) as at:
        message = await at.carrier.get_message(at.account, face.message_id(7))
    assert (message.carrier_message_id, message.status) == (face.message_id(7), "delivered")
    [seen] = at.seen
    assert seen.request.method == "GET"
    assert face.message_id(7) in seen.request.path
    assert face.authorized(seen.request)


@every_face
@pytest.mark.parametrize("odd", ["../../x", "a/b", "?x=1", "#", "é", "a b", "%2e%2e"])
async def test_an_odd_id_stays_one_part_of_the_path(face: Face, odd: str) -> None:
    async with answering(face, lambda _: web.json_response({}, status=404)) as at:
        with pytest.raises(CarrierRefused):
            await at.carrier.get_message(at.account, face.message_id(7))
        with pytest.raises(CarrierRefused):
            await at.carrier.get_message(at.account, odd)
    usual, path = (seen.request.raw_path for seen in at.seen)
    assert path.count("/") == usual.count("/")
    assert "?" not in path


@every_face
async def test_a_listing_is_offered_or_said_not_to_be(face: Face) -> None:
    since = datetime(2026, 11, 21, tzinfo=UTC)
    async with answering(face, lambda _: web.json_response({"messages": []})) as at:
        if at.carrier.lists_messages:
            assert not await at.carrier.list_messages(at.account, to_number=TO, from_number=None, since=since)
        else:
            with pytest.raises(NotOffered):
                await at.carrier.list_messages(at.account, to_number=TO, from_number=None, since=since)
            assert not at.seen


@every_face
async def test_redaction_is_asked_for_or_said_not_to_be_offered(face: Face) -> None:
    async with answering(face, lambda _: web.json_response(face.accepted(1))) as at:
        try:
            await at.carrier.redact_message(at.account, face.message_id(1), with_media=False)
        except NotOffered:
            assert not at.seen
        else:
            assert len(at.seen) == 1


@every_face
@pytest.mark.parametrize("content", [{}, {"code": 20404}, {"errors": [{"code": "10005"}]}])
async def test_what_the_carrier_has_no_more_is_forgotten(face: Face, content: object) -> None:
    async with answering(face, lambda _: web.json_response(content, status=404)) as at:
        with contextlib.suppress(NotOffered):
            await at.carrier.redact_message(at.account, face.message_id(1), with_media=True)


@every_face
async def test_a_redaction_that_is_refused_says_who_must_act(face: Face) -> None:
    wrong = face.refusals["bad_credentials"]
    async with answering(face, lambda _: web.json_response(wrong.content, status=wrong.status)) as at:
        with pytest.raises((CarrierRefused, NotOffered)) as refused:
            await at.carrier.redact_message(at.account, face.message_id(1), with_media=True)
    if isinstance(refused.value, CarrierRefused):
        assert "an operator must" in refused.value.refusal.sentence
