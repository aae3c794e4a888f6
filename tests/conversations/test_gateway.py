"""The gateway over HTTP: once per id, whoever asks and however badly."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from fixtures.api import WORKER_KEY
from fixtures.database import make_organization
from fixtures.deployment import CALLER, NUMBER, Deployment, make_workshop

FUNCTION = "text_the_booking_link"


@dataclass
class Gateway:
    session: aiohttp.ClientSession
    deployment: Deployment
    conversation_id: str = ""

    async def send(self, path: str, body: Any = None, *, key: str = WORKER_KEY, data: bytes | None = None) -> Any:
        """(status, document)"""
        sent = json.dumps(body).encode() if data is None else data
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        async with self.session.post(f"{self.deployment.url}{path}", data=sent, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def open(self, **changes: Any) -> Any:
        wish = {"id": str(uuid.uuid4()), "channel": "phone", "our_number": NUMBER, "person_number": CALLER}
        status, document = await self.send("/api/conversations", wish | changes)
        if status == 200:
            self.conversation_id = document["conversation"]["id"]
        return status, document

    async def call(self, call_id: str | None = None, *, key: str = WORKER_KEY, **changes: Any) -> Any:
        wish = {"id": call_id or str(uuid.uuid4()), "function": FUNCTION, "arguments": {}, "user_turn": 1}
        return await self.send(f"/api/conversations/{self.conversation_id}/tool-calls", wish | changes, key=key)


@pytest.fixture
async def gateway(deployment: Deployment) -> AsyncGenerator[Gateway]:
    await make_workshop(deployment)
    async with aiohttp.ClientSession() as session:
        opened = Gateway(session, deployment)
        assert (await opened.open())[0] == 200
        yield opened


async def test_the_model_sees_its_functions_and_never_the_fixed_values(gateway: Gateway) -> None:
    _, opened = await gateway.open()
    [function] = opened["release"]["functions"]
    assert function["name"] == FUNCTION
    assert "static_config" not in function
    assert "book" not in json.dumps(function["parameters"])
    assert CALLER in opened["release"]["agent"]["instructions"]
    assert "Spoke & Chain" in opened["release"]["agent"]["instructions"]


async def test_a_caller_without_a_number_is_answered_all_the_same(gateway: Gateway) -> None:
    status, opened = await gateway.open(person_number="anonymous")
    assert status == 200
    assert opened["conversation"]["person_number"] is None
    assert "(not known)" in opened["release"]["agent"]["instructions"]
    _, answered = await gateway.call()
    assert answered["tool_call"]["is_error"]
    assert gateway.deployment.texts() == []


async def test_the_same_id_runs_once_and_gives_the_same_answer(gateway: Gateway) -> None:
    call_id = str(uuid.uuid4())
    first = await gateway.call(call_id)
    second = await gateway.call(call_id)
    assert first[0] == second[0] == 200
    assert first[1]["tool_call"]["answer"] == second[1]["tool_call"]["answer"]
    assert len(gateway.deployment.texts()) == 1


async def test_twenty_requests_with_one_id_at_once_text_once(gateway: Gateway) -> None:
    call_id = str(uuid.uuid4())
    answers = await asyncio.gather(*(gateway.call(call_id) for _ in range(20)))
    assert {status for status, _ in answers} == {200}
    assert len({json.dumps(document["tool_call"]["answer"], sort_keys=True) for _, document in answers}) == 1
    assert len(gateway.deployment.texts()) == 1


async def test_the_same_wish_in_the_same_turn_is_not_done_again(gateway: Gateway) -> None:
    await gateway.call()
    _, repeated = await gateway.call()
    assert repeated["tool_call"]["repeated"]
    assert "already" in json.dumps(repeated["tool_call"]["answer"])
    assert len(gateway.deployment.texts()) == 1


async def test_a_person_who_asks_again_gets_it_again(gateway: Gateway) -> None:
    await gateway.call()
    _, again = await gateway.call(arguments={"again": True}, user_turn=2)
    assert not again["tool_call"]["repeated"]
    assert len(gateway.deployment.texts()) == 2


async def test_fixed_values_win_over_what_the_model_sends(gateway: Gateway) -> None:
    _, answered = await gateway.call(arguments={"recipients": ["+12025550199"], "text": "mine"})
    texts = gateway.deployment.texts()
    assert [text.to for text in texts] in ([], [CALLER])
    assert all("mine" not in text.body for text in texts)
    assert answered["tool_call"]["status"] in ("done", "failed")


async def test_a_function_that_is_not_there_is_named_with_those_that_are(gateway: Gateway) -> None:
    status, problem = await gateway.call(function="text_the_boking_link")
    assert (status, problem["code"]) == (404, "function_not_found")
    assert FUNCTION in problem["detail"]


async def test_a_closed_conversation_executes_nothing(gateway: Gateway) -> None:
    status, closed = await gateway.send(f"/api/conversations/{gateway.conversation_id}/close", {"reason": "ended"})
    assert (status, closed["conversation"]["close_reason"]) == (200, "ended")
    again = await gateway.send(f"/api/conversations/{gateway.conversation_id}/close", {"reason": "other"})
    assert again[1]["conversation"]["close_reason"] == "ended"
    status, problem = await gateway.call()
    assert (status, problem["code"]) == (409, "conversation_closed")
    assert gateway.deployment.texts() == []


async def test_an_answer_is_still_there_for_a_retry_after_the_conversation_ended(gateway: Gateway) -> None:
    call_id = str(uuid.uuid4())
    await gateway.call(call_id)
    await gateway.send(f"/api/conversations/{gateway.conversation_id}/close", {"reason": "ended"})
    async with gateway.deployment.services.database.tenant(gateway.deployment.organization_id) as connection:
        row = await connection.fetchrow("select answer, answer_expires_at > now() as kept from tool_calls")
    assert row is not None
    assert row["kept"]
    assert b"sent" not in bytes(row["answer"])  # sealed


async def test_another_organizations_key_finds_no_conversation(gateway: Gateway) -> None:
    stranger = await make_organization(gateway.deployment.services.database, "Somebody Else")
    _, key = await gateway.deployment.services.organizations.create_api_key(stranger, name="x", scopes=["worker"])
    status, problem = await gateway.call(key=key)
    assert (status, problem["code"]) == (404, "conversation_not_found")
    status, problem = await gateway.send(
        "/api/conversations", {"id": str(uuid.uuid4()), "channel": "phone", "our_number": NUMBER}, key=key
    )
    assert (status, problem["code"]) == (404, "agent_not_found")
    assert gateway.deployment.texts() == []


async def test_an_id_of_another_organizations_conversation_opens_nothing(gateway: Gateway) -> None:
    stranger = await make_organization(gateway.deployment.services.database, "Somebody Else")
    _, key = await gateway.deployment.services.organizations.create_api_key(stranger, name="x", scopes=["admin"])
    async with gateway.deployment.client(key) as client:
        agent = await client.create_agent(name="Theirs")
    status, problem = await gateway.send(
        "/api/conversations",
        {"id": gateway.conversation_id, "channel": "web", "agent_id": agent["id"]},
        key=key,
    )
    assert (status, problem["code"]) == (409, "conflict")


async def test_a_reading_key_executes_nothing(gateway: Gateway) -> None:
    organizations = gateway.deployment.services.organizations
    _, key = await organizations.create_api_key(gateway.deployment.organization_id, name="x", scopes=["read"])
    assert (await gateway.call(key=key))[0] == 403
    assert (await gateway.call(key="nonsense"))[0] == 401
    assert gateway.deployment.texts() == []


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"not json", 400),
        (b"\xff\xfe", 400),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"id": "x", "function": "f"}', 422),
        (b"[" * 100_000, 413),
        (b"[" * 10_000, 400),
    ],
)
async def test_a_body_that_is_none_is_a_clear_error(gateway: Gateway, data: bytes, status: int) -> None:
    path = f"/api/conversations/{gateway.conversation_id}/tool-calls"
    answered, problem = await gateway.send(path, data=data)
    assert (answered, problem["status"]) == (status, status)
    assert problem["request_id"]


@pytest.mark.parametrize("bad", ["a\x00b", "a\ud800b", "x" * 70_000])
async def test_arguments_that_cannot_be_kept_are_refused_in_words_for_the_model(gateway: Gateway, bad: str) -> None:
    body = {"id": str(uuid.uuid4()), "function": FUNCTION, "arguments": {"note": bad}, "user_turn": 1}
    path = f"/api/conversations/{gateway.conversation_id}/tool-calls"
    status, answered = await gateway.send(path, data=json.dumps(body).encode())
    if len(bad) > 60_000:
        assert (status, answered["code"]) == (413, "too_large")
    else:
        assert status == 200
        assert answered["tool_call"]["is_error"]
        assert "Nothing was done" in answered["tool_call"]["answer"]["error"]
    assert gateway.deployment.texts() == []


async def test_the_operator_reads_why_a_call_failed_and_the_model_does_not(gateway: Gateway) -> None:
    _, opened = await gateway.open(person_number=None)
    _, answered = await gateway.call()
    assert answered["tool_call"]["is_error"]
    deployment = gateway.deployment
    async with deployment.client() as client:
        listed = await client.request("GET", f"/api/conversations/{opened['conversation']['id']}/tool-calls")
    [record] = listed["tool_calls"]
    assert (record["status"], record["error_code"]) == ("failed", "missing_variable")
    assert "caller_phone_number" in record["error_detail"]
    assert record["error_detail"] not in json.dumps(answered)
