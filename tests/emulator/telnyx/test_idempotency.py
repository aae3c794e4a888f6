from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from fixtures.emulators import RunningEmulator, running_emulator
from fixtures.telnyx import TEXT, Api
from offhook.emulator import VirtualClock


async def test_the_same_request_again_is_answered_as_the_first_and_sends_nothing(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    clock = VirtualClock()
    async with running_emulator(tmp_path, clock=clock) as emulator:
        api = Api(http, emulator.url)
        first = await api.call("POST", "messages", TEXT, Idempotency_Key="order:7")
        await clock.advance(60)
        assert (await api.call("POST", "messages", TEXT, Idempotency_Key="order:7")).body == first.body
    async with running_emulator(tmp_path, clock=clock) as emulator:
        api = Api(http, emulator.url)
        assert (await api.call("POST", "messages", TEXT, Idempotency_Key="order:7")).body == first.body
        assert len(emulator.store.messages) == 1
        await clock.advance(24 * 3600)
        assert (await api.call("POST", "messages", TEXT, Idempotency_Key="order:7")).body != first.body


async def test_another_request_with_the_key_is_refused(api: Api) -> None:
    await api.call("POST", "messages", TEXT, Idempotency_Key="k")
    other = await api.call("POST", "messages", {**TEXT, "text": "Other"}, Idempotency_Key="k")
    assert (other.status, other.codes) == (422, ["10015"])
    assert (await api.call("POST", "messages/long_code", TEXT, Idempotency_Key="k")).status == 200


async def test_a_refusal_does_not_use_the_key_up(api: Api) -> None:
    assert (await api.call("POST", "messages", {**TEXT, "from": "+12025550100"}, Idempotency_Key="k")).status == 400
    assert (await api.call("POST", "messages", TEXT, Idempotency_Key="k")).status == 200


async def test_without_a_key_the_same_text_twice_is_two_texts(emulator: RunningEmulator, api: Api) -> None:
    await api.send()
    await api.send()
    assert len(emulator.store.messages) == 2


@pytest.mark.parametrize("key", ["", "a b", "é", "k" * 256, "k.1"])
async def test_a_key_of_another_form_is_refused(emulator: RunningEmulator, api: Api, key: str) -> None:
    assert (await api.call("POST", "messages", TEXT, Idempotency_Key=key)).codes == ["10015"]
    assert not emulator.store.messages


async def test_of_many_at_once_one_sends(emulator: RunningEmulator, api: Api) -> None:
    answers = await asyncio.gather(*(api.call("POST", "messages", TEXT, Idempotency_Key="k") for _ in range(20)))
    assert len({answer.data["id"] for answer in answers}) == 1
    assert len(emulator.store.messages) == 1


async def test_an_answer_that_was_lost_is_given_again(emulator: RunningEmulator, api: Api) -> None:
    emulator.emulation.faults.add({"route": "telnyx.messages.create", "kind": "drop_after"})
    with pytest.raises(aiohttp.ClientError):
        await api.call("POST", "messages", TEXT, Idempotency_Key="k")
    (kept,) = emulator.store.messages
    assert (await api.call("POST", "messages", TEXT, Idempotency_Key="k")).data["id"] == kept
    assert len(emulator.store.messages) == 1


async def test_a_request_that_is_carried_out_late_does_not_send_again(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    clock = VirtualClock()
    async with running_emulator(tmp_path, clock=clock) as emulator:
        emulator.emulation.faults.add({"route": "telnyx.messages.create", "kind": "commit_delay", "seconds": 30})
        api = Api(http, emulator.url)
        with pytest.raises(aiohttp.ClientError):
            await api.call("POST", "messages", TEXT, Idempotency_Key="k")
        assert (await api.call("POST", "messages", TEXT, Idempotency_Key="k")).status == 200
        await clock.advance(31)
        assert len(emulator.store.messages) == 1


async def test_a_rewritten_journal_keeps_the_answers_that_are_still_given(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    clock = VirtualClock()
    async with running_emulator(tmp_path, clock=clock) as emulator:
        api = Api(http, emulator.url)
        await api.call("POST", "messages", TEXT, Idempotency_Key="old")
        await clock.advance(24 * 3600)
        first = await api.call("POST", "messages", TEXT, Idempotency_Key="new")
        emulator.store.compact()
    async with running_emulator(tmp_path, clock=clock) as emulator:
        assert [key for _, _, key in emulator.store.answers] == ["new"]
        again = await Api(http, emulator.url).call("POST", "messages", TEXT, Idempotency_Key="new")
        assert again.body == first.body
