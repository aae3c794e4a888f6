"""Twilio's own SDK as the judge of the REST routes."""

from __future__ import annotations

import asyncio
import io
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException

from fixtures.emulator_bench import Bench
from fixtures.emulators import MESSAGES, RunningEmulator, Sdk, basic, running_emulator, sdk_client
from offhook.emulator import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, DEFAULT_NUMBERS, Account, Settings, VirtualClock


async def test_a_created_message_has_every_field_in_twilios_shape(emulator: RunningEmulator, send: Sdk) -> None:
    message = await send(body="a" * 159 + "€")
    assert re.fullmatch(r"SM[0-9a-f]{32}", message.sid)
    assert (message.status, message.direction, message.num_segments, message.num_media) == (
        "queued",
        "outbound-api",
        "2",
        "0",
    )
    assert (message.to, message.from_, message.price, message.error_code) == (
        "+12025550123",
        "+12025550100",
        None,
        None,
    )
    assert message.date_sent is None
    assert abs(message.date_created - datetime.now(UTC)) < timedelta(seconds=60)
    assert message.uri == f"/2010-04-01/Accounts/{DEFAULT_ACCOUNT_SID}/Messages/{message.sid}.json"
    assert emulator.store.messages[message.sid].body == "a" * 159 + "€"


async def test_a_message_goes_through_its_statuses_to_delivered(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with running_emulator(tmp_path, clock=clock) as emulator:
        client = sdk_client(emulator.url)
        fields = {"to": "+12025550123", "from_": "+12025550100", "body": "hello"}
        sid = (await asyncio.to_thread(client.messages.create, **fields)).sid
        seen = [emulator.store.messages[sid].status]
        for seconds in (0.06, 0.1, 0.2):
            await clock.advance(seconds)
            seen.append(emulator.store.messages[sid].status)
        fetched = await asyncio.to_thread(client.messages(sid).fetch)
    assert seen == ["queued", "sending", "sent", "delivered"]
    assert fetched.status == "delivered"
    assert fetched.date_sent is not None


async def test_a_list_pages_newest_first_and_new_messages_do_not_shift_it(emulator: RunningEmulator, send: Sdk) -> None:
    sids = [(await send(body=f"text {n}")).sid for n in range(7)]
    client = sdk_client(emulator.url)

    first = await asyncio.to_thread(client.messages.page, page_size=3)
    late = (await send(body="late")).sid
    rest = await asyncio.to_thread(lambda: [m.sid for m in first.next_page()])
    listed = await asyncio.to_thread(lambda: [m.sid for m in client.messages.stream(page_size=2)])
    limited = await asyncio.to_thread(lambda: [m.sid for m in client.messages.list(limit=5, page_size=2)])

    assert rest == [sids[3], sids[2], sids[1]]
    assert listed == [late, *reversed(sids)]
    assert limited == listed[:5]


async def test_pages_of_any_size_lose_no_message_of_one_transaction(bench: Bench) -> None:
    """A STOP and its answer are one transaction, so they share its number."""
    for n in range(3):
        await bench.create(Body=f"text {n}")
        await bench.text("STOP")
        await bench.text("START")
    client = sdk_client(bench.emulator.url)

    def listed(**how: Any) -> list[str]:
        return [m.sid for m in client.messages.list(**how)]

    everything = await asyncio.to_thread(listed)
    assert len(everything) == 3 * 5
    for size in range(1, 6):
        assert await asyncio.to_thread(listed, page_size=size) == everything
        assert await asyncio.to_thread(listed, page_size=size, to="+12025550123") == [
            m.sid for m in bench.emulator.store.newest_first(to="+12025550123", account_sid=DEFAULT_ACCOUNT_SID)
        ]


async def test_the_page_before_is_the_same_after_new_and_deleted_messages(bench: Bench) -> None:
    for n in range(6):
        await bench.create(Body=f"text {n}")
    await bench.clock.advance(1)
    client = sdk_client(bench.emulator.url)

    def bodies(page: Any) -> list[str]:
        return [m.body for m in page]

    def walk() -> list[list[str]]:
        first = client.messages.page(page_size=2)
        second = first.next_page()
        third = second.next_page()
        shown = [bodies(second), bodies(third)]
        client.messages.create(to="+12025550123", from_="+12025550100", body="new")
        client.messages.list(limit=3)[2].delete()
        again = third.previous_page()
        return [*shown, bodies(again), bodies(again.next_page())]

    second, third, second_again, third_again = await asyncio.to_thread(walk)
    assert (second, third) == (["text 3", "text 2"], ["text 1", "text 0"])
    assert (second_again, third_again) == (second, third)


async def test_all_messages_are_deleted_while_they_are_paged_through(bench: Bench) -> None:
    for n in range(7):
        await bench.create(Body=f"text {n}")
    await bench.clock.advance(1)
    client = sdk_client(bench.emulator.url)
    deleted = await asyncio.to_thread(lambda: [m.delete() for m in client.messages.stream(page_size=2)])
    assert deleted == [True] * 7
    assert bench.emulator.store.messages == {}


async def test_a_page_before_which_all_was_deleted_is_empty(bench: Bench) -> None:
    for n in range(4):
        await bench.create(Body=f"text {n}")
    await bench.clock.advance(1)
    client = sdk_client(bench.emulator.url)

    def walk() -> list[str]:
        second = client.messages.page(page_size=2).next_page()
        for message in client.messages.list(limit=2):
            message.delete()
        return [m.body for m in second.previous_page()]

    assert await asyncio.to_thread(walk) == []


async def test_a_plain_date_sent_is_its_whole_day_as_date_and_as_time(tmp_path: Path) -> None:
    clock = VirtualClock(datetime(2026, 11, 26, 13, 30, tzinfo=UTC).timestamp())
    async with running_emulator(tmp_path, clock=clock) as emulator:
        client = sdk_client(emulator.url)
        fields = {"to": "+12025550123", "from_": "+12025550100", "body": "hello"}
        await asyncio.to_thread(lambda: client.messages.create(**fields))
        await clock.advance(1)

        def count(day: object) -> int:
            return len(client.messages.list(date_sent=day))

        for day in (date(2026, 11, 26), datetime(2026, 11, 26, 8, tzinfo=UTC), "2026-11-26"):
            assert await asyncio.to_thread(count, day) == 1
        for day in (date(2026, 11, 25), date(2026, 11, 27), datetime(2026, 11, 27, 13, 30, tzinfo=UTC)):
            assert await asyncio.to_thread(count, day) == 0


async def test_a_list_is_filtered_by_recipient_sender_and_date_sent(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with running_emulator(tmp_path, clock=clock) as emulator:
        client = sdk_client(emulator.url)

        def create(**fields: Any) -> str:
            return client.messages.create(**{"from_": "+12025550100", "body": "hello", **fields}).sid

        def listed(**filters: Any) -> list[str]:
            return [m.sid for m in client.messages.list(**filters)]

        old = await asyncio.to_thread(create, to="+12025550123")
        await clock.advance(3600)
        middle = datetime.fromtimestamp(clock.time(), UTC)
        await clock.advance(5)
        other = await asyncio.to_thread(create, to="+12025550124", from_="+12025550101")
        await clock.advance(10)
        unsent = await asyncio.to_thread(create, to="+12025550123")

        assert await asyncio.to_thread(listed, to="+12025550123") == [unsent, old]
        assert await asyncio.to_thread(listed, from_="+12025550101") == [other]
        assert await asyncio.to_thread(listed, date_sent_after=middle) == [other]
        assert await asyncio.to_thread(listed, date_sent_before=middle) == [old]
        assert await asyncio.to_thread(listed, date_sent="2001-01-01") == []


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"body": None}, 400, 21602),
        ({"from_": None}, 400, 21603),
        ({"to": ""}, 400, 21604),
        ({"to": "12"}, 400, 21211),
        ({"body": "a" * 1601}, 400, 21617),
        ({"body": "a" * 100_000}, 400, 21617),
        ({"from_": "+14155551234"}, 400, 21606),
        ({"from_": "nobody"}, 400, 21212),
        ({"to": "+12025550100"}, 400, 21266),
        ({"from_": "+15005550001"}, 400, 21212),
        ({"from_": "+15005550007"}, 400, 21606),
        ({"from_": "+15005550008"}, 429, 21611),
        ({"to": "+15005550001"}, 400, 21211),
        ({"to": "+15005550002"}, 400, 21612),
        ({"to": "+15005550003"}, 400, 21408),
        ({"to": "+15005550004"}, 400, 21610),
        ({"to": "+15005550009"}, 400, 21614),
        ({"status_callback": "http://under_score.example/x"}, 400, 21609),
        ({"status_callback": "http://" + "a" * 64 + ".example/x"}, 400, 21609),
        ({"status_callback": "ftp://example.com/"}, 400, 21609),
        ({"media_url": ["http://example.com/a.png"] * 11}, 400, 21623),
        ({"media_url": ["not a url"]}, 400, 21620),
        ({"content_sid": "HX" + "0" * 32}, 400, 20422),
    ],
)
async def test_a_refusal_has_twilios_code_and_leaves_no_message(
    emulator: RunningEmulator, send: Sdk, fields: dict[str, Any], status: int, code: int
) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await send(**fields)
    assert (refused.value.status, refused.value.code) == (status, code)
    assert emulator.store.messages == {}


async def test_the_magic_sender_is_owned_by_every_account(send: Sdk) -> None:
    assert (await send(from_="+15005550006")).status == "queued"


async def test_a_wrong_token_or_account_is_refused_with_20003(emulator: RunningEmulator) -> None:
    client = sdk_client(emulator.url, token="wrong")
    with pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(client.messages.create, to="+12025550123", from_="+12025550100", body="hello")
    assert (refused.value.status, refused.value.code) == (401, 20003)


@pytest.mark.parametrize("header", [None, "Bearer x", "Basic !!!", "Basic /w=="])
async def test_a_request_without_proper_credentials_is_refused(
    emulator: RunningEmulator, http: aiohttp.ClientSession, header: str | None
) -> None:
    async with http.get(emulator.url + MESSAGES, headers={"Authorization": header} if header else {}) as answer:
        assert answer.status == 401
        assert (await answer.json())["code"] == 20003


async def test_an_api_key_opens_its_account_and_no_other(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    own = Account("AC" + "1" * 32, "token", keys={"SK" + "2" * 32: "secret"})
    async with running_emulator(tmp_path, Settings(accounts=(*Settings().accounts, own))) as emulator:
        headers = basic("SK" + "2" * 32, "secret")
        async with http.get(emulator.url + MESSAGES.replace(DEFAULT_ACCOUNT_SID, own.sid), headers=headers) as answer:
            assert answer.status == 200
        async with http.get(emulator.url + MESSAGES, headers=headers) as answer:
            assert answer.status == 401


async def test_an_unknown_message_or_route_is_not_found_in_twilios_shape(
    emulator: RunningEmulator, http: aiohttp.ClientSession
) -> None:
    for path in (MESSAGES.replace("Messages", "Messages/SM0"), "/2010-04-01/Nothing.json"):
        async with http.get(emulator.url + path, headers=basic()) as answer:
            body = await answer.json()
        assert (answer.status, body["code"], body["status"]) == (404, 20404, 404)
        assert body["more_info"].endswith("/20404")


async def test_a_body_larger_than_the_server_takes_is_refused_in_twilios_shape(
    emulator: RunningEmulator, http: aiohttp.ClientSession
) -> None:
    body = io.BytesIO(b"Body=" + b"a" * 2_000_000)
    async with http.post(emulator.url + MESSAGES, headers=basic(), data=body) as answer:
        assert (answer.status, (await answer.json())["code"]) == (413, 20413)


@pytest.mark.parametrize(
    ("encoded", "kept"),
    [
        (b"a%00b", "a\x00b"),
        (b"%ED%A0%80", "\ufffd\ufffd\ufffd"),
        (b"\xff", "\ufffd"),
        (b"%F0%9F%9A%B2+%E2%82%AC", "\U0001f6b2 €"),
        (b"50%25+%26+more%3D", "50% & more="),
        (b"%zz", "%zz"),
        (b"+", " "),
    ],
)
async def test_odd_text_is_kept_and_listed_as_valid_json(
    emulator: RunningEmulator, http: aiohttp.ClientSession, encoded: bytes, kept: str
) -> None:
    form = b"To=%2B12025550123&From=%2B12025550100&Body=" + encoded
    headers = {**basic(), "Content-Type": "application/x-www-form-urlencoded"}
    async with http.post(emulator.url + MESSAGES, headers=headers, data=form) as answer:
        assert answer.status == 201
        assert (await answer.json())["body"] == kept
    async with http.get(emulator.url + MESSAGES, headers=basic()) as answer:
        assert [m["body"] for m in (await answer.json())["messages"]] == [kept]


async def test_a_message_is_redacted_and_deleted_only_after_it_has_ended(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with running_emulator(tmp_path, clock=clock) as emulator:
        client = sdk_client(emulator.url)
        fields = {"to": "+12025550123", "from_": "+12025550100", "body": "secret " * 40}
        message = await asyncio.to_thread(client.messages.create, **fields)
        for early in (lambda: message.update(body=""), message.delete):
            with pytest.raises(TwilioRestException) as refused:
                await asyncio.to_thread(early)
            assert refused.value.code == 20009
        await clock.advance(1)
        redacted = await asyncio.to_thread(lambda: message.update(body=""))
        assert (redacted.body, redacted.num_segments) == ("", message.num_segments)
        assert await asyncio.to_thread(message.delete)
        assert await asyncio.to_thread(client.messages.list) == []


async def test_a_scheduled_message_is_canceled_or_sent_at_its_time(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with running_emulator(tmp_path, clock=clock) as emulator:
        client = sdk_client(emulator.url)
        fields: dict[str, Any] = {
            "to": "+12025550123",
            "messaging_service_sid": "MG" + "0" * 32,
            "body": "later",
            "schedule_type": "fixed",
            "send_at": datetime.fromtimestamp(clock.time() + 1000, UTC),
        }
        sent = await asyncio.to_thread(lambda: client.messages.create(**fields))
        canceled = await asyncio.to_thread(lambda: client.messages.create(**fields))
        assert (sent.status, sent.from_, sent.num_segments) == ("scheduled", None, "0")
        await asyncio.to_thread(lambda: canceled.update(status="canceled"))
        await clock.advance(999)
        assert emulator.store.messages[sent.sid].status == "scheduled"
        await clock.advance(2)
        assert emulator.store.messages[sent.sid].status == "delivered"
        assert emulator.store.messages[canceled.sid].status == "canceled"
        with pytest.raises(TwilioRestException) as refused:
            await asyncio.to_thread(lambda: sent.update(status="canceled"))
        assert refused.value.code == 30409
        with pytest.raises(TwilioRestException) as refused:
            await asyncio.to_thread(lambda: client.messages.create(**{**fields, "send_at": "2001-01-01T00:00:00Z"}))
        assert refused.value.code == 35114


async def test_a_schedule_without_its_time_is_refused_and_without_a_service_ignored(
    emulator: RunningEmulator, send: Sdk
) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await send(schedule_type="fixed", messaging_service_sid="MG" + "0" * 32)
    assert refused.value.code == 35111
    assert (await send(schedule_type="fixed", send_at="2999-01-01T00:00:00Z")).status == "queued"


async def test_a_trial_account_texts_only_verified_numbers(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    trial = Account(DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, verified=("+12025550123",))
    async with running_emulator(tmp_path, Settings(accounts=(trial,))) as emulator:
        for to, status in (("+12025550123", 201), ("+12025550124", 400)):
            form = {"To": to, "From": "+12025550100", "Body": "hello"}
            async with http.post(emulator.url + MESSAGES, headers=basic(), data=form) as answer:
                assert answer.status == status


async def test_account_and_numbers_are_fetched_and_a_number_is_changed(emulator: RunningEmulator) -> None:
    client = sdk_client(emulator.url)
    account = await asyncio.to_thread(client.api.accounts(DEFAULT_ACCOUNT_SID).fetch)
    numbers = await asyncio.to_thread(client.incoming_phone_numbers.list)
    (one,) = await asyncio.to_thread(lambda: client.incoming_phone_numbers.list(phone_number="+12025550100"))
    await asyncio.to_thread(lambda: one.update(sms_url="http://127.0.0.1:9/in"))
    fetched = await asyncio.to_thread(client.incoming_phone_numbers(one.sid).fetch)
    assert (account.sid, account.status) == (DEFAULT_ACCOUNT_SID, "active")
    assert tuple(n.phone_number for n in numbers) == DEFAULT_NUMBERS
    assert fetched.sms_url == "http://127.0.0.1:9/in"


@pytest.mark.parametrize(
    "query", ["PageSize=x", "PageToken=zz", "PageToken=PASM0", "PageToken=PBSM0", "Page=-1", "DateSent=soon"]
)
async def test_a_list_with_senseless_parameters_is_refused(
    emulator: RunningEmulator, http: aiohttp.ClientSession, query: str
) -> None:
    async with http.get(f"{emulator.url}{MESSAGES}?{query}", headers=basic()) as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, 20422)


NO_ADDRESSES = (
    "not a url",
    "ftp://example.com/",
    "//example.com/",
    "http://",
    "http://[::1",
    "http://127.0.0.1:99999/",
    "http://bad host/",
    "http://" + "a" * 70 + ".example/",
)


@pytest.mark.parametrize("url", NO_ADDRESSES)
async def test_an_address_of_a_number_or_service_that_is_none_is_refused(emulator: RunningEmulator, url: str) -> None:
    client = sdk_client(emulator.url)
    client.messaging.base_url = emulator.url

    def tries() -> list[int | None]:
        (number,) = client.incoming_phone_numbers.list(phone_number="+12025550100")
        service = client.messaging.v1.services.create(friendly_name="Workshop")
        codes: list[int | None] = []
        for change, name in ((number.update, "sms_url"), (number.update, "sms_fallback_url")):
            with pytest.raises(TwilioRestException) as refused:
                change(**{name: url})
            codes.append(refused.value.code)
        for name in ("inbound_request_url", "fallback_url", "status_callback"):
            with pytest.raises(TwilioRestException) as refused:
                service.update(**{name: url})
            codes.append(refused.value.code)
        return codes

    assert await asyncio.to_thread(tries) == [21502] * 5
    assert emulator.store.number_settings == {}


async def test_numbers_are_bought_found_by_name_and_given_up(emulator: RunningEmulator) -> None:
    client = sdk_client(emulator.url)
    client.messaging.base_url = emulator.url

    def walk() -> None:
        bought = client.incoming_phone_numbers.create(
            phone_number="+14155550177", friendly_name="Front desk", sms_url="http://127.0.0.1:9/in"
        )
        assert (bought.phone_number, bought.friendly_name) == ("+14155550177", "Front desk")
        assert bought.sms_url == "http://127.0.0.1:9/in"
        assert [n.sid for n in client.incoming_phone_numbers.list(friendly_name="Front desk")] == [bought.sid]
        assert client.incoming_phone_numbers.list(friendly_name="Front desk", phone_number="+12025550100") == []
        assert client.messages.create(to="+12025550123", from_="+14155550177", body="hello").status == "queued"
        service = client.messaging.v1.services.create(friendly_name="Workshop")
        service.phone_numbers.create(phone_number_sid=bought.sid)
        of_service = client.messaging.v1.services(service.sid).phone_numbers
        assert of_service(bought.sid).fetch().phone_number == "+14155550177"
        assert bought.delete()
        assert of_service.list() == []
        with pytest.raises(TwilioRestException) as gone:
            of_service(bought.sid).fetch()
        assert gone.value.status == 404
        with pytest.raises(TwilioRestException) as refused:
            client.messages.create(to="+12025550123", from_="+14155550177", body="hello")
        assert refused.value.code == 21606

    await asyncio.to_thread(walk)
    assert emulator.store.accounts[DEFAULT_ACCOUNT_SID].numbers == DEFAULT_NUMBERS


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("+15005550000", 21422),
        ("+12025550100", 21422),
        ("+13125550100", 21422),
        ("+15005550001", 21421),
        ("0143", 21421),
    ],
)
async def test_a_number_that_is_not_to_be_had_is_refused(emulator: RunningEmulator, number: str, code: int) -> None:
    client = sdk_client(emulator.url)
    with pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(lambda: client.incoming_phone_numbers.create(phone_number=number))
    assert (refused.value.status, refused.value.code) == (400, code)
