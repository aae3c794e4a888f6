"""Text the caller, and agent-config: as agents that know nothing else of Offhook use them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
import uuid
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest

from fixtures.deployment import (
    CALLER,
    CONFIG_TOKEN,
    LIVEKIT_KEY,
    LIVEKIT_SECRET,
    NUMBER,
    SMS_SECRET,
    Deployment,
    make_workshop,
    running_deployment,
)
from offhook.apps.environment_sender import adopt_environment_account
from offhook.core.db.pool import Database
from offhook.emulator import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN


@dataclass
class Agent:
    """An agent in somebody's room: it has a URL, a token and a room's name."""

    session: aiohttp.ClientSession
    deployment: Deployment

    async def post(
        self, body: Any, token: str | None = SMS_SECRET, data: bytes | None = None, key: str | None = None
    ) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"Idempotency-Key": key} if key else {}
        async with self.session.post(
            f"{self.deployment.url}/api/livekit/agent-send-sms",
            data=json.dumps(body).encode() if data is None else data,
            headers={"Content-Type": "application/json", **headers},
        ) as response:
            return response.status, await response.json(content_type=None)

    async def config(self, token: str | None = CONFIG_TOKEN, **query: str) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.session.get(
            f"{self.deployment.url}/api/livekit/agent-config", params=query, headers=headers
        ) as response:
            return response.status, await response.json(content_type=None)

    async def webhook(self, **event: Any) -> int:
        body = json.dumps(event).encode()
        claims = {
            "iss": LIVEKIT_KEY,
            "exp": int(time.time()) + 60,
            "sha256": base64.b64encode(hashlib.sha256(body).digest()).decode(),
        }
        token = jwt.encode(claims, LIVEKIT_SECRET, "HS256")
        async with self.session.post(
            f"{self.deployment.url}/api/livekit/webhook",
            data=body,
            headers={"Authorization": token, "Content-Type": "application/webhook+json"},
        ) as response:
            return response.status

    async def caller_joins(self, room: str, sid: str, phone: str = CALLER) -> None:
        attributes = {"sip.phoneNumber": phone, "sip.trunkPhoneNumber": NUMBER}
        participant = {"identity": "sip_1", "kind": "SIP", "attributes": attributes}
        status = await self.webhook(
            event="participant_joined", room={"sid": sid, "name": room}, participant=participant, createdAt="1790000000"
        )
        assert status == 204


@pytest.fixture
async def agent(deployment: Deployment) -> AsyncGenerator[Agent]:
    await make_workshop(deployment)
    async with aiohttp.ClientSession() as session:
        yield Agent(session, deployment)


async def test_the_caller_of_a_room_is_texted(agent: Agent) -> None:
    await agent.caller_joins("call-1", "RM_1")
    status, answer = await agent.post({"roomName": "call-1", "body": "The link: https://spokeandchain.example"})
    [text] = agent.deployment.texts()
    assert (status, answer) == (200, {"success": True, "messageSid": text.sid, "to": CALLER})
    assert text.from_number == NUMBER


async def test_of_rooms_that_share_a_name_the_newest_counts_also_after_it_ended(agent: Agent) -> None:
    await agent.caller_joins("call-1", "RM_1", phone="+12025550141")
    await agent.caller_joins("call-1", "RM_2")
    await agent.webhook(event="room_finished", room={"sid": "RM_2", "name": "call-1"}, createdAt="1790000100")
    status, answer = await agent.post({"roomName": "call-1", "body": "Goodbye"})
    assert (status, answer["to"]) == (200, CALLER)


async def test_a_number_is_texted(agent: Agent) -> None:
    status, answer = await agent.post({"to": "+1 (202) 555-0143", "body": "Hello"})
    assert (status, answer["to"]) == (200, CALLER)
    assert len(agent.deployment.texts()) == 1


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"roomName": "nowhere", "body": "x"}, 404, "room_not_found"),
        ({"body": "x"}, 400, "invalid_request"),
        ({"roomName": "a", "to": CALLER, "body": "x"}, 400, "invalid_request"),
        ({"to": CALLER}, 400, "invalid_request"),
        ({"to": CALLER, "body": ""}, 400, "invalid_request"),
        ({"to": CALLER, "body": "x" * 1601}, 400, "invalid_request"),
        ({"to": CALLER, "body": 7}, 400, "invalid_request"),
        ({"to": CALLER, "body": "x", "from": NUMBER}, 400, "invalid_request"),
        ([], 400, "invalid_request"),
    ],
)
async def test_a_wish_that_is_wrong_is_refused_and_nothing_is_sent(
    agent: Agent, body: Any, status: int, error: str
) -> None:
    answered, refusal = await agent.post(body)
    assert (answered, refusal["error"]) == (status, error)
    assert set(refusal) == {"error", "message"}
    assert refusal["message"]
    assert agent.deployment.texts() == []


@pytest.mark.parametrize("to", ["+19005550143", "+442079460000", "911", "12", "hello", "+13105550143", ""])
async def test_a_number_that_the_policy_refuses_is_not_texted(agent: Agent, to: str) -> None:
    status, refusal = await agent.post({"to": to, "body": "x"})
    assert status in (400, 422)
    assert refusal["error"]
    assert agent.deployment.texts() == []


async def test_a_body_that_is_no_json_or_too_large_is_refused(agent: Agent) -> None:
    assert (await agent.post(None, data=b"not json"))[0] == 400
    assert (await agent.post(None, data=b'{"to": "' + b"1" * 100_000 + b'"}'))[0] == 413
    status, refusal = await agent.post({"to": CALLER, "body": "a\x00b"})
    assert (status, "error" in refusal) == (422, True)
    assert agent.deployment.texts() == []


@pytest.mark.parametrize("token", [None, "", "wrong", CONFIG_TOKEN, "offhook_live_x_y"])
async def test_a_wrong_token_sends_nothing(agent: Agent, token: str | None) -> None:
    status, refusal = await agent.post({"to": CALLER, "body": "x"}, token=token)
    assert (status, "error" in refusal) == (401, True)
    assert agent.deployment.texts() == []


async def test_another_organizations_key_does_not_reach_the_room(agent: Agent) -> None:
    await agent.caller_joins("call-1", "RM_1")
    services = agent.deployment.services
    stranger = await services.organizations.create_organization("Somebody Else")
    _, key = await services.organizations.create_api_key(stranger.id, name="x", scopes=["worker"])
    status, refusal = await agent.post({"roomName": "call-1", "body": "x"}, token=key)
    assert (status, refusal["error"]) == (404, "room_not_found")
    assert agent.deployment.texts() == []


async def test_which_of_several_numbers_sends_is_the_deployments_to_say(agent: Agent) -> None:
    async with agent.deployment.client() as client:
        [account] = (await client.request("GET", "/api/carrier-accounts"))["carrier_accounts"]
        body = {"number": "+12025550101", "carrier_account_id": account["id"]}
        await client.request("POST", "/api/phone-numbers", json=body)
    status, refusal = await agent.post({"to": CALLER, "body": "x"})
    assert (status, refusal["error"]) == (422, "no_sender")
    assert "TWILIO_PHONE_NUMBER" in refusal["message"]
    assert "messaging_service_id" not in refusal["message"]
    await agent.caller_joins("call-1", "RM_1")
    status, _ = await agent.post({"roomName": "call-1", "body": "x"})
    assert status == 200


async def test_the_only_number_stays_the_sender_where_there_are_messaging_services_too(agent: Agent) -> None:
    async with agent.deployment.client() as client:
        [account] = (await client.request("GET", "/api/carrier-accounts"))["carrier_accounts"]
        service = {"carrier_account_id": account["id"], "external_id": "MG" + "0" * 32}
        await client.request("POST", "/api/messaging-services", json=service)
    assert (await agent.post({"to": CALLER, "body": "x"}))[0] == 200
    [text] = agent.deployment.texts()
    assert text.from_number == NUMBER


async def test_the_environments_account_and_sender_are_the_default_organizations_only(
    database: Database, tmp_path: Path
) -> None:
    environment = {"SHOP_TWILIO_PHONE_NUMBER": "+12025550107"}
    async with running_deployment(database, tmp_path, environment) as deployment, aiohttp.ClientSession() as session:
        services, agent = deployment.services, Agent(session, deployment)
        assert services.settings.default_organization == str(deployment.organization_id)
        settings = replace(
            services.settings,
            environment={
                **environment,
                "TWILIO_ACCOUNT_SID": DEFAULT_ACCOUNT_SID,
                "TWILIO_AUTH_TOKEN": DEFAULT_AUTH_TOKEN,
                "TWILIO_BASE_URL": deployment.emulator.url,
            },
        )
        await adopt_environment_account(services.telephony, settings)
        assert (await agent.post({"to": CALLER, "body": "x"}))[0] == 200
        [text] = deployment.texts()
        assert text.from_number == "+12025550107"

        stranger = await services.organizations.create_organization("Somebody Else")
        _, key = await services.organizations.create_api_key(stranger.id, name="x", scopes=["worker"])
        status, refusal = await agent.post({"to": CALLER, "body": "x"}, token=key)
        assert (status, refusal["error"]) == (422, "no_sender")
    assert len(deployment.texts()) == 1


async def test_a_caller_who_hides_the_number_cannot_be_texted(agent: Agent) -> None:
    await agent.caller_joins("call-1", "RM_1", phone="")
    status, refusal = await agent.post({"roomName": "call-1", "body": "x"})
    assert (status, refusal["error"]) == (409, "no_caller_number")


async def test_who_opted_out_is_not_texted(agent: Agent) -> None:
    async with agent.deployment.services.database.tenant(agent.deployment.organization_id) as connection:
        await connection.execute(
            "insert into suppressions (organization_id, number, reason) values ($1, $2, 'operator')",
            agent.deployment.organization_id,
            CALLER,
        )
    status, refusal = await agent.post({"to": CALLER, "body": "x"})
    assert (status, refusal["error"]) == (422, "suppressed")


async def test_a_key_makes_the_text_go_once_and_the_answer_the_same(agent: Agent) -> None:
    wish = {"to": CALLER, "body": "Once"}
    answers = await asyncio.gather(*(agent.post(wish, key="call-1") for _ in range(4)))
    assert len(agent.deployment.texts()) == 1
    assert all(answer == answers[0] for answer in answers)
    status, refusal = await agent.post({**wish, "body": "Another"}, key="call-1")
    assert (status, refusal["error"]) == (422, "idempotency_key_reused")
    assert set(refusal) == {"error", "message"}
    assert (await agent.post(wish, key="call-2"))[0] == 200
    assert len(agent.deployment.texts()) == 2


async def test_a_refused_wish_keeps_its_key(agent: Agent) -> None:
    for _ in range(2):
        assert (await agent.post({"to": "+442071838750", "body": "x"}, key="k"))[1]["error"] == "destination_country"
    assert (await agent.post({"to": CALLER, "body": "x"}, key="k"))[1]["error"] == "idempotency_key_reused"
    assert (await agent.post({"to": CALLER, "body": "x"}, key="two words"))[1]["error"] == "idempotency_key_invalid"


async def test_a_held_text_is_told_with_its_hour(agent: Agent) -> None:
    async with agent.deployment.services.database.tenant(agent.deployment.organization_id) as connection:
        await connection.execute(
            "update organizations set settings = settings || $2::jsonb where id = $1",
            agent.deployment.organization_id,
            {"texting": {"quiet_hours": None, "recipient_daily_cap": 1}},
        )
    await agent.caller_joins("call-1", "RM_1")
    assert (await agent.post({"roomName": "call-1", "body": "First"}))[1]["success"] is True
    status, answer = await agent.post({"roomName": "call-1", "body": "Second"})
    assert (status, answer["status"], answer["messageSid"]) == (200, "queued", None)
    assert datetime.fromisoformat(answer["heldUntil"]) > datetime.now(UTC)
    assert len(agent.deployment.texts()) == 1


async def test_agent_config_speaks_for_the_agent_that_answers(agent: Agent) -> None:
    await agent.caller_joins("call-1", "RM_1")
    for query in ({"number": NUMBER}, {"room": "call-1"}):
        status, config = await agent.config(**query)
        assert status == 200
        assert config["greeting"] == "Spoke & Chain, how can I help?"
        assert [function["name"] for function in config["functions"]] == ["text_the_booking_link"]
    assert CALLER in config["instructions"]


async def test_agent_config_says_what_is_missing(agent: Agent) -> None:
    assert (await agent.config(number="+12025550199"))[1]["code"] == "agent_not_found"
    assert (await agent.config(room="nowhere"))[1]["code"] == "agent_not_found"
    assert (await agent.config())[0] == 400
    assert (await agent.config(number="x"))[0] == 400
    assert (await agent.config(token="wrong", number=NUMBER))[0] == 401
    assert (await agent.config(token=str(uuid.uuid4()), number=NUMBER))[0] == 401
