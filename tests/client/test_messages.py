"""The client's texts against the real API."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from fixtures.deployment import CALLER, NUMBER, Deployment, make_workshop
from offhook.client import ApiError, Client


@pytest.fixture
async def client(deployment: Deployment) -> AsyncGenerator[Client]:
    await make_workshop(deployment)
    async with Client(deployment.url, deployment.key) as made:
        yield made


async def test_a_text_is_placed_once_under_its_key(client: Client) -> None:
    first = await client.place_message(CALLER, "Hi", from_number=NUMBER, idempotency_key="k", priority="campaign")
    assert (
        await client.place_message(CALLER, "Hi", from_number=NUMBER, idempotency_key="k", priority="campaign") == first
    )
    assert (await client.get_message(first["message"]["id"]))["priority"] == "campaign"
    assert len((await client.list_messages(held=False))["messages"]) == 1


async def test_without_a_key_of_ones_own_every_call_is_a_text(client: Client) -> None:
    placed = [(await client.place_message(CALLER, "Hi"))["message"]["id"] for _ in range(2)]
    assert len(set(placed)) == 2


async def test_a_text_is_estimated_and_one_that_has_gone_is_redacted_and_not_taken_back(
    client: Client, deployment: Deployment
) -> None:
    assert (await client.estimate_message(CALLER, "x" * 200))["segments"] == 2
    placed = (await client.place_message(CALLER, "A secret"))["message"]["id"]

    async def delivered() -> bool:
        return (await client.get_message(placed))["status"] == "delivered"

    await deployment.until(delivered)
    with pytest.raises(ApiError) as refused:
        await client.cancel_message(placed)
    assert refused.value.code == "message_not_queued"
    assert (await client.redact_message(placed))["body"] == ""


async def test_a_refusal_names_the_field(client: Client) -> None:
    with pytest.raises(ApiError) as refused:
        await client.place_message(CALLER, "x" * 1601)
    assert (refused.value.code, refused.value.fields[0].path) == ("text_too_long", "body")
