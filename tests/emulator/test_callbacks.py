from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from twilio.request_validator import RequestValidator

from fixtures.emulators import Hook, HookReceiver, RunningEmulator, Sdk, running_emulator, sdk_client
from offhook.emulator import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, Settings, VirtualClock
from offhook.emulator.twilio import webhooks
from offhook.emulator.twilio.webhooks import delivery_to


def is_signed(hook: Hook) -> bool:
    signature = hook.headers["X-Twilio-Signature"]
    return RequestValidator(DEFAULT_AUTH_TOKEN).validate(hook.url, hook.fields, signature)


async def create(emulator: RunningEmulator, callback: str) -> str:
    client = sdk_client(emulator.url)
    fields = {"to": "+12025550123", "from_": "+12025550100", "body": "hello", "status_callback": callback}
    return (await asyncio.to_thread(lambda: client.messages.create(**fields))).sid


async def until_none_pending(emulator: RunningEmulator) -> None:
    changed = asyncio.Event()
    unsubscribe = emulator.store.subscribe(changed.set)
    async with asyncio.timeout(10):
        while emulator.store.pending_callbacks:
            await changed.wait()
            changed.clear()
    unsubscribe()


async def test_every_status_is_told_once_signed_as_twilios_validator_wants(
    emulator: RunningEmulator, hooks: HookReceiver, send: Sdk
) -> None:
    url = f"{hooks.url}/hooks/status?op=01a%20b&op=2&x="
    sid = (await send(status_callback=url)).sid
    received = await hooks.wait_for(3)
    await until_none_pending(emulator)
    assert [hook.fields["MessageStatus"] for hook in received] == ["queued", "sent", "delivered"]
    assert len({hook.headers["I-Twilio-Idempotency-Token"] for hook in received}) == 3
    for hook in received:
        assert hook.url == url
        assert is_signed(hook)
        assert hook.fields == {
            "MessageSid": sid,
            "SmsSid": sid,
            "AccountSid": DEFAULT_ACCOUNT_SID,
            "MessageStatus": hook.fields["MessageStatus"],
            "SmsStatus": hook.fields["MessageStatus"],
            "From": "+12025550100",
            "To": "+12025550123",
            "ApiVersion": "2010-04-01",
        }


@pytest.mark.parametrize("ending", ["undelivered", "failed"])
async def test_a_message_that_does_not_arrive_is_told_with_its_error_code(
    emulator: RunningEmulator, hooks: HookReceiver, send: Sdk, ending: str
) -> None:
    emulator.emulation.faults.add({"route": "delivery", "kind": ending, "error_code": 30003})
    sid = (await send(status_callback=f"{hooks.url}/status")).sid
    last = (await hooks.wait_for(3 if ending == "undelivered" else 2))[-1]
    assert (last.fields["MessageStatus"], last.fields["ErrorCode"]) == (ending, "30003")
    assert is_signed(last)
    assert emulator.store.messages[sid].error_code == 30003


async def test_a_message_without_a_receipt_stays_sent(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with running_emulator(tmp_path, clock=clock) as emulator:
        emulator.emulation.faults.add({"route": "delivery", "kind": "stuck"})
        sid = await create(emulator, "")
        await clock.advance(1000)
        assert emulator.store.messages[sid].status == "sent"


async def test_a_broken_connection_is_tried_once_more_with_the_same_token(
    emulator: RunningEmulator, hooks: HookReceiver, send: Sdk
) -> None:
    hooks.refusing = 1
    await send(status_callback=f"{hooks.url}/status")
    received = await hooks.wait_for(4)
    tokens = [hook.headers["I-Twilio-Idempotency-Token"] for hook in received]
    assert len(set(tokens)) == 3
    assert [h.fields["MessageStatus"] for h in received if tokens.count(h.headers["I-Twilio-Idempotency-Token"]) == 2]


async def test_a_fragment_sets_the_retries_and_is_neither_sent_nor_signed(
    emulator: RunningEmulator, hooks: HookReceiver, send: Sdk
) -> None:
    hooks.statuses = [500, 500, 503]
    await send(status_callback=f"{hooks.url}/x?op=1#rc=3&rp=5xx")
    received = await hooks.wait_for(6)
    await until_none_pending(emulator)
    assert len(hooks.received) == 6
    assert all(hook.url == f"{hooks.url}/x?op=1" and is_signed(hook) for hook in received)


async def test_an_error_answer_is_not_tried_again_by_default(
    emulator: RunningEmulator, hooks: HookReceiver, send: Sdk
) -> None:
    hooks.statuses = [500, 500, 500]
    await send(status_callback=f"{hooks.url}/status")
    await hooks.wait_for(3)
    await until_none_pending(emulator)
    assert len(hooks.received) == 3


@pytest.mark.parametrize(
    ("fragment", "connect", "total", "retries"),
    [
        ("", 5, 15, 1),
        ("#ct=100&tt=2000&rc=0", 0.1, 2, 0),
        ("#ct=99&tt=15001&rc=6", 5, 15, 1),
        ("#ct=x&rc=", 5, 15, 1),
    ],
)
def test_connection_overrides_outside_their_range_are_ignored(
    fragment: str, connect: float, total: float, retries: int
) -> None:
    delivery = delivery_to(f"http://h/x{fragment}", Settings())
    assert (delivery.url, delivery.connect_seconds, delivery.total_seconds, len(delivery.pauses)) == (
        "http://h/x",
        connect,
        total,
        retries,
    )


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("http://h", "http://h/"),
        ("http://h:80?op=1#rc=2", "http://h:80/?op=1"),
        ("HTTPS://h#rc=2", "HTTPS://h/"),
        ("http://h/?op=1", "http://h/?op=1"),
        ("http://h/x", "http://h/x"),
    ],
)
def test_an_address_without_a_path_is_asked_and_signed_with_one(given: str, asked: str) -> None:
    assert delivery_to(given, Settings()).url == asked


@pytest.mark.parametrize(
    ("policy", "retried"), [("", {"ct"}), ("&rp=foo", {"ct"}), ("&rp=5xx,foo", {"5xx"}), ("&rp=4xx,rt", {"4xx", "rt"})]
)
def test_an_unknown_retry_policy_leaves_the_default(policy: str, retried: set[str]) -> None:
    assert delivery_to(f"http://h/x#rc=2{policy}", Settings()).retry_on == retried


@pytest.mark.parametrize(("fragment", "tries"), [("#rc=5", 2), ("#rc=5&tt=9000", 1), ("#rc=1", 2)])
async def test_the_tries_of_a_callback_have_one_total_time_together(tmp_path: Path, fragment: str, tries: int) -> None:
    """The pauses of ten seconds make the time visible: a third try would begin after 20 s, and all have 15."""
    clock = VirtualClock()
    settings = replace(Settings(), callback_statuses=frozenset({"delivered"}), callback_retry_pause_seconds=10)
    async with (
        HookReceiver().running() as hooks,
        running_emulator(tmp_path, settings, clock=clock) as emulator,
    ):
        hooks.refusing = 10
        await create(emulator, f"{hooks.url}/status{fragment}")
        await clock.advance(100)
        assert len(hooks.received) == tries
        assert emulator.store.pending_callbacks == {}


async def test_a_delivery_is_over_whatever_goes_wrong_in_it(
    emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(webhooks, "posting", broken)
    await create(emulator, "http://127.0.0.1:9/status")
    await until_none_pending(emulator)
    outcomes = [e.detail["outcome"] for e in emulator.store.events if e.type == "callback.ended"]
    assert outcomes[:1] == ["error"]


async def test_an_answer_that_comes_too_late_is_none(emulator: RunningEmulator) -> None:
    asked = asyncio.Semaphore(0)
    enough = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        asked.release()
        await enough.wait()
        return web.Response()

    app = web.Application()
    app.router.add_post("/s", hang)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await create(emulator, f"http://127.0.0.1:{runner.addresses[0][1]}/s#rt=100&rc=2&rp=rt")
    await until_none_pending(emulator)
    enough.set()
    for _ in range(9):  # three statuses, each tried three times
        await asyncio.wait_for(asked.acquire(), 5)
    outcomes = [e.detail["outcome"] for e in emulator.store.events if e.type == "callback.ended"]
    assert outcomes == ["rt"] * 3
    await runner.cleanup()


async def test_what_was_owed_at_a_stop_is_delivered_after_the_restart(tmp_path: Path) -> None:
    clock = VirtualClock()
    settings = replace(Settings(), callback_statuses=frozenset({"delivered"}))
    async with HookReceiver().running() as hooks:
        async with running_emulator(tmp_path, settings, clock=clock) as emulator:
            emulator.emulation.faults.add({"route": "callback", "kind": "latency", "seconds": 3600})
            sid = await create(emulator, f"{hooks.url}/status")
            await clock.advance(1)
            assert len(emulator.store.pending_callbacks) == 1
            assert hooks.received == []
        async with running_emulator(tmp_path, settings, clock=clock) as emulator:
            (hook,) = await hooks.wait_for(1)
            await until_none_pending(emulator)
    assert (hook.fields["MessageSid"], hook.fields["MessageStatus"]) == (sid, "delivered")
    assert is_signed(hook)


async def test_a_message_on_its_way_at_a_stop_goes_on_after_the_restart(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with running_emulator(tmp_path, clock=clock) as emulator:
        sid = await create(emulator, "")
        await clock.advance(0.06)
        assert emulator.store.messages[sid].status == "sending"
    async with running_emulator(tmp_path, clock=clock) as emulator:
        await clock.advance(1)
        assert emulator.store.messages[sid].status == "delivered"


async def test_callbacks_are_doubled_dropped_and_overtaken_on_demand(
    emulator: RunningEmulator, hooks: HookReceiver, send: Sdk
) -> None:
    faults = emulator.emulation.faults
    faults.add({"route": "callback", "kind": "latency", "seconds": 0.6})
    faults.add({"route": "callback", "kind": "drop"})
    faults.add({"route": "callback", "kind": "double"})
    await send(status_callback=f"{hooks.url}/status")
    received = await hooks.wait_for(3)
    assert [hook.fields["MessageStatus"] for hook in received] == ["delivered", "delivered", "queued"]
    assert received[0].headers["I-Twilio-Idempotency-Token"] == received[1].headers["I-Twilio-Idempotency-Token"]


async def test_a_text_from_a_handset_is_told_to_the_numbers_webhook(
    emulator: RunningEmulator, hooks: HookReceiver, http: aiohttp.ClientSession
) -> None:
    control = f"{emulator.url}/_emulator"
    wanted = {"number": "+12025550100", "sms_url": f"{hooks.url}/in?n=1"}
    async with http.post(f"{control}/numbers", json=wanted) as answer:
        assert answer.status == 201
    text = {"to": "+12025550100", "body": "Is it ready? \U0001f6b2"}
    async with http.post(f"{control}/phones/+12025550123/send", json=text) as answer:
        sent = await answer.json()
        assert (answer.status, sent["direction"], sent["status"]) == (201, "inbound", "received")
    (hook,) = await hooks.wait_for(1)
    assert is_signed(hook)
    assert (hook.fields["From"], hook.fields["To"], hook.fields["Body"], hook.fields["MessageSid"]) == (
        "+12025550123",
        "+12025550100",
        text["body"],
        sent["sid"],
    )
