"""A person texts that they want no more texts, in their own words, and later that they do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from fixtures.deployment import CALLER, NUMBER, SMS_SECRET, Deployment, make_workshop
from offhook.client import ApiError


class Person:
    """A handset on the emulator."""

    def __init__(self, deployment: Deployment, session: aiohttp.ClientSession) -> None:
        self._control = f"{deployment.emulator.url}/_emulator"
        self._session = session

    async def text(self, body: str) -> None:
        url = f"{self._control}/phones/{CALLER}/send"
        async with self._session.post(url, json={"to": NUMBER, "body": body}) as answer:
            assert answer.status < 300, await answer.text()

    async def point_number_at(self, url: str) -> None:
        async with self._session.post(f"{self._control}/numbers", json={"number": NUMBER, "sms_url": url}) as answer:
            assert answer.status < 300, await answer.text()

    async def inbox(self) -> list[str]:
        async with self._session.get(f"{self._control}/phones/{CALLER}") as answer:
            return [one["body"] for one in (await answer.json())["messages"] if one["to"] == CALLER]


async def _quiet_now(deployment: Deployment) -> None:
    """Quiet hours around the present moment, whenever the test runs."""
    now = datetime.now(UTC)
    hours = {"from": f"{now - timedelta(hours=3):%H:%M}", "to": f"{now + timedelta(hours=3):%H:%M}"}
    async with deployment.client() as client:
        settings = {"texting": {"quiet_hours": hours, "time_zone": "UTC"}}
        await client.request("PATCH", "/api/organization", json={"settings": settings})


async def test_please_stop_texting_me_is_obeyed_until_start(deployment: Deployment) -> None:
    await make_workshop(deployment)
    await _quiet_now(deployment)
    async with deployment.client() as client, aiohttp.ClientSession() as session:
        person = Person(deployment, session)
        [account] = (await client.request("GET", "/api/carrier-accounts"))["carrier_accounts"]
        await person.point_number_at(f"{deployment.url}/webhooks/carriers/{account['id']}/inbound-text")

        text = {"to": CALLER, "body": "Your bicycle is ready.", "recipient_time_zone": "UTC"}
        waiting = (await client.request("POST", "/api/messages", json=text))["message"]

        async def shown() -> dict[str, Any]:
            return await client.get_message(waiting["id"])

        held = await deployment.until(lambda: _when(shown, lambda message: message["hold"] is not None))
        assert (held["status"], held["hold"]["reason"]) == ("queued", "quiet_hours")
        assert "within the quiet hours" in held["hold"]["sentence"]

        await person.text("Please stop texting me")
        canceled = await deployment.until(lambda: _when(shown, lambda message: message["status"] == "canceled"))
        assert canceled["decision"] == "Canceled: the recipient has asked not to be texted any more."
        with pytest.raises(ApiError) as refused:
            await client.request("POST", "/api/messages", json=text)
        assert refused.value.code == "suppressed"
        assert await _from_the_agent(deployment, session) == (422, "suppressed")

        await person.text("START")
        await deployment.until(lambda: _nobody_listed(client))
        again = (await client.request("POST", "/api/messages", json=text))["message"]
        # At the same quiet hour, but the person has just texted us.
        await deployment.until(lambda: _reaches(client, again["id"], "delivered"))
        # Telling people that they are subscribed again is the carrier's, who does it.
        assert [body for body in await person.inbox() if "bicycle" in body] == ["Your bicycle is ready."]

        events = (await client.request("GET", f"/api/consent-events?number=%2B{CALLER[1:]}"))["consent_events"]
        assert [(event["kind"], event["how"]) for event in events] == [("opt_in", "keyword"), ("opt_out", "free_form")]
        inbound = [await client.get_message(event["message_id"]) for event in events]
        assert [message["body"] for message in inbound] == ["START", "Please stop texting me"]


async def _when(get: Any, reached: Any) -> Any:
    message = await get()
    return message if reached(message) else None


async def _reaches(client: Any, message_id: str, status: str) -> bool:
    return (await client.get_message(message_id))["status"] == status


async def _nobody_listed(client: Any) -> bool:
    return (await client.request("GET", "/api/suppressions"))["suppressions"] == []


async def _from_the_agent(deployment: Deployment, session: aiohttp.ClientSession) -> tuple[int, str]:
    url = f"{deployment.url}/api/livekit/agent-send-sms"
    headers = {"Authorization": f"Bearer {SMS_SECRET}"}
    async with session.post(url, json={"to": CALLER, "body": "Hello"}, headers=headers) as answer:
        return answer.status, (await answer.json())["error"]
