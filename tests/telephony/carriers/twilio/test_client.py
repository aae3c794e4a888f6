"""Twilio's adapter against a server that answers as it is told: what is refused, what is unknown, what never left."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from offhook.telephony.carrier import (
    CarrierAccount,
    CarrierRefused,
    NotSent,
    OutboundText,
    OutcomeUnknown,
    Treatment,
)
from offhook.telephony.carriers import carriers
from offhook.telephony.carriers.twilio import TwilioCarrier
from offhook.telephony.carriers.twilio.errors import ERRORS, refusal_of

SID = "AC" + "0" * 32
TEXT = OutboundText("+12025550140", "+12025550100", "Grüße & mehr", "https://example.com/hook?op=1")
SINCE = datetime(2026, 11, 21, tzinfo=UTC)


def resource(number: int, **more: Any) -> dict[str, Any]:
    return {
        "sid": f"SM{number:032d}", "status": "queued", "to": TEXT.to_number, "from": TEXT.from_number,
        "body": TEXT.body, "date_created": "Sat, 21 Nov 2026 10:00:00 +0000", "direction": "outbound-api",
        "error_code": None, "num_segments": "1", **more,
    }  # fmt: skip


@asynccontextmanager
async def answering(
    answer: Callable[[web.Request], Any],
) -> AsyncGenerator[tuple[TwilioCarrier, CarrierAccount, list[web.Request]]]:
    """A carrier and an account whose API is `answer`, and the requests that came."""
    seen: list[web.Request] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        await request.read()
        seen.append(request)
        answered = answer(request)
        return await answered if asyncio.iscoroutine(answered) else answered

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    account = CarrierAccount(uuid.uuid4(), uuid.uuid4(), "twilio", SID, url, {"auth_token": "token"})
    try:
        async with aiohttp.ClientSession() as session:
            yield TwilioCarrier(session), account, seen
    finally:
        await runner.cleanup()


async def test_a_text_is_posted_as_a_form_and_its_answer_is_read() -> None:
    async with answering(lambda _: web.json_response(resource(1), status=201)) as (carrier, account, seen):
        message = await carrier.send_text(account, TEXT)
    assert (message.carrier_message_id, message.status, message.segments) == (f"SM{1:032d}", "accepted", 1)
    assert message.created_at == datetime(2026, 11, 21, 10, tzinfo=UTC)
    [request] = seen
    form = await request.post()
    assert form["Body"] == TEXT.body
    assert form["StatusCallback"] == TEXT.status_callback_url
    assert request.headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("status", "body", "code", "treatment"),
    [
        (400, {"code": 21610}, "21610", Treatment.SUPPRESS),
        (400, {"code": 21211}, "21211", Treatment.FAIL),
        (400, {"code": 99999}, "99999", Treatment.ALERT),
        (401, {}, "20003", Treatment.STOP_ACCOUNT),
        (429, {"code": 20429}, "20429", Treatment.RETRY),
        (429, {}, "20429", Treatment.RETRY),
        (404, {}, "http_404", Treatment.ALERT),
        (302, {}, "http_302", Treatment.ALERT),
    ],
)
async def test_a_refusal_says_what_to_do(status: int, body: Any, code: str, treatment: Treatment) -> None:
    headers = {"Retry-After": "7", "Location": "/elsewhere"}
    async with answering(lambda _: web.json_response(body, status=status, headers=headers)) as (carrier, account, seen):
        with pytest.raises(CarrierRefused) as refused:
            await carrier.send_text(account, TEXT)
    assert (refused.value.refusal.code, refused.value.refusal.treatment) == (code, treatment)
    assert len(seen) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 408])
async def test_an_error_of_the_server_is_an_unknown_outcome_and_not_repeated(status: int) -> None:
    async with answering(lambda _: web.Response(status=status)) as (carrier, account, seen):
        with pytest.raises(OutcomeUnknown):
            await carrier.send_text(account, TEXT)
    assert len(seen) == 1


@pytest.mark.parametrize("answer", [b"", b"[]", b'"x"', b"{}", b'{"sid": 5}', b"\xff"])
async def test_a_success_that_cannot_be_read_is_an_unknown_outcome(answer: bytes) -> None:
    async with answering(lambda _: web.Response(status=201, body=answer)) as (carrier, account, _):
        with pytest.raises(OutcomeUnknown):
            await carrier.send_text(account, TEXT)


async def test_a_broken_connection_is_an_unknown_outcome_and_no_connection_is_none() -> None:
    def abort(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with answering(abort) as (carrier, account, seen):
        with pytest.raises(OutcomeUnknown):
            await carrier.send_text(account, TEXT)
        assert len(seen) == 1
        nowhere = CarrierAccount(account.id, account.organization_id, "twilio", SID, "http://127.0.0.1:9", {})
        with pytest.raises(NotSent):
            await carrier.send_text(nowhere, TEXT)


async def test_a_listing_reads_all_pages_and_leaves_out_what_is_older() -> None:
    def page(request: web.Request) -> web.Response:
        number = int(request.query.get("Page", "0"))
        messages = [resource(number * 10 + n) for n in range(3)]
        messages.append(resource(number + 100, date_created="Fri, 20 Nov 2026 23:00:00 +0000"))
        following = f"{request.path}?Page={number + 1}" if number < 2 else None
        return web.json_response({"messages": messages, "next_page_uri": following})

    async with answering(page) as (carrier, account, seen):
        listed = await carrier.list_messages(
            account, to_number=TEXT.to_number, from_number=TEXT.from_number, since=SINCE
        )
    assert len(listed) == 9
    assert [request.query.get("To") for request in seen] == [TEXT.to_number, None, None]


async def test_a_listing_stops_when_a_page_is_long_past() -> None:
    old = [resource(n, date_created="Sun, 01 Nov 2026 00:00:00 +0000") for n in range(2)]
    page = {"messages": old, "next_page_uri": "/more"}
    async with answering(lambda _: web.json_response(page)) as (carrier, account, seen):
        assert not await carrier.list_messages(
            account, to_number=TEXT.to_number, from_number=TEXT.from_number, since=SINCE + timedelta(days=1)
        )
    assert len(seen) == 1


@pytest.mark.parametrize("uri", ["https://evil.example/next", "//evil.example/next"])
async def test_credentials_never_follow_a_page_to_another_host(uri: str) -> None:
    page = {"messages": [resource(1)], "next_page_uri": uri}
    async with answering(lambda _: web.json_response(page)) as (carrier, account, seen):
        with pytest.raises(OutcomeUnknown):
            await carrier.list_messages(account, to_number="+1", from_number="+1", since=SINCE)
    assert len(seen) == 1


async def test_a_message_is_fetched_by_its_id() -> None:
    async with answering(lambda _: web.json_response(resource(7, status="delivered"))) as (carrier, account, seen):
        message = await carrier.get_message(account, "SM7")
    assert message.status == "delivered"
    assert seen[0].path.endswith("/Messages/SM7.json")


async def test_carriers_are_found_by_looking() -> None:
    async with aiohttp.ClientSession() as session:
        found = carriers(session)
    assert [(name, carrier.name) for name, carrier in found.items()] == [("telnyx", "telnyx"), ("twilio", "twilio")]


def test_every_code_of_the_table_has_a_sentence_and_an_unknown_one_alerts() -> None:
    assert all(refusal_of(code).sentence.endswith(".") for code in ERRORS)
    assert refusal_of("12345").treatment is Treatment.ALERT


async def test_credentials_are_not_shown_in_a_repr() -> None:
    account = CarrierAccount(uuid.uuid4(), uuid.uuid4(), "twilio", SID, None, {"auth_token": "s3cret"})
    assert "s3cret" not in repr(account)
