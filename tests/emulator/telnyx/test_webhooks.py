from __future__ import annotations

import base64
import hashlib
import time
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from fixtures.emulators import HookReceiver, RunningEmulator, running_emulator
from fixtures.telnyx import NUMBER, PHONE, Api, document, event_types, is_signed
from offhook.emulator import DEFAULT_ACCOUNT_SID, Settings, VirtualClock
from offhook.emulator.telnyx.profiles import default_profile

PROFILE = default_profile(DEFAULT_ACCOUNT_SID).id


async def set_profile(api: Api, **fields: str | None) -> None:
    answer = await api.call("PATCH", f"messaging_profiles/{PROFILE}", fields)
    assert answer.status == 200, answer.body


async def text_from_phone(http: aiohttp.ClientSession, url: str, body: str, **more: object) -> None:
    wanted = {"to": NUMBER, "body": body, **more}
    async with http.post(f"{url}/_emulator/phones/{PHONE}/send", json=wanted) as answer:
        assert answer.status == 201, await answer.text()


async def test_a_text_is_told_when_it_is_sent_and_when_it_is_over(
    emulator: RunningEmulator, hooks: HookReceiver, api: Api
) -> None:
    url = f"{hooks.url}/hooks?op=01a%20b&op=2"
    sent = (await api.send(webhook_url=url, tags=["bikes"], text="Ready: \U0001f6b2 “now”")).data
    received = await hooks.wait_for(2)
    assert event_types(received) == ["message.sent", "message.finalized"]
    key = await api.public_key()
    ids: set[str] = set()
    for hook, status in zip(received, ("sent", "delivered"), strict=True):
        assert hook.url == url
        assert is_signed(hook, key)
        assert not is_signed(hook, key.swapcase())
        assert abs(time.time() - int(hook.headers["telnyx-timestamp"])) < 60
        event = document(hook)
        assert set(event) == {"data", "meta"}
        assert event["meta"] == {"attempt": 1, "delivered_to": url}
        data, payload = event["data"], event["data"]["payload"]
        assert (data["record_type"], payload["record_type"]) == ("event", "message")
        ids.add(data["id"])
        assert data["occurred_at"].endswith("+00:00")
        assert (payload["id"], payload["to"][0]["status"], payload["text"]) == (sent["id"], status, sent["text"])
        assert (payload["direction"], payload["encoding"], payload["parts"]) == ("outbound", "UCS-2", 1)
        assert payload["sent_at"] is not None
        assert payload["valid_until"] is None
        assert payload["cost"] == sent["cost"]
        assert set(payload) == set(sent)
    assert len(ids) == 2
    assert document(received[0])["data"]["payload"]["completed_at"] is None
    assert document(received[1])["data"]["payload"]["completed_at"] is not None


@pytest.mark.parametrize(
    ("fault", "status", "events", "codes"),
    [
        ({"kind": "undelivered", "error_code": 40012}, "delivery_failed", 2, ["40012"]),
        ({"kind": "undelivered"}, "delivery_failed", 2, ["40008"]),
        ({"kind": "failed", "error_code": 40014}, "sending_failed", 1, ["40014"]),
        ({"kind": "stuck"}, "delivery_unconfirmed", 2, []),
    ],
)
async def test_a_text_that_does_not_arrive_is_finalized_with_its_errors(
    emulator: RunningEmulator,
    hooks: HookReceiver,
    api: Api,
    fault: dict[str, object],
    status: str,
    events: int,
    codes: list[str],
) -> None:
    emulator.emulation.faults.add({"route": "delivery", **fault})
    sent = await api.send(webhook_url=hooks.url)
    last = document((await hooks.wait_for(events))[-1])["data"]
    assert last["event_type"] == "message.finalized"
    assert last["payload"]["to"][0]["status"] == status
    assert [error["code"] for error in last["payload"]["errors"]] == codes
    fetched = (await api.get(f"messages/{sent.data['id']}")).data
    assert (fetched["to"], fetched["errors"]) == (last["payload"]["to"], last["payload"]["errors"])


async def test_every_address_gets_three_tries_then_the_next_one_its_turn(tmp_path: Path) -> None:
    settings = Settings(callback_retry_pause_seconds=0)
    async with HookReceiver().running() as first, HookReceiver().running() as second, aiohttp.ClientSession() as http:
        first.statuses = [500, 404, 302] * 2
        async with running_emulator(tmp_path, settings) as emulator:
            api = Api(http, emulator.url)
            await set_profile(api, webhook_url=f"{second.url}/profile", webhook_failover_url=f"{second.url}/later")
            await api.send(webhook_url=f"{first.url}/one", webhook_failover_url=f"{second.url}/two")
            tries = await first.wait_for(6)
            taken = await second.wait_for(2)
            key = await api.public_key()
            errors = [event.detail for event in emulator.store.events if event.type == "error.raised"]
        assert [(error["code"], error["url"]) for error in errors] == [(None, f"{first.url}/one")] * 2
        assert {error["sentence"] for error in errors} == {"webhook: the address answered 302"}
        sent = [hook for hook in tries if event_types([hook]) == ["message.sent"]]
        assert [document(hook)["meta"]["attempt"] for hook in sent] == [1, 2, 3]
        assert len({document(hook)["data"]["id"] for hook in sent}) == 1
        assert sorted(hook.url for hook in taken) == [f"{second.url}/two"] * 2
        assert all(is_signed(hook, key) for hook in (*tries, *taken))
        delivered = [document(hook)["meta"] for hook in taken]
        assert delivered == [{"attempt": 1, "delivered_to": f"{second.url}/two"}] * 2


@pytest.mark.parametrize(("own_url", "wanted"), [(True, "/own"), (False, "/profile")])
async def test_the_messages_address_goes_before_the_profiles(
    hooks: HookReceiver, api: Api, own_url: bool, wanted: str
) -> None:
    await set_profile(api, webhook_url=f"{hooks.url}/profile")
    await api.send(webhook_url=f"{hooks.url}/own" if own_url else None)
    assert [hook.url for hook in await hooks.wait_for(2)] == [f"{hooks.url}{wanted}"] * 2


async def test_a_text_may_go_without_webhooks(emulator: RunningEmulator, hooks: HookReceiver, api: Api) -> None:
    await set_profile(api, webhook_url=f"{hooks.url}/profile")
    await api.send(use_profile_webhooks=False)
    await set_profile(api, webhook_url=None)
    await api.send()
    assert not [event for event in emulator.store.events if event.type == "callback.queued"]


async def test_a_webhook_that_is_owed_at_a_stop_comes_after_the_restart(tmp_path: Path, hooks: HookReceiver) -> None:
    clock = VirtualClock()
    async with aiohttp.ClientSession() as http:
        async with running_emulator(tmp_path, clock=clock) as emulator:
            emulator.emulation.faults.add({"route": "callback", "kind": "latency", "seconds": 3600})
            api = Api(http, emulator.url)
            sid, key = (await api.send(webhook_url=hooks.url)).data["id"], await api.public_key()
            await clock.advance(0.2)
            assert len(emulator.store.pending_callbacks) == 1
        async with running_emulator(tmp_path, clock=clock) as emulator:
            await clock.advance(1)
            received = await hooks.wait_for(2)
            assert await Api(http, emulator.url).public_key() == key
    assert {document(hook)["data"]["payload"]["id"] for hook in received} == {sid}
    assert sorted(event_types(received)) == ["message.finalized", "message.sent"]
    assert all(is_signed(hook, key) for hook in received)


async def test_webhooks_are_doubled_dropped_and_overtaken_on_demand(
    emulator: RunningEmulator, hooks: HookReceiver, api: Api
) -> None:
    emulator.emulation.faults.add({"route": "callback", "kind": "reorder"})
    emulator.emulation.faults.add({"route": "callback", "kind": "double"})
    await api.send(webhook_url=hooks.url)
    received = await hooks.wait_for(3)
    assert event_types(received) == ["message.finalized", "message.finalized", "message.sent"]
    assert received[0].body == received[1].body


async def test_a_text_from_a_phone_is_told_to_its_numbers_profile(
    emulator: RunningEmulator, hooks: HookReceiver, api: Api, http: aiohttp.ClientSession
) -> None:
    await set_profile(api, webhook_url=f"{hooks.url}/in")
    await text_from_phone(http, emulator.url, "Is it ready? \U0001f6b2")
    (hook,) = await hooks.wait_for(1)
    assert is_signed(hook, await api.public_key())
    data = document(hook)["data"]
    assert (data["event_type"], data["payload"]["direction"]) == ("message.received", "inbound")
    payload = data["payload"]
    assert payload["from"]["phone_number"] == PHONE
    assert [(to["phone_number"], to["status"]) for to in payload["to"]] == [(NUMBER, "webhook_delivered")]
    assert (payload["text"], payload["type"], payload["media"]) == ("Is it ready? \U0001f6b2", "SMS", [])
    assert (payload["messaging_profile_id"], payload["autoresponse_type"]) == (PROFILE, None)
    fetched = (await api.get(f"messages/{payload['id']}")).data
    assert fetched == payload


async def test_a_text_to_a_number_on_no_profile_is_kept_and_told_to_nobody(
    emulator: RunningEmulator, hooks: HookReceiver, api: Api, http: aiohttp.ClientSession
) -> None:
    await set_profile(api, webhook_url=f"{hooks.url}/in")
    await api.call("PATCH", f"phone_numbers/{NUMBER}/messaging", {"messaging_profile_id": ""})
    await text_from_phone(http, emulator.url, "STOP")
    assert [message.body for message in emulator.store.messages.values()] == ["STOP"]
    assert not emulator.store.pending_callbacks
    assert (await api.send()).codes == ["40305"]


async def test_a_medium_that_cannot_be_fetched_ends_the_text(hooks: HookReceiver, api: Api) -> None:
    await api.send(media_urls=["http://127.0.0.1:1/gone.png"], webhook_url=hooks.url)
    (hook,) = await hooks.wait_for(1)
    payload = document(hook)["data"]["payload"]
    assert (payload["to"][0]["status"], payload["errors"][0]["code"]) == ("sending_failed", "40317")


async def test_a_picture_from_a_phone_can_be_fetched_where_the_event_says(
    emulator: RunningEmulator, hooks: HookReceiver, api: Api, http: aiohttp.ClientSession
) -> None:
    await set_profile(api, webhook_url=hooks.url)
    picture = b"\x89PNG\r\n\x1a\n" + bytes(100)
    media = [{"content_type": "image/png", "data": base64.b64encode(picture).decode()}]
    await text_from_phone(http, emulator.url, "", media=media)
    (hook,) = await hooks.wait_for(1)
    payload = document(hook)["data"]["payload"]
    assert (payload["type"], payload["text"], payload["parts"]) == ("MMS", "", 1)
    (medium,) = payload["media"]
    assert (medium["content_type"], medium["size"]) == ("image/png", len(picture))
    assert medium["sha256"] == hashlib.sha256(picture).hexdigest()
    async with http.get(medium["url"]) as answer:
        assert await answer.read() == picture


async def test_media_that_are_too_large_together_end_the_text(hooks: HookReceiver, api: Api) -> None:
    async def picture(request: web.Request) -> web.Response:
        return web.Response(body=bytes(600_000), content_type="image/png")

    app = web.Application()
    app.router.add_get("/{name}", picture)
    async with TestServer(app) as server:
        urls = [str(server.make_url(f"/{name}.png")) for name in "ab"]
        await api.send(media_urls=urls[:1], webhook_url=hooks.url)
        assert event_types(await hooks.wait_for(2)) == ["message.sent", "message.finalized"]
        await api.send(media_urls=urls, webhook_url=hooks.url)
        payload = document((await hooks.wait_for(3))[-1])["data"]["payload"]
    assert (payload["to"][0]["status"], payload["errors"][0]["code"]) == ("sending_failed", "40317")
