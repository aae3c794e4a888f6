from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from fixtures.emulators import MESSAGES, RunningEmulator, basic
from fixtures.telnyx import NUMBER, PHONE, Api


async def send(api: Api, to: str = PHONE) -> int | str:
    """The answer's status, or `broken` for a connection that ended without one."""
    try:
        return (await api.send(to=to)).status
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
        ({"kind": "latency", "seconds": 0.01}, 200, 1),
        ({"kind": "status", "route": "telnyx.*"}, 503, 0),
        ({"kind": "status", "route": "*", "to": PHONE}, 503, 0),
    ],
)
async def test_a_fault_has_its_effect_once_and_then_all_is_well(
    emulator: RunningEmulator, api: Api, fault: dict[str, Any], outcome: int | str, kept: int
) -> None:
    emulator.emulation.faults.add({"route": "telnyx.messages.create", **fault})
    assert await send(api) == outcome
    assert len(emulator.store.messages) == kept
    assert await send(api) == 200
    assert len(emulator.store.messages) == kept + 1


@pytest.mark.parametrize(
    ("status", "code"), [(401, "10009"), (404, "10005"), (400, "10015"), (429, "10011"), (500, "10007"), (503, "10007")]
)
async def test_an_injected_status_has_telnyxs_shape(
    emulator: RunningEmulator, api: Api, status: int, code: str
) -> None:
    emulator.emulation.faults.add(
        {"route": "telnyx.messages.create", "kind": "status", "status": status, "retry_after_seconds": 3}
    )
    answer = await api.send()
    assert (answer.status, answer.codes) == (status, [code])
    assert answer.headers["Retry-After"] == "3"
    assert ("x-ratelimit-remaining" in {name.lower() for name in answer.headers}) == (status == 429)


async def test_an_outage_of_telnyx_leaves_twilio_alone(
    emulator: RunningEmulator, api: Api, http: aiohttp.ClientSession
) -> None:
    emulator.emulation.faults.add({"route": "telnyx", "kind": "outage"})
    for _ in range(3):
        assert await send(api) == "broken"
    form = {"To": PHONE, "From": "+12025550100", "Body": "hello"}
    async with http.post(emulator.url + MESSAGES, headers=basic(), data=form) as answer:
        assert answer.status == 201
    emulator.emulation.faults.clear()
    assert await send(api) == 200


async def test_a_number_is_one_carriers(emulator: RunningEmulator, api: Api, http: aiohttp.ClientSession) -> None:
    form = {"To": PHONE, "From": NUMBER, "Body": "hello"}
    async with http.post(emulator.url + MESSAGES, headers=basic(), data=form) as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, 21606)
    assert (await api.send(sender="+12025550100")).codes == ["40305"]
