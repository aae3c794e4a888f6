"""Flow 3: a webhook comes in: verified, stored once, handled once; the message's status moves forward."""

from __future__ import annotations

from typing import Any

import aiohttp

from fixtures.deployment import CALLER, Deployment, make_workshop


async def _message(deployment: Deployment, message_id: str) -> dict[str, Any]:
    async with deployment.client() as client:
        return await client.get_message(message_id)


async def test_the_emulators_callbacks_carry_a_text_to_delivered(deployment: Deployment) -> None:
    await make_workshop(deployment)
    async with deployment.client() as client:
        placed = (await client.place_message(CALLER, "Your bicycle is ready."))["message"]

    async def delivered() -> bool:
        return (await _message(deployment, placed["id"]))["status"] == "delivered"

    await deployment.until(delivered)
    [text] = deployment.texts()
    message = await _message(deployment, placed["id"])
    assert message["carrier_message_id"] == text.sid
    async with deployment.services.database.tenant(deployment.organization_id) as connection:
        handled = await connection.fetchval("select count(*) from carrier_events where handled_at is not null")
    assert handled >= 1


async def test_a_forged_callback_changes_nothing(deployment: Deployment) -> None:
    await make_workshop(deployment)
    async with deployment.client() as client:
        [account] = (await client.request("GET", "/api/carrier-accounts"))["carrier_accounts"]
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{deployment.url}/webhooks/carriers/{account['id']}/message-status",
            data={"MessageSid": "SM" + "0" * 32, "MessageStatus": "delivered"},
            headers={"X-Twilio-Signature": "forged"},
        ) as response,
    ):
        assert response.status == 403
    async with deployment.services.database.tenant(deployment.organization_id) as connection:
        assert await connection.fetchval("select count(*) from carrier_events") == 0
