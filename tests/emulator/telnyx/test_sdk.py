"""Telnyx's own SDK against the face: the addresses and parameters it sends, and the types it reads the answers as.

The SDK takes any answer; its models are therefore asked to validate what came, and to know every field of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import telnyx
from pydantic import BaseModel, ValidationError
from telnyx.types import InboundMessageWebhookEvent
from telnyx.types.delivery_update_webhook_event import DeliveryUpdateWebhookEvent

from fixtures.emulators import HookReceiver, RunningEmulator
from fixtures.telnyx import NUMBER, OTHER_NUMBER, PHONE, document
from offhook.emulator import DEFAULT_ACCOUNT_SID
from offhook.emulator.settings import DEFAULT_TELNYX_API_KEY
from offhook.emulator.telnyx.profiles import default_profile

PROFILE = default_profile(DEFAULT_ACCOUNT_SID).id
SMS: dict[str, Any] = {"to": PHONE, "from_": NUMBER, "text": "Your bicycle is ready."}


@pytest.fixture
def client(emulator: RunningEmulator) -> Iterator[telnyx.Telnyx]:
    with telnyx.Telnyx(api_key=DEFAULT_TELNYX_API_KEY, base_url=f"{emulator.url}/v2", max_retries=0) as made:
        yield made


async def ask(call: Any, *args: Any, **fields: Any) -> Any:
    """What a call of the SDK returns: valid by its type, and with no field that the type does not know."""
    answer = await asyncio.to_thread(call, *args, **fields)
    known(type(answer), answer.model_dump(mode="json", by_alias=True, exclude_unset=True))
    return answer


def known(model: type[BaseModel], value: Any) -> None:
    read = model.model_validate(value)
    assert not strangers(read), f"{model.__name__} knows nothing of {strangers(read)}"


UNNAMED = {"send_at", "is_spam"}
"""Fields that Telnyx sends and its SDK has no name for."""


def strangers(value: Any) -> list[str]:
    if isinstance(value, BaseModel):
        own = [name for name in value.model_extra or {} if name not in UNNAMED]
        return [*own, *(name for field in value.__dict__.values() for name in strangers(field))]
    return [name for item in value for name in strangers(item)] if isinstance(value, list | tuple) else []


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("send", {}),
        (
            "send",
            {"media_urls": ["http://127.0.0.1:1/a.png"], "subject": "Bikes", "webhook_url": "http://127.0.0.1:1/"},
        ),
        ("send", {"encoding": "ucs2", "auto_detect": True, "use_profile_webhooks": False, "type": "SMS"}),
        ("send", {"idempotency_key": "order:7"}),
        ("send_long_code", {}),
        ("send_number_pool", {"from_": None, "messaging_profile_id": PROFILE}),
    ],
)
async def test_the_sdk_sends_and_fetches(client: telnyx.Telnyx, method: str, fields: dict[str, Any]) -> None:
    wanted = {name: value for name, value in {**SMS, **fields}.items() if value is not None}
    sent = (await ask(getattr(client.messages, method), **wanted)).data
    assert (sent.to[0].phone_number, sent.to[0].status, sent.from_.phone_number) == (PHONE, "queued", NUMBER)
    fetched = (await ask(client.messages.retrieve, sent.id)).data
    assert (fetched.id, fetched.text) == (sent.id, SMS["text"])


async def test_the_sdk_schedules_and_cancels(client: telnyx.Telnyx) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    sent = (await asyncio.to_thread(client.messages.schedule, send_at=at, **SMS)).data
    assert sent is not None
    assert sent.id is not None
    cancelled = await ask(client.messages.cancel_scheduled, sent.id)
    assert (cancelled.id, cancelled.to[0].status) == (sent.id, "cancelled")


async def test_the_sdk_pages_through_numbers(client: telnyx.Telnyx) -> None:
    def numbers() -> list[Any]:
        return list(client.phone_numbers.list(page_size=30))

    found = await asyncio.to_thread(numbers)
    assert len(found) == 100
    for number in found[:2]:
        known(type(number), number.model_dump(mode="json", exclude_unset=True))
        assert (await ask(client.phone_numbers.retrieve, number.id)).data.phone_number == number.phone_number

    def only() -> list[Any]:
        return list(client.phone_numbers.list(filter={"phone_number": NUMBER.removeprefix("+")}))

    assert [number.phone_number for number in await asyncio.to_thread(only)] == [NUMBER]


async def test_the_sdk_makes_and_changes_profiles(client: telnyx.Telnyx) -> None:
    made = await ask(client.messaging_profiles.create, name="Second", whitelisted_destinations=["US"])
    changed = await ask(
        client.messaging_profiles.update, made.data.id, webhook_url="http://127.0.0.1:1/a", enabled=False
    )
    assert (changed.data.webhook_url, changed.data.enabled) == ("http://127.0.0.1:1/a", False)
    assert (await ask(client.messaging_profiles.retrieve, made.data.id)).data == changed.data
    number = (await ask(client.phone_numbers.messaging.update, OTHER_NUMBER, messaging_profile_id=made.data.id)).data
    assert number.messaging_profile_id == made.data.id
    assert (await ask(client.balance.retrieve)).data.currency == "USD"

    def profiles() -> list[Any]:
        return list(client.messaging_profiles.list())

    assert [profile.id for profile in await asyncio.to_thread(profiles)] == [PROFILE, made.data.id]


async def test_the_sdk_reads_the_errors(client: telnyx.Telnyx, emulator: RunningEmulator) -> None:
    foreign: dict[str, Any] = {**SMS, "from_": "+12025550100"}
    with pytest.raises(telnyx.BadRequestError) as refused:
        await asyncio.to_thread(lambda: client.messages.send(**foreign))
    assert "40305" in str(refused.value)
    with pytest.raises(telnyx.NotFoundError):
        await asyncio.to_thread(client.messages.retrieve, "nope")
    with (
        telnyx.Telnyx(api_key="wrong", base_url=f"{emulator.url}/v2", max_retries=0) as stranger,
        pytest.raises(telnyx.AuthenticationError),
    ):
        await asyncio.to_thread(stranger.balance.retrieve)
    emulator.emulation.faults.add({"route": "telnyx.messages.create", "kind": "status", "status": 429})
    with pytest.raises(telnyx.RateLimitError):
        await asyncio.to_thread(lambda: client.messages.send(**SMS))


async def test_the_sdk_reads_the_events(
    client: telnyx.Telnyx, emulator: RunningEmulator, hooks: HookReceiver, http: aiohttp.ClientSession
) -> None:
    await asyncio.to_thread(client.messaging_profiles.update, PROFILE, webhook_url=hooks.url)
    await asyncio.to_thread(lambda: client.messages.send(**SMS))
    for hook in await hooks.wait_for(2):
        known(DeliveryUpdateWebhookEvent, document(hook))
    text = {"to": NUMBER, "body": "STOP"}
    async with http.post(f"{emulator.url}/_emulator/phones/{PHONE}/send", json=text) as answer:
        assert answer.status == 201
    event = document((await hooks.wait_for(3))[-1])
    known(InboundMessageWebhookEvent, {"data": event["data"]})


def test_a_field_or_value_that_the_sdk_does_not_know_is_seen() -> None:
    with pytest.raises(AssertionError, match="colour"):
        known(DeliveryUpdateWebhookEvent, {"data": {"payload": {"to": [{"colour": "red"}]}}})
    with pytest.raises(ValidationError):
        known(DeliveryUpdateWebhookEvent, {"data": {"payload": {"to": [{"status": "flown"}]}}})
