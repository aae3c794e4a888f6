"""What only Twilio has: pages of a listing, and messages whose sender a messaging service picks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from offhook.telephony.carrier import OutcomeUnknown
from offhook.telephony.carriers import carriers
from telephony.carriers.answering import answering
from telephony.carriers.face import FROM, TO
from telephony.carriers.twilio.face import FACE, message_id, resource

SINCE = datetime(2026, 11, 21, tzinfo=UTC)


async def test_a_listing_reads_all_pages_and_leaves_out_what_is_older() -> None:
    def page(request: web.Request) -> web.Response:
        number = int(request.query.get("Page", "0"))
        messages = [resource(number * 10 + n) for n in range(3)]
        messages.append(resource(number + 100, date_created="Fri, 20 Nov 2026 23:00:00 +0000"))
        following = f"{request.path}?Page={number + 1}" if number < 2 else None
        return web.json_response({"messages": messages, "next_page_uri": following})

    async with answering(FACE, page) as at:
        listed = await at.carrier.list_messages(at.account, to_number=TO, from_number=FROM, since=SINCE)
    assert len(listed) == 9
    assert [seen.request.query.get("To") for seen in at.seen] == [TO, None, None]
    assert at.seen[0].request.query["From"] == FROM


async def test_a_listing_of_whichever_sender_names_none() -> None:
    async with answering(FACE, lambda _: web.json_response({"messages": [resource(1)]})) as at:
        [message] = await at.carrier.list_messages(at.account, to_number=TO, from_number=None, since=SINCE)
    assert message.carrier_message_id == message_id(1)
    assert "From" not in at.seen[0].request.query


async def test_a_listing_larger_than_one_read_is_read_whole() -> None:
    messages = [resource(number, body="x" * 1600) for number in range(900)]
    async with answering(FACE, lambda _: web.json_response({"messages": messages})) as at:
        assert len(await at.carrier.list_messages(at.account, to_number=TO, from_number=FROM, since=SINCE)) == 900


async def test_a_listing_stops_when_a_page_is_long_past() -> None:
    old = [resource(n, date_created="Sun, 01 Nov 2026 00:00:00 +0000") for n in range(2)]
    page = {"messages": old, "next_page_uri": "/more"}
    async with answering(FACE, lambda _: web.json_response(page)) as at:
        assert not await at.carrier.list_messages(
            at.account, to_number=TO, from_number=FROM, since=SINCE + timedelta(days=1)
        )
    assert len(at.seen) == 1


@pytest.mark.parametrize("uri", ["https://evil.example/next", "//evil.example/next"])
async def test_credentials_never_follow_a_page_to_another_host(uri: str) -> None:
    page = {"messages": [resource(1)], "next_page_uri": uri}
    async with answering(FACE, lambda _: web.json_response(page)) as at:
        with pytest.raises(OutcomeUnknown):
            await at.carrier.list_messages(at.account, to_number=TO, from_number=FROM, since=SINCE)
    assert len(at.seen) == 1


async def test_a_listing_with_no_end_is_given_up() -> None:
    page = {"messages": [resource(1)], "next_page_uri": "/more"}
    async with answering(FACE, lambda _: web.json_response(page)) as at:
        with pytest.raises(OutcomeUnknown):
            await at.carrier.list_messages(at.account, to_number=TO, from_number=FROM, since=SINCE)
    assert len(at.seen) == 50


@pytest.mark.parametrize(
    ("given", "field", "expected"),
    [
        ({"num_segments": "0", "from": None}, "segments", None),
        ({"num_segments": "x"}, "segments", None),
        ({"num_media": "3"}, "media_count", 3),
        ({"num_media": "-1"}, "media_count", 0),
        ({"from": None}, "from_number", ""),
        ({"price": None, "price_unit": None}, "price", None),
        ({"price": "-0.00750"}, "price", Decimal("0.0075")),
        ({"price": "NaN"}, "price", None),
        ({"price": "1e400"}, "price", None),
        ({"price": 0.5}, "price", None),
        ({"price": "free"}, "price_currency", None),
        ({"price": "-1", "price_unit": None}, "price_currency", "USD"),
        ({"status": "something-new"}, "status", "accepted"),
        ({"messaging_service_sid": "MG1"}, "messaging_service", "MG1"),
        ({"error_code": 30003}, "error_code", "30003"),
    ],
)
async def test_a_message_is_read_leniently(given: dict[str, Any], field: str, expected: object) -> None:
    async with answering(FACE, lambda _: web.json_response(resource(1, **given), status=201)) as at:
        message = await at.carrier.get_message(at.account, message_id(1))
    assert getattr(message, field) == expected


async def test_redacting_empties_the_body() -> None:
    async with answering(FACE, lambda _: web.json_response(resource(1, body=""))) as at:
        await at.carrier.redact_message(at.account, message_id(1), with_media=False)
    [seen] = at.seen
    assert (seen.request.method, seen.body) == ("POST", b"Body=")
    assert seen.request.path.endswith(f"/Messages/{message_id(1)}.json")


@pytest.mark.parametrize("listed", [{}, {"media_list": 5}, {"media_list": [{}]}, {"media_list": ["x"]}])
async def test_a_list_of_media_that_cannot_be_read_is_no_clear_answer(listed: dict[str, Any]) -> None:
    def answer(request: web.Request) -> web.Response:
        return web.json_response(resource(1, body="") if request.method == "POST" else listed)

    async with answering(FACE, answer) as at:
        with pytest.raises(OutcomeUnknown):
            await at.carrier.redact_message(at.account, message_id(1), with_media=True)


async def test_carriers_are_found_by_looking() -> None:
    async with aiohttp.ClientSession() as session:
        found = carriers(session)
    assert [(name, carrier.name) for name, carrier in found.items()] == [("telnyx", "telnyx"), ("twilio", "twilio")]
