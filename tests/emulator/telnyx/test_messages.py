from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fixtures.emulators import RunningEmulator, running_emulator
from fixtures.telnyx import NUMBER, OTHER_NUMBER, PHONE, Api
from offhook.emulator import DEFAULT_ACCOUNT_SID, Account, VirtualClock
from offhook.emulator.settings import DEFAULT_AUTH_TOKEN
from offhook.emulator.telnyx.profiles import default_profile

PROFILE = default_profile(DEFAULT_ACCOUNT_SID).id


def ahead(now: float, **span: float) -> str:
    return (datetime.fromtimestamp(now, UTC) + timedelta(**span)).isoformat()


async def test_a_text_is_answered_as_telnyx_answers_and_can_be_fetched(api: Api) -> None:
    sent = await api.send(tags=["bikes"], webhook_url="http://127.0.0.1:1/hooks")
    assert sent.status == 200
    data = sent.data
    assert (data["record_type"], data["direction"], data["type"]) == ("message", "outbound", "SMS")
    assert data["from"]["phone_number"] == NUMBER
    assert [(to["phone_number"], to["status"]) for to in data["to"]] == [(PHONE, "queued")]
    assert (data["encoding"], data["parts"], data["errors"], data["cc"]) == ("GSM-7", 1, [], [])
    assert (data["text"], data["tags"], data["messaging_profile_id"]) == ("Your bicycle is ready.", ["bikes"], PROFILE)
    assert data["cost"] == {"amount": "0.0070", "currency": "USD"}
    assert data["sent_at"] is data["completed_at"] is None
    received, valid_until = datetime.fromisoformat(data["received_at"]), datetime.fromisoformat(data["valid_until"])
    assert valid_until - received == timedelta(hours=1)
    fetched = (await api.get(f"messages/{data['id']}")).data
    assert {**fetched, "to": data["to"], "valid_until": data["valid_until"], "sent_at": None} == {
        **data,
        "completed_at": fetched["completed_at"],
    }


async def test_a_text_goes_its_way_to_delivered(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    clock = VirtualClock()
    async with running_emulator(tmp_path, clock=clock) as emulator:
        api = Api(http, emulator.url)
        sid = (await api.send()).data["id"]
        seen: list[str] = []
        for step in (0.06, 0.1, 1):
            await clock.advance(step)
            message = (await api.get(f"messages/{sid}")).data
            seen.append(message["to"][0]["status"])
        assert seen == ["sending", "sent", "delivered"]
        assert message["sent_at"] < message["completed_at"]
        assert message["valid_until"] is None


async def test_media_make_an_mms_of_one_part_whatever_its_text(api: Api) -> None:
    sent = await api.send(text="long " * 100, media_urls=["http://127.0.0.1:1/a.png"], subject="Bikes")
    assert (sent.data["type"], sent.data["parts"], sent.data["subject"]) == ("MMS", 1, "Bikes")
    assert sent.data["media"] == [
        {"url": "http://127.0.0.1:1/a.png", "content_type": None, "sha256": None, "size": None}
    ]


@pytest.mark.parametrize(
    ("fields", "status", "code", "pointer"),
    [
        ({"to": None}, 422, "10004", "/to"),
        ({"to": "2025550123"}, 400, "40310", "/to"),
        ({"to": "+1202555"}, 200, None, None),
        ({"to": "+0202555012"}, 400, "40310", "/to"),
        ({"to": "+1202555012３"}, 400, "40310", "/to"),
        ({"to": NUMBER}, 400, "40310", "/to"),
        ({"to": 12025550123}, 400, "10015", "/to"),
        ({"sender": None}, 422, "10004", "/from"),
        ({"sender": "+12025550100"}, 400, "40305", "/from"),
        ({"sender": "Offhook"}, 400, "40305", "/from"),
        ({"messaging_profile_id": "nope"}, 400, "10006", "/messaging_profile_id"),
        ({"text": None}, 400, "40316", "/text"),
        ({"text": ""}, 400, "40316", "/text"),
        ({"text": ["hello"]}, 400, "10015", "/text"),
        ({"text": "a" * 1531}, 400, "40302", "/text"),
        ({"text": "\U0001f6b2" * 335}, 200, None, None),
        ({"text": "\U0001f6b2" * 336}, 400, "40302", "/text"),
        ({"type": "RCS"}, 400, "10015", "/type"),
        ({"type": "MMS"}, 400, "40304", None),
        ({"type": "MMS", "subject": "Bikes"}, 200, None, None),
        ({"type": "SMS", "media_urls": ["http://127.0.0.1:1/a.png"]}, 400, "40304", None),
        ({"media_urls": ["http://127.0.0.1:1/a.png"] * 11}, 400, "40317", "/media_urls"),
        ({"media_urls": ["http://127.0.0.1:1/a.png", "ftp://127.0.0.1/"]}, 422, "10003", "/media_urls/1"),
        ({"media_urls": "http://127.0.0.1:1/a.png"}, 400, "10015", "/media_urls"),
        ({"webhook_url": "no address"}, 422, "10003", "/webhook_url"),
        ({"webhook_url": "http://a/" + "b" * 2000}, 422, "10003", "/webhook_url"),
        ({"webhook_failover_url": "http://a\nb"}, 422, "10003", "/webhook_failover_url"),
        ({"use_profile_webhooks": "yes"}, 400, "10015", "/use_profile_webhooks"),
        ({"tags": [1]}, 400, "10015", "/tags"),
        ({"encoding": "gsm7", "text": "€"}, 400, "10015", "/text"),
        ({"encoding": "utf8"}, 400, "10015", "/encoding"),
        ({"auto_detect": True}, 200, None, None),
        ({"send_at": "tomorrow"}, 400, "10015", "/send_at"),
        ({"send_at": "0001-01-01T00:00:00+23:59"}, 400, "10015", "/send_at"),
        ({"send_at": "2020-01-01T00:00:00Z"}, 400, "10015", "/send_at"),
    ],
)
async def test_a_request_is_judged_with_telnyxs_codes(
    api: Api, fields: dict[str, Any], status: int, code: str | None, pointer: str | None
) -> None:
    answer = await api.send(**fields)
    assert answer.status == status, answer.body
    if code is not None:
        (error,) = answer.body["errors"]
        assert (error["code"], error.get("source", {}).get("pointer")) == (code, pointer)
        assert error["title"]
        assert error["detail"]
        assert error["meta"]["url"].endswith(code)


async def test_the_profiles_pool_picks_a_sender_that_is_not_the_recipient(api: Api) -> None:
    pooled = await api.send("messages/number_pool", sender=None, messaging_profile_id=PROFILE)
    assert pooled.data["from"]["phone_number"] == NUMBER
    unnamed = await api.send(sender=None, messaging_profile_id=PROFILE, to=NUMBER)
    assert unnamed.data["from"]["phone_number"] == OTHER_NUMBER
    without = await api.send("messages/number_pool")
    assert (without.status, without.codes) == (422, ["10004"])


async def test_a_long_code_needs_its_sender(api: Api) -> None:
    assert (await api.send("messages/long_code")).data["from"]["phone_number"] == NUMBER
    refused = await api.send("messages/long_code", sender=None, messaging_profile_id=PROFILE)
    assert refused.codes == ["10004"]


@pytest.mark.parametrize("path", ["messages", "messages/schedule"])
async def test_a_scheduled_text_waits_and_can_be_cancelled_until_a_minute_before(
    tmp_path: Path, http: aiohttp.ClientSession, path: str
) -> None:
    clock = VirtualClock()
    async with running_emulator(tmp_path, clock=clock) as emulator:
        api, at = Api(http, emulator.url), ahead(clock.time(), minutes=10)
        first, second = [(await api.send(path, send_at=at)).data for _ in range(2)]
        assert first["to"][0]["status"] == "scheduled"
        await clock.advance(8 * 60)
        cancelled = await api.call("DELETE", f"messages/{first['id']}")
        assert cancelled.status == 200
        assert cancelled.body["to"][0]["status"] == "cancelled"
        again = await api.call("DELETE", f"messages/{first['id']}")
        assert (again.status, again.codes) == (400, ["10015"])
        await clock.advance(61)
        assert (await api.call("DELETE", f"messages/{second['id']}")).codes == ["10015"]
        await clock.advance(120)
        statuses = [(await api.get(f"messages/{m['id']}")).data["to"][0]["status"] for m in (first, second)]
        assert statuses == ["cancelled", "delivered"]


async def test_scheduling_needs_its_time_within_five_minutes_to_five_days(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    clock = VirtualClock()
    async with running_emulator(tmp_path, clock=clock) as emulator:
        api, now = Api(http, emulator.url), clock.time()
        assert (await api.send("messages/schedule")).codes == ["10004"]
        for span, taken in (
            ({"seconds": 299}, False),
            ({"minutes": 5}, True),
            ({"days": 5}, True),
            ({"days": 6}, False),
        ):
            assert (await api.send(send_at=ahead(now, **span))).status == (200 if taken else 400)


async def test_a_message_of_more_than_ten_days_is_not_found(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    clock = VirtualClock()
    async with running_emulator(tmp_path, clock=clock) as emulator:
        api = Api(http, emulator.url)
        sid = (await api.send()).data["id"]
        await clock.advance(10 * 86_400)
        assert (await api.get(f"messages/{sid}")).status == 200
        await clock.advance(1)
        gone = await api.get(f"messages/{sid}")
        assert (gone.status, gone.codes) == (404, ["10005"])


@pytest.mark.parametrize("path", ["messages/nope", "nowhere", "messaging_profiles/nope", "phone_numbers/1"])
async def test_what_is_not_there_is_10005(api: Api, path: str) -> None:
    answer = await api.get(path)
    assert (answer.status, answer.codes) == (404, ["10005"])


@pytest.mark.parametrize("key", ["", "wrong", "KEY\u00e9", "0" * 5000])
async def test_a_wrong_key_is_10009(api: Api, http: aiohttp.ClientSession, key: str) -> None:
    answer = await Api(http, api.url, key).get("balance")
    assert (answer.status, answer.codes) == (401, ["10009"])


async def test_one_accounts_texts_and_profiles_are_not_found_by_another(api: Api, http: aiohttp.ClientSession) -> None:
    other = {"sid": "AC" + "1" * 32, "auth_token": "t", "telnyx_api_key": "KEYother", "telnyx_numbers": [OTHER_NUMBER]}
    async with http.post(f"{api.url}/_emulator/accounts", json=other) as answer:
        assert answer.status == 201, await answer.text()
    stranger = Api(http, api.url, "KEYother")
    sid = (await api.send()).data["id"]
    assert (await stranger.get(f"messages/{sid}")).status == 404
    assert (await stranger.get(f"messaging_profiles/{PROFILE}")).status == 404
    assert (await stranger.send(messaging_profile_id=PROFILE)).codes == ["10006"]
    assert (await stranger.send()).codes == ["40305"]
    assert (await stranger.send(sender=OTHER_NUMBER)).status == 200
    assert await stranger.public_key() != await api.public_key()


async def test_an_account_without_a_key_has_no_telnyx_face(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    async with running_emulator(tmp_path) as emulator:
        emulator.store.add_account(Account(DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, telnyx_api_key=None))
        assert (await Api(http, emulator.url).get("balance")).codes == ["10009"]
        async with http.get(f"{emulator.url}/_emulator/telnyx") as answer:
            assert (await answer.json()) == {"accounts": []}


async def test_texts_of_both_faces_are_on_the_same_phone(api: Api, http: aiohttp.ClientSession) -> None:
    await api.send(text="by Telnyx")
    async with http.get(f"{api.url}/_emulator/phones/{PHONE}") as answer:
        (shown,) = (await answer.json())["messages"]
    assert (shown["body"], shown["from"], shown["face"]) == ("by Telnyx", NUMBER, "telnyx")
    async with http.get(api.url) as page:
        assert f"telnyx, {PROFILE}" in await page.text()


async def test_a_slow_senders_texts_wait_expire_and_fill_its_queue(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    clock = VirtualClock()
    async with running_emulator(tmp_path, clock=clock) as emulator:
        api = Api(http, emulator.url)
        slow = {"number": NUMBER, "segments_per_second": 0.001, "queue_max_seconds": 4000}
        async with http.post(f"{emulator.url}/_emulator/numbers", json=slow) as answer:
            assert answer.status == 201, await answer.text()
        sids = [(await api.send()).data["id"] for _ in range(5)]
        full = await api.send()
        assert (full.status, full.codes) == (429, ["40318"])
        await clock.advance(3602)
        messages = [(await api.get(f"messages/{sid}")).data for sid in sids]
        assert [m["to"][0]["status"] for m in messages] == ["delivered"] * 4 + ["sending_failed"]
        assert messages[-1]["errors"][0]["code"] == "40014"


async def test_without_the_library_that_signs_the_face_says_what_to_install(
    emulator: RunningEmulator, api: Api, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("offhook.emulator.telnyx", "offhook.emulator.telnyx.rest"):
        monkeypatch.setattr(f"{module}.can_sign", lambda: False)
    refused = await api.send()
    assert (refused.status, refused.codes) == (503, ["10007"])
    assert "pip install 'offhook[emulator]'" in refused.body["errors"][0]["detail"]
    async with http.get(f"{emulator.url}/_emulator/telnyx") as answer:
        assert (await answer.json())["accounts"][0]["public_key"] is None


async def test_a_scheduled_text_holds_up_none_that_is_sent_before_it(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    clock = VirtualClock()
    async with running_emulator(tmp_path, clock=clock) as emulator:
        api, rate = Api(http, emulator.url), {"number": NUMBER, "segments_per_second": 1}
        async with http.post(f"{emulator.url}/_emulator/numbers", json=rate) as answer:
            assert answer.status == 201
        later = (await api.send(send_at=ahead(clock.time(), hours=30))).data
        now = (await api.send()).data
        assert (later["to"][0]["status"], now["to"][0]["status"]) == ("scheduled", "queued")
        await clock.advance(1)
        assert (await api.get(f"messages/{now['id']}")).data["to"][0]["status"] == "delivered"
