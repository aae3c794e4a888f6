"""The client against a gateway on a real socket, also one that is killed in the middle of a call."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

import pytest

from fixtures.fake_gateway import AGENT_ID, KEY, FakeGateway, eventually
from offhook.client import ApiError, Client, Unreachable, new_id


async def run(client: Client, call_id: str, *, seconds: float = 5.0) -> Any:
    return await client.execute(
        "c1", call_id, function="send_booking_link", arguments={}, user_turn=1, deadline_seconds=seconds
    )


async def test_a_conversation_opens_with_its_release() -> None:
    async with FakeGateway() as gateway, Client(gateway.url, KEY) as client:
        opened = await client.open_conversation("c1", channel="web", agent_id=AGENT_ID, person_number=None)
        assert opened.id == "c1"
        assert opened.release.agent.name == "Spoke & Chain"
        assert [one.name for one in opened.release.functions] == ["send_booking_link", "look_up_repair"]
        assert gateway.opened == [{"id": "c1", "channel": "web", "agent_id": AGENT_ID}]


async def test_an_agent_that_is_not_there_is_an_error_that_says_what_to_do() -> None:
    async with FakeGateway() as gateway, Client(gateway.url, KEY) as client:
        with pytest.raises(ApiError, match="give the number an agent") as caught:
            await client.open_conversation("c1", channel="phone", our_number="+12025550199")
        assert (caught.value.http_status, caught.value.code, caught.value.request_id) == (
            404,
            "agent_not_found",
            "req_1",
        )
        assert len(gateway.opened) == 1


async def test_a_gateway_killed_in_the_middle_answers_the_retry_under_the_same_id() -> None:
    async with FakeGateway() as gateway, Client(gateway.url, KEY) as client:
        reached, go = asyncio.Event(), asyncio.Event()

        async def slow(_: dict[str, Any]) -> dict[str, Any]:
            reached.set()
            await go.wait()
            return {"answer": {"status": "sent"}}

        gateway.execute = slow
        call = asyncio.ensure_future(run(client, "t1"))
        await reached.wait()
        await gateway.kill()
        go.set()
        await gateway.start()
        answer = await call
        assert answer.answer == {"status": "sent"}
        assert [one["id"] for one in gateway.calls] == ["t1", "t1"]


async def test_a_server_error_is_tried_again_within_the_deadline() -> None:
    async with FakeGateway() as gateway, Client(gateway.url, KEY) as client:
        failures = 2

        async def failing(_: dict[str, Any]) -> dict[str, Any]:
            return {"http_status": 503, "code": "unavailable"}

        gateway.execute = failing
        call = asyncio.ensure_future(run(client, "t1"))
        await eventually(lambda: len(gateway.calls) >= failures)
        gateway.ledger["t1"] = {"answer": "ok"}
        assert (await call).answer == "ok"


async def test_a_refusal_is_not_tried_again() -> None:
    async with FakeGateway() as gateway, Client(gateway.url, KEY) as client:

        async def refused(_: dict[str, Any]) -> dict[str, Any]:
            return {"http_status": 409, "code": "conversation_closed"}

        gateway.execute = refused
        with pytest.raises(ApiError) as caught:
            await run(client, "t1")
        assert caught.value.code == "conversation_closed"
        assert len(gateway.calls) == 1


async def test_nobody_at_the_address_means_that_nothing_was_done() -> None:
    gateway = FakeGateway()
    async with gateway:
        pass
    async with Client(gateway.url, KEY) as client:
        with pytest.raises(Unreachable, match="offhook up") as caught:
            await run(client, "t1", seconds=0.2)
        assert caught.value.maybe_received is False
        assert "OFFHOOK_URL" in caught.value.detail
        with pytest.raises(Unreachable):
            await client.list_messages()


async def test_a_gateway_that_never_answers_is_given_up_at_the_deadline() -> None:
    async with FakeGateway() as gateway, Client(gateway.url, KEY) as client:
        never = asyncio.Event()

        async def hang(_: dict[str, Any]) -> dict[str, Any]:
            await never.wait()
            return {}

        gateway.execute = hang
        began = time.monotonic()
        with pytest.raises(Unreachable) as caught:
            await run(client, "t1", seconds=0.3)
        assert time.monotonic() - began < 10.0
        assert caught.value.maybe_received is True
        never.set()


async def test_a_page_that_is_not_ours_is_an_error_with_its_status() -> None:
    async with FakeGateway() as gateway, Client(gateway.url, KEY) as client:
        with pytest.raises(ApiError, match="without saying why") as caught:
            await client.request("GET", "/api/nothing")
        assert caught.value.code == "http_404"


async def test_the_key_does_not_show_in_errors_or_representations() -> None:
    async with Client("http://127.0.0.1:1", KEY) as client:
        with pytest.raises(Unreachable) as caught:
            await client.get_agent(AGENT_ID)
        assert KEY not in repr(caught.value)
        assert KEY not in repr(client)


def test_new_ids_are_uuids_of_version_7_that_sort_by_time() -> None:
    before = new_id()
    time.sleep(0.002)
    after = new_id()
    assert uuid.UUID(before).version == 7
    assert uuid.UUID(before).variant == uuid.RFC_4122
    assert before < after
