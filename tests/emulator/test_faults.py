from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException

from fixtures.emulator_bench import PHONE, Bench, Webhook
from fixtures.emulators import MESSAGES, RunningEmulator, basic, running_emulator, sdk_client
from offhook.emulator import Store, VirtualClock
from offhook.emulator.app import FACES
from offhook.emulator.faults import FaultRefused, Faults


@contextlib.asynccontextmanager
async def opened_faults(home: Path, seed: int = 0) -> AsyncGenerator[Faults]:
    store, clock = Store(home), VirtualClock()
    yield Faults(store, clock, seed, {face.name: face for face in FACES})
    await store.close()


FORM = {"To": "+12025550123", "From": "+12025550100", "Body": "hello"}


async def add(http: aiohttp.ClientSession, emulator: RunningEmulator, **fault: Any) -> None:
    wanted = {"route": "messages.create", **fault}
    async with http.post(f"{emulator.url}/_emulator/faults", json=wanted) as answer:
        assert answer.status == 201, await answer.text()


async def post(http: aiohttp.ClientSession, emulator: RunningEmulator, to: str = "+12025550123") -> int | str:
    """The answer's status, or `broken` for a connection that ended without one."""
    try:
        async with http.post(emulator.url + MESSAGES, headers=basic(), data={**FORM, "To": to}) as answer:
            await answer.read()
            return answer.status
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
        return "broken"


@pytest.mark.parametrize(
    ("fault", "outcome", "kept"),
    [
        ({"kind": "status", "status": 429}, 429, 0),
        ({"kind": "status", "status": 500}, 500, 0),
        ({"kind": "status_after", "status": 503}, 503, 1),
        ({"kind": "drop_before"}, "broken", 0),
        ({"kind": "drop_after"}, "broken", 1),
        ({"kind": "latency", "seconds": 0.01}, 201, 1),
    ],
)
async def test_a_fault_has_its_effect_once_and_then_all_is_well(
    emulator: RunningEmulator, http: aiohttp.ClientSession, fault: dict[str, Any], outcome: int | str, kept: int
) -> None:
    await add(http, emulator, **fault)
    assert await post(http, emulator) == outcome
    assert len(emulator.store.messages) == kept
    assert await post(http, emulator) == 201
    assert len(emulator.store.messages) == kept + 1


async def test_a_delayed_commit_shows_up_in_listings_only_after_its_time(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    clock = VirtualClock()
    async with running_emulator(tmp_path, clock=clock) as emulator:
        await add(http, emulator, kind="commit_delay", seconds=30)
        assert await post(http, emulator) == "broken"
        await clock.advance(29)
        async with http.get(emulator.url + MESSAGES, headers=basic()) as answer:
            assert (await answer.json())["messages"] == []
        await clock.advance(2)
        async with http.get(emulator.url + MESSAGES, headers=basic()) as answer:
            assert [m["body"] for m in (await answer.json())["messages"]] == ["hello"]


async def test_latency_is_measured_by_the_clock(emulator: RunningEmulator, http: aiohttp.ClientSession) -> None:
    await add(http, emulator, kind="latency", seconds=0.2)
    started = time.monotonic()
    assert await post(http, emulator) == 201
    assert time.monotonic() - started >= 0.19


async def test_the_sdk_sees_429_with_twilios_code(emulator: RunningEmulator, http: aiohttp.ClientSession) -> None:
    await add(http, emulator, kind="status", status=429)
    client = sdk_client(emulator.url)
    with pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(client.messages.create, to="+12025550123", from_="+12025550100", body="hello")
    assert (refused.value.status, refused.value.code) == (429, 20429)


async def test_a_fault_for_one_recipient_spares_the_others(
    emulator: RunningEmulator, http: aiohttp.ClientSession
) -> None:
    await add(http, emulator, kind="status", to="+12025550124", count=None)
    assert await post(http, emulator) == 201
    assert await post(http, emulator, "+12025550124") == 503
    assert await post(http, emulator, "+12025550124") == 503


async def test_a_fault_for_one_recipient_knows_the_number_however_it_is_written(
    emulator: RunningEmulator, http: aiohttp.ClientSession
) -> None:
    await add(http, emulator, kind="status", to="+1 (202) 555-0124", count=None)
    assert await post(http, emulator, "+1 202-555-0124") == 503
    assert await post(http, emulator, "+12025550124") == 503
    assert await post(http, emulator) == 201


async def test_a_fault_strikes_after_as_many_as_it_lets_pass(
    emulator: RunningEmulator, http: aiohttp.ClientSession
) -> None:
    await add(http, emulator, kind="status", after=2, count=2)
    assert [await post(http, emulator) for _ in range(6)] == [201, 201, 503, 503, 201, 201]


async def test_one_fault_is_removed_and_the_others_stay(emulator: RunningEmulator, http: aiohttp.ClientSession) -> None:
    await add(http, emulator, kind="status", status=500)
    await add(http, emulator, kind="status", status=429)
    for number, status in (("1", 204), ("1", 404), ("x", 404), ("\u0661", 404)):
        async with http.delete(f"{emulator.url}/_emulator/faults/{number}") as answer:
            assert answer.status == status
    assert await post(http, emulator) == 429


async def test_a_receipt_is_late_by_its_seconds(bench: Bench) -> None:
    await bench.control("faults", route="delivery", kind="latency", seconds=3600)
    _, created = await bench.create(Body="hello")
    await bench.clock.advance(3599)
    assert bench.message(created["sid"]).status == "sent"
    await bench.clock.advance(2)
    assert bench.message(created["sid"]).status == "delivered"


async def test_an_outage_lasts_until_the_faults_are_deleted(
    emulator: RunningEmulator, http: aiohttp.ClientSession
) -> None:
    await add(http, emulator, route="*", kind="drop_before", count=None)
    for _ in range(3):
        assert await post(http, emulator) == "broken"
    async with http.get(f"{emulator.url}/_emulator/faults") as answer:
        assert [f["kind"] for f in (await answer.json())["faults"]] == ["drop_before"]
    async with http.delete(f"{emulator.url}/_emulator/faults") as answer:
        assert answer.status == 204
    assert await post(http, emulator) == 201


async def test_strikes_are_counted_by_route_and_kind_and_kept_over_a_restart(tmp_path: Path) -> None:
    async with opened_faults(tmp_path) as faults:
        faults.add({"route": "twilio.*", "kind": "status"})
        faults.add({"route": "twilio.*", "kind": "latency", "seconds": 1, "count": None})
        for route in ("messages.create", "messages.list", "messages.list", "telnyx.messages.create"):
            faults.draw(route)
    counted = {("messages.create", "status", 503): 1, ("messages.list", "latency", None): 2}
    for _ in range(2):
        store = Store(tmp_path)
        assert store.strikes == counted
        assert [fault.kind for fault in store.faults.values()] == ["latency"]
        store.compact()
        await store.close()


@pytest.mark.parametrize("kind", ["latency", "commit_delay"])
async def test_a_text_that_is_carried_out_late_tells_when_its_request_arrived(
    tmp_path: Path, http: aiohttp.ClientSession, kind: str
) -> None:
    clock = VirtualClock()
    async with running_emulator(tmp_path, clock=clock) as emulator:
        await add(http, emulator, kind=kind, seconds=10)
        posted = asyncio.create_task(post(http, emulator))
        while not emulator.store.strikes:  # noqa: ASYNC110 (what is waited for is on another side of a socket)
            await asyncio.sleep(0.01)
        await clock.advance(10)
        await posted
        async with http.get(f"{emulator.url}/_emulator/messages") as answer:
            [text] = (await answer.json())["messages"]
        took = datetime.fromisoformat(text["created_at"]) - datetime.fromisoformat(text["arrived_at"])
        assert took.total_seconds() == 10
        async with http.get(f"{emulator.url}/_emulator/faults") as answer:
            assert (await answer.json())["strikes"] == [
                {"route": "messages.create", "kind": kind, "status": None, "count": 1}
            ]


async def test_a_probable_fault_strikes_about_as_often_as_said_and_the_same_each_time(tmp_path: Path) -> None:
    async def strikes(home: str) -> list[bool]:
        async with opened_faults(tmp_path / home, seed=7) as faults:
            faults.add({"route": "messages.create", "kind": "status", "count": None, "probability": 0.2})
            return [faults.draw("messages.create") is not None for _ in range(1000)]

    first = await strikes("one")
    assert 150 < sum(first) < 250
    assert first == await strikes("two")


@pytest.mark.parametrize("route", ["twilio", "*"])
async def test_an_outage_of_a_face_breaks_its_connections_until_it_is_over(
    tmp_path: Path, http: aiohttp.ClientSession, route: str
) -> None:
    clock = VirtualClock()
    async with running_emulator(tmp_path, clock=clock) as emulator:
        await add(http, emulator, route=route, kind="outage", seconds=60)
        assert [await post(http, emulator) for _ in range(3)] == ["broken"] * 3
        await clock.advance(59)
        assert await post(http, emulator) == "broken"
        await clock.advance(2)
        assert await post(http, emulator) == 201
        async with http.get(f"{emulator.url}/_emulator/faults") as answer:
            assert (await answer.json())["faults"] == []


async def test_an_outage_may_answer_503_and_spares_the_other_face(
    emulator: RunningEmulator, http: aiohttp.ClientSession
) -> None:
    await add(http, emulator, route="twilio", kind="outage", status=503, retry_after_seconds=7)
    async with http.get(emulator.url + MESSAGES, headers=basic()) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "7")
    async with http.get(f"{emulator.url}/v2/messages/none") as answer:
        assert answer.status == 401
    async with http.get(f"{emulator.url}/_emulator/health") as answer:
        assert answer.status == 200


@pytest.mark.parametrize("kind", ["status", "status_after"])
async def test_a_429_tells_when_to_come_again(
    emulator: RunningEmulator, http: aiohttp.ClientSession, kind: str
) -> None:
    await add(http, emulator, kind=kind, status=429, retry_after_seconds=3)
    async with http.post(emulator.url + MESSAGES, headers=basic(), data=FORM) as answer:
        assert (answer.status, answer.headers["Retry-After"], (await answer.json())["code"]) == (429, "3", 20429)


async def test_every_rest_route_of_every_face_can_fail(emulator: RunningEmulator, http: aiohttp.ClientSession) -> None:
    paths = {
        "messages.create": ("POST", MESSAGES),
        "messages.list": ("GET", MESSAGES),
        "media.content": ("GET", MESSAGES.replace(".json", "/MM1/Media/ME1")),
        "services.list": ("GET", "/v1/Services"),
        "account.fetch": ("GET", MESSAGES.replace("/Messages", "")),
    }
    for name, (method, path) in paths.items():
        await add(http, emulator, route=name, kind="status", status=502)
        async with http.request(method, emulator.url + path, headers=basic()) as answer:
            assert answer.status == 502, name
    for face in FACES:
        for name in face.fault_routes:
            await add(http, emulator, route=name, kind="latency", seconds=0)
        await add(http, emulator, route=f"{face.name}.*", kind="drop_before")


async def test_faults_are_kept_over_a_restart_with_what_is_left_of_them(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async with running_emulator(tmp_path) as emulator:
        await add(http, emulator, kind="status", count=2)
        await add(http, emulator, kind="status", status=502, to="+12025550124", count=None)
        assert await post(http, emulator) == 503
    async with running_emulator(tmp_path) as emulator:
        assert await post(http, emulator) == 503
        assert await post(http, emulator) == 201
        assert await post(http, emulator, "+12025550124") == 502
        async with http.delete(f"{emulator.url}/_emulator/faults") as answer:
            assert answer.status == 204
    async with running_emulator(tmp_path) as emulator:
        assert await post(http, emulator, "+12025550124") == 201


async def test_a_reordered_callback_goes_after_the_next_of_its_message(bench: Bench) -> None:
    async with Webhook().running() as webhook:
        await bench.control("faults", route="callback", kind="reorder", to=PHONE)
        await bench.create(Body="x", To="+12025550124", StatusCallback=f"{webhook.url}/other")
        await bench.create(Body="x", StatusCallback=f"{webhook.url}/own")
        await bench.clock.advance(1)
        told = [(path, hook["MessageStatus"]) for path, hook in zip(webhook.paths, webhook.received, strict=True)]
    assert [status for path, status in told if path == "/own"] == ["sent", "queued", "delivered"]
    assert [status for path, status in told if path == "/other"] == ["queued", "sent", "delivered"]


async def test_a_reordered_callback_that_has_no_next_goes_late(bench: Bench) -> None:
    async with Webhook().running() as webhook:
        await bench.control("faults", route="delivery", kind="stuck")
        await bench.create(Body="x", StatusCallback=f"{webhook.url}/s")
        await bench.clock.advance(0.1)
        await bench.control("faults", route="callback", kind="reorder", seconds=20)
        await bench.clock.advance(19)
        assert [hook["MessageStatus"] for hook in webhook.received] == ["queued"]
        await bench.clock.advance(2)
        assert [hook["MessageStatus"] for hook in webhook.received] == ["queued", "sent"]


async def test_a_late_callback_is_late_by_its_seconds(bench: Bench) -> None:
    async with Webhook().running() as webhook:
        await bench.control("faults", route="callback", kind="latency", seconds=100)
        await bench.create(Body="x", StatusCallback=f"{webhook.url}/s")
        await bench.clock.advance(99)
        assert [hook["MessageStatus"] for hook in webhook.received] == ["sent", "delivered"]
        await bench.clock.advance(2)
        assert [hook["MessageStatus"] for hook in webhook.received] == ["sent", "delivered", "queued"]


@pytest.mark.parametrize(
    "wanted",
    [
        {"route": "messages.create", "kind": "outage"},
        {"route": "callback", "kind": "outage"},
        {"route": "twilio", "kind": "status"},
        {"route": "nobody.*", "kind": "status"},
        {"route": "messages.create", "kind": "reorder"},
        {"route": "messages.create", "kind": "status", "until": 5},
        {"route": "messages.create", "kind": "status", "retry_after_seconds": -1},
        {"route": "messages.create", "kind": "status", "status": None},
        {"route": "messages.create", "kind": "status", "count": 1.5e300},
        {"route": "messages.create", "kind": "latency", "seconds": float("nan")},
        {},
        {"route": "messages.create"},
        {"route": "messages.create", "kind": "explode"},
        {"route": "messages.create", "kind": ["status"]},
        {"route": "nowhere", "kind": "status"},
        {"route": "callback", "kind": "status"},
        {"route": "messages.create", "kind": "status", "count": 0},
        {"route": "messages.create", "kind": "status", "status": 200},
        {"route": "messages.create", "kind": "latency"},
        {"route": "messages.create", "kind": "latency", "seconds": -1},
        {"route": "messages.create", "kind": "latency", "seconds": "1"},
        {"route": "messages.create", "kind": "status", "probability": 2},
        {"route": "messages.create", "kind": "status", "to": 1},
        {"route": "messages.create", "kind": "status", "id": 1},
        {"route": "messages.create", "kind": "status", "colour": "red"},
    ],
)
async def test_a_senseless_fault_is_refused(tmp_path: Path, wanted: dict[str, Any]) -> None:
    async with opened_faults(tmp_path) as faults:
        with pytest.raises(FaultRefused):
            faults.add(wanted)
        assert faults.active() == []
