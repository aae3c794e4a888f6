from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException

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


async def test_a_probable_fault_strikes_about_as_often_as_said_and_the_same_each_time(tmp_path: Path) -> None:
    async def strikes(home: str) -> list[bool]:
        async with opened_faults(tmp_path / home, seed=7) as faults:
            faults.add({"route": "messages.create", "kind": "status", "count": None, "probability": 0.2})
            return [faults.draw("messages.create") is not None for _ in range(1000)]

    first = await strikes("one")
    assert 150 < sum(first) < 250
    assert first == await strikes("two")


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"route": "messages.create"},
        {"route": "messages.create", "kind": "explode"},
        {"route": "messages.create", "kind": ["status"]},
        {"route": "nowhere", "kind": "status"},
        {"route": "callback", "kind": "status"},
        {"route": "messages.create", "kind": "status", "count": 0},
        {"route": "messages.create", "kind": "status", "status": 200},
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
