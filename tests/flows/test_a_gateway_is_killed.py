"""Flow 1 with SIGKILL: the API dies between a tool call and its answer, and the text is sent once all the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio

from fixtures.chaos import set_fault
from fixtures.evidence import arrived
from fixtures.product import Product, get_json, running_product
from offhook.client import Client, OpenedConversation, new_id

pytestmark = [pytest.mark.ci, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

DEADLINE_SECONDS = 25.0
FUNCTION = "text_the_booking_link"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def product() -> AsyncGenerator[Product]:
    async with running_product({"OFFHOOK_RECONCILE_GAP_SECONDS": "3"}) as running:
        yield running


async def opened(product: Product, client: Client, caller: str) -> OpenedConversation:
    demo = product.instance.demo
    return await client.open_conversation(
        new_id(), channel="web", agent_id=demo.agent_id, person_number=caller, our_number=demo.number
    )


async def execute(client: Client, conversation: OpenedConversation, call_id: str) -> Any:
    return await client.execute(
        conversation.id, call_id, function=FUNCTION, arguments={}, user_turn=1, deadline_seconds=DEADLINE_SECONDS
    )


async def until_struck(product: Product) -> None:
    """Until the carrier has the request: its only fault has struck."""
    give_up = time.monotonic() + 10
    while (await get_json(f"{product.instance.emulator_url}/_emulator/faults"))["faults"]:
        assert time.monotonic() < give_up, "nothing was asked of the carrier"
        await asyncio.sleep(0.02)


async def texts_to(product: Product, caller: str) -> int:
    return sum(text["to"] == caller for text in await arrived(product))


async def until_settled(product: Product, caller: str) -> None:
    """Until the API knows the end of every text to the caller, so that nothing is left that could send one more."""
    give_up = time.monotonic() + 40
    while True:
        async with product.client() as client:
            messages = [one for one in (await client.list_messages(limit=100))["messages"] if one["to"] == caller]
        if messages and all(one["status"] == "delivered" for one in messages):
            return
        assert time.monotonic() < give_up, messages
        await asyncio.sleep(0.1)


CASES = [
    pytest.param({"kind": "latency", "seconds": 1.5}, "+12025550151", id="the carrier is slow"),
    pytest.param({"kind": "drop_after", "seconds": 1.0}, "+12025550152", id="the carrier's answer is lost"),
    pytest.param({"kind": "commit_delay", "seconds": 1.0}, "+12025550153", id="the carrier commits later"),
]


@pytest.mark.parametrize(("fault", "caller"), CASES)
async def test_the_text_is_sent_once_and_the_answer_stays_the_same(
    product: Product, fault: dict[str, Any], caller: str
) -> None:
    async with product.client() as client:
        conversation = await opened(product, client, caller)
        call_id = new_id()
        await set_fault(product, route="messages.create", to=caller, **fault)
        calling = asyncio.create_task(execute(client, conversation, call_id))
        await until_struck(product)
        assert product.kill("api")
        first = await calling
        again = await execute(client, conversation, call_id)
        third = await execute(client, conversation, call_id)
    told = (first.effect, first.is_error, first.answer)
    assert [(one.effect, one.is_error, one.answer) for one in (again, third)] == [told, told]
    assert first.effect in ("done", "unknown"), first
    await until_settled(product, caller)
    assert await texts_to(product, caller) == 1
