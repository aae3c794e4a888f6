from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException

from fixtures.emulator_bench import NUMBER, PHONE, PNG, Bench, Webhook
from fixtures.emulators import MESSAGES, RunningEmulator, Sdk, basic, running_emulator, sdk_client
from offhook.emulator import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, DEFAULT_TELNYX_API_KEY, VirtualClock


async def get(http: aiohttp.ClientSession, emulator: RunningEmulator, path: str) -> Any:
    async with http.get(f"{emulator.url}/_emulator/{path}") as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def test_the_phones_show_what_they_got(emulator: RunningEmulator, http: aiohttp.ClientSession, send: Sdk) -> None:
    first = await send(body="one")
    await send(body="two", to="+12025550124")
    last = await send(body="three")
    assert [m["body"] for m in (await get(http, emulator, "messages"))["messages"]] == ["one", "two", "three"]
    assert [m["sid"] for m in (await get(http, emulator, "messages?to=%2B12025550123"))["messages"]] == [
        first.sid,
        last.sid,
    ]
    assert (await get(http, emulator, "messages?since=2999-01-01T00:00:00Z"))["messages"] == []
    phones = (await get(http, emulator, "phones"))["phones"]
    assert [(p["number"], p["texts"], p["last"]["body"]) for p in phones] == [
        ("+12025550123", 2, "three"),
        ("+12025550124", 1, "two"),
    ]
    shown = (await get(http, emulator, "phones/+12025550123"))["messages"]
    assert [m["body"] for m in shown] == ["one", "three"]
    assert (await get(http, emulator, "phones/+12025550199"))["messages"] == []
    assert (await get(http, emulator, "health"))["messages"] == 3


async def test_events_are_waited_for_and_none_is_skipped(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    clock = VirtualClock()
    async with running_emulator(tmp_path, clock=clock) as emulator:
        start = (await get(http, emulator, "events"))["last"]
        waiting = asyncio.create_task(get(http, emulator, f"events?after={start}&wait=30"))
        client = sdk_client(emulator.url)
        fields = {"to": "+12025550123", "from_": "+12025550100", "body": "hello"}
        await asyncio.to_thread(lambda: client.messages.create(**fields))
        first = await waiting
        assert [(e["type"], e["status"], e["message"]["body"]) for e in first["events"]] == [
            ("message.created", "queued", "hello")
        ]
        await clock.advance(1)
        later = await get(http, emulator, f"events?after={first['last']}")
        assert [(e["type"], e["status"]) for e in later["events"]] == [
            ("message.status", "sending"),
            ("message.status", "sent"),
            ("message.status", "delivered"),
            ("message.priced", "delivered"),
        ]
        assert (await get(http, emulator, f"events?after={later['last']}"))["events"] == []


async def test_events_are_streamed_as_server_sent_events(
    emulator: RunningEmulator, http: aiohttp.ClientSession, send: Sdk
) -> None:
    url, headers = f"{emulator.url}/_emulator/events?after={emulator.store.seq}", {"Accept": "text/event-stream"}
    async with http.get(url, headers=headers) as stream:
        assert stream.content_type == "text/event-stream"
        await send(body="line\nbreak")
        lines = [(await asyncio.wait_for(stream.content.readline(), 10)).decode().strip() for _ in range(3)]
    assert lines[1] == "event: message.created"
    assert json.loads(lines[2].removeprefix("data: "))["message"]["body"] == "line\nbreak"


async def test_an_opted_out_recipient_is_refused_by_that_sender_until_opted_in(
    emulator: RunningEmulator, http: aiohttp.ClientSession, send: Sdk
) -> None:
    pair = {"from": "+12025550100", "to": "+12025550123"}
    async with http.post(f"{emulator.url}/_emulator/blocks", json=pair) as answer:
        assert answer.status == 201
    with pytest.raises(TwilioRestException) as refused:
        await send()
    assert refused.value.code == 21610
    assert (await send(from_="+12025550101")).status == "queued"
    async with http.post(f"{emulator.url}/_emulator/blocks", json={**pair, "blocked": False}) as answer:
        assert answer.status == 201
    assert (await send()).status == "queued"


async def test_an_account_is_added_and_has_its_own_messages(
    emulator: RunningEmulator, http: aiohttp.ClientSession, send: Sdk
) -> None:
    sid = "AC" + "2" * 32
    wanted = {"sid": sid, "auth_token": "own", "numbers": ["+12025550111"]}
    async with http.post(f"{emulator.url}/_emulator/accounts", json=wanted) as answer:
        assert answer.status == 201
    await send()
    path = f"{emulator.url}/2010-04-01/Accounts/{sid}/Messages.json"
    credentials = aiohttp.encode_basic_auth(sid, "own")
    async with http.get(path, headers={"Authorization": credentials}) as answer:
        assert (answer.status, (await answer.json())["messages"]) == (200, [])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", "not json"),
        ("faults", "[1]"),
        ("accounts", "{}"),
        ("accounts", '{"sid": "AC1", "auth_token": "x", "numbers": "1"}'),
        ("blocks", '{"from": 1}'),
        ("numbers", '{"number": "+12025550100", "sms_url": "not a url"}'),
        ("numbers", '{"number": "+12025550100", "sms_fallback_url": "http://127.0.0.1:99999/"}'),
        ("services", '{"numbers": [], "inbound_url": "http://[::1"}'),
        ("services", '{"numbers": [], "status_callback": "//x"}'),
        ("services", '{"numbers": [], "stikcy": true}'),
        ("numbers", '{"number": "+12025550100", "sms_ur": "http://127.0.0.1:1/"}'),
        ("numbers", '{"number": "+14155551234", "sms_url": "http://127.0.0.1:1/"}'),
        ("accounts", '{"sid": "AC1", "auth_token": "x", "number": ["+12025550100"]}'),
        ("accounts", '{"sid": "AC1", "auth_token": "x", "numbers": ["0143"]}'),
        ("accounts", '{"sid": "AC1", "auth_token": "x", "keys": ["SK1"]}'),
        ("blocks", '{"from": "+12025550100", "to": "+12025550123", "blocked": "true"}'),
        ("blocks", '{"from": "+12025550100", "to": "+12025550123", "block": true}'),
        ("blocks", '{"from": "+14155551234", "to": "+12025550123"}'),
        ("blocks", '{"from": "MG1", "to": "+12025550123"}'),
        ("blocks", '{"from": "+12025550100", "to": "0123"}'),
        ("phones/+12025550123/send", '{"to": "+12025550100", "boby": "hello"}'),
        ("clock", '{"advance": 1}'),
        ("phones/+12025550123/send", '{"to": "+12025550100"}'),
        ("phones/+12025550123/send", '{"to": "+12025550100", "body": "\\ud800"}'),
        ("phones/+12025550123/send", '{"to": "+4415", "body": "hello"}'),
        ("phones/nobody/send", '{"to": "+12025550100", "body": "hello"}'),
    ],
)
async def test_a_senseless_control_request_is_refused_with_a_reason(
    emulator: RunningEmulator, http: aiohttp.ClientSession, path: str, body: str
) -> None:
    headers = {"Content-Type": "application/json"}
    before = emulator.store.seq
    async with http.post(f"{emulator.url}/_emulator/{path}", data=body, headers=headers) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]
    assert emulator.store.seq == before


async def test_an_unknown_field_is_named_with_those_there_are(bench: Bench) -> None:
    told = await bench.control("numbers", 400, number=NUMBER, sms_ur="http://127.0.0.1:1/")
    assert told["error"].startswith("unknown field: sms_ur; there are number, account_sid, sms_url")


async def test_who_opted_out_is_listed_whoever_blocked_them(bench: Bench) -> None:
    await bench.text("STOP")
    block: dict[str, Any] = {"from": "MG" + "a" * 32, "to": "+1 (202) 555-0124"}
    await bench.control("blocks", **block)
    async with bench.http.get(f"{bench.emulator.url}/_emulator/blocks") as answer:
        blocks = (await answer.json())["blocks"]
    assert [(block["from"], block["to"]) for block in blocks] == [
        (NUMBER, PHONE),
        ("MG" + "a" * 32, "+12025550124"),
    ]


async def test_forgotten_texts_leave_nothing_behind_but_what_was_set(bench: Bench) -> None:
    async with Webhook().running() as webhook:
        await bench.control("numbers", number=NUMBER, sms_url=f"{webhook.url}/in")
        await bench.control("faults", route="callback", kind="latency", seconds=60, count=None)
        await bench.text("STOP", media=[{"content_type": "image/png", "data": base64.b64encode(PNG).decode()}])
        await bench.create(Body="hello", To="+12025550124", StatusCallback=f"{webhook.url}/status")
        await bench.clock.advance(1)
        store = bench.emulator.store
        (picture,) = [store.medium_path(sid) for sid in store.media]
        before = store.seq
        async with bench.http.delete(f"{bench.emulator.url}/_emulator/messages") as answer:
            assert answer.status == 204
        await bench.clock.advance(120)
        assert webhook.received == []
    assert (store.messages, store.media, store.blocks, store.pending_callbacks) == ({}, {}, set(), {})
    assert await bench.phone() == []
    assert await get(bench.http, bench.emulator, "phones") == {"phones": []}
    assert not picture.exists()
    assert [event.type for event in store.events if event.seq == before + 1] == ["messages.cleared"]
    assert store.number_settings[(DEFAULT_ACCOUNT_SID, NUMBER)]["sms_url"].endswith("/in")
    assert len(store.faults) == 1
    assert (await bench.create(Body="hello"))[0] == 201


async def test_a_change_of_an_account_leaves_what_it_does_not_name(bench: Bench) -> None:
    sid = DEFAULT_ACCOUNT_SID
    await bench.control("accounts", sid=sid, verified=[PHONE], keys={"SK1": "secret"}, advanced_opt_out=True)
    await bench.control("accounts", sid=sid, name="Workshop")
    account = bench.emulator.store.accounts[sid]
    assert (account.name, account.verified, account.keys) == ("Workshop", (PHONE,), {"SK1": "secret"})
    assert (account.auth_token, account.telnyx_api_key) == (DEFAULT_AUTH_TOKEN, DEFAULT_TELNYX_API_KEY)
    await bench.control("accounts", sid=sid, verified=None, telnyx_api_key=None)
    account = bench.emulator.store.accounts[sid]
    assert (account.verified, account.telnyx_api_key, account.advanced_opt_out) == (None, None, True)
    assert "auth_token" in (await bench.control("accounts", 400, sid="ACnew"))["error"]


async def test_a_restart_undoes_no_change_of_an_account(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    async with running_emulator(tmp_path) as emulator:
        change = {"sid": DEFAULT_ACCOUNT_SID, "verified": [PHONE], "auth_token": "rotated"}
        async with http.post(f"{emulator.url}/_emulator/accounts", json=change) as answer:
            assert answer.status == 201
    async with running_emulator(tmp_path) as emulator:
        account = emulator.store.accounts[DEFAULT_ACCOUNT_SID]
        assert (account.verified, account.auth_token) == ((PHONE,), "rotated")


OTHER_ACCOUNT = "AC" + "2" * 32


@pytest.mark.parametrize("last", [DEFAULT_ACCOUNT_SID, OTHER_ACCOUNT])
async def test_a_phone_answers_the_account_whose_text_it_had_last(bench: Bench, last: str) -> None:
    await bench.control("accounts", sid=OTHER_ACCOUNT, auth_token="own")
    for sid in (OTHER_ACCOUNT, DEFAULT_ACCOUNT_SID, last):
        account = bench.emulator.store.accounts[sid]
        url = f"{bench.emulator.url}{MESSAGES.replace(DEFAULT_ACCOUNT_SID, sid)}"
        form = {"To": PHONE, "From": NUMBER, "Body": "hello"}
        async with bench.http.post(url, headers=basic(sid, account.auth_token), data=form) as answer:
            assert answer.status == 201
    assert (await bench.text("hello back"))["account_sid"] == last
    assert (await bench.text("hello", account_sid=OTHER_ACCOUNT))["account_sid"] == OTHER_ACCOUNT


async def test_a_phone_without_texts_texts_the_account_that_is_told_of_them(bench: Bench) -> None:
    await bench.control("accounts", sid=OTHER_ACCOUNT, auth_token="own")
    assert (await bench.text("hello", phone="+12025550124"))["account_sid"] == DEFAULT_ACCOUNT_SID
    url = "http://127.0.0.1:9/in"
    await bench.control("numbers", account_sid=OTHER_ACCOUNT, number=NUMBER, sms_url=url)
    assert (await bench.text("hello"))["account_sid"] == OTHER_ACCOUNT
    assert (await bench.text("hello", to="+12025550101"))["account_sid"] == OTHER_ACCOUNT
    assert (await bench.text("hello", phone="+12025550125", to="+12025550101"))["account_sid"] == DEFAULT_ACCOUNT_SID


async def test_a_control_request_that_a_foreign_page_could_make_is_refused(
    emulator: RunningEmulator, http: aiohttp.ClientSession
) -> None:
    fault = json.dumps({"route": "*", "kind": "drop_before"})
    headers = {"Content-Type": "text/plain"}
    async with http.post(f"{emulator.url}/_emulator/faults", data=fault, headers=headers) as answer:
        assert answer.status == 400
    assert emulator.emulation.faults.active() == []


async def test_the_page_shows_texts_escaped(emulator: RunningEmulator, http: aiohttp.ClientSession, send: Sdk) -> None:
    async with http.get(emulator.url) as answer:
        assert "No texts yet" in await answer.text()
    await send(body="<script>alert('1')</script> & \U0001f6b2")
    async with http.get(emulator.url) as answer:
        page = await answer.text()
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "<script>" not in page
    assert "&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt; &amp; \U0001f6b2" in page
    assert "+12025550123" in page
