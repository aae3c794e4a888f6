"""Messaging services: over Twilio's REST with its SDK, and by the control API."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from fixtures.emulator_bench import NUMBER, PHONE, Bench, Webhook
from fixtures.emulators import sdk_client

POOL = ["+12025550101", "+12025550102", "+12025550103"]


def service_client(bench: Bench) -> Any:
    client = sdk_client(bench.emulator.url)
    client.messaging.base_url = bench.emulator.url
    return client


async def test_a_service_is_made_filled_used_and_deleted_by_the_sdk(bench: Bench) -> None:
    client = service_client(bench)

    def walk() -> str:
        service = client.messaging.v1.services.create(friendly_name="Workshop", sticky_sender=True)
        numbers = client.incoming_phone_numbers.list(phone_number=NUMBER)
        member = client.messaging.v1.services(service.sid).phone_numbers.create(phone_number_sid=numbers[0].sid)
        assert member.phone_number == NUMBER
        assert [m.sid for m in client.messaging.v1.services(service.sid).phone_numbers.list()] == [member.sid]
        changed = client.messaging.v1.services(service.sid).update(validity_period=60, smart_encoding=False)
        assert (changed.validity_period, changed.smart_encoding) == (60, False)
        assert [s.sid for s in client.messaging.v1.services.list()] == [service.sid]
        message = client.messages.create(to=PHONE, messaging_service_sid=service.sid, body="hello")
        assert (message.status, message.from_, message.num_segments) == ("accepted", None, "0")
        return message.sid

    sid = await asyncio.to_thread(walk)
    await bench.clock.advance(1)
    message = bench.message(sid)
    assert (message.status, message.from_number, message.validity_seconds) == ("delivered", NUMBER, 60)

    def leave() -> None:
        (service,) = client.messaging.v1.services.list()
        (member,) = client.messaging.v1.services(service.sid).phone_numbers.list()
        assert client.messaging.v1.services(service.sid).phone_numbers(member.sid).delete()
        with pytest.raises(TwilioRestException) as refused:
            client.messages.create(to=PHONE, messaging_service_sid=service.sid, body="hello")
        assert refused.value.code == 21703
        assert client.messaging.v1.services(service.sid).delete()
        with pytest.raises(TwilioRestException) as gone:
            client.messaging.v1.services(service.sid).fetch()
        assert gone.value.status == 404

    await asyncio.to_thread(leave)


async def test_a_sticky_service_texts_a_recipient_from_the_same_number_each_time(bench: Bench) -> None:
    service = await bench.control("services", numbers=POOL)
    senders: dict[str, set[str]] = {}
    for _ in range(3):
        for n in range(10, 30):
            _, created = await bench.create(To=f"+120255501{n}", Body="hello", MessagingServiceSid=service["sid"])
            senders.setdefault(created["to"], set()).add(bench.message(created["sid"]).from_number)
    assert all(len(used) == 1 for used in senders.values())
    assert {number for used in senders.values() for number in used} == set(POOL)


async def test_a_service_that_is_not_sticky_uses_its_numbers_in_turn(bench: Bench) -> None:
    service = await bench.control("services", numbers=POOL, sticky=False)
    used = set[str]()
    for _ in range(9):
        _, created = await bench.create(Body="hello", MessagingServiceSid=service["sid"])
        used.add(bench.message(created["sid"]).from_number)
    assert len(used) > 1


async def test_a_service_tells_statuses_to_its_own_address_where_the_message_names_none(
    bench: Bench, webhook: Webhook
) -> None:
    service = await bench.control("services", numbers=POOL, status_callback=f"{webhook.url}/service")
    await bench.create(Body="hello", MessagingServiceSid=service["sid"])
    await bench.create(Body="hello", MessagingServiceSid=service["sid"], StatusCallback=f"{webhook.url}/own")
    await bench.clock.advance(1)
    assert sorted(webhook.paths) == ["/own"] * 3 + ["/service"] * 3
    assert {hook["MessagingServiceSid"] for hook in webhook.received} == {service["sid"]}


async def test_an_unknown_service_has_all_numbers_of_the_account(bench: Bench) -> None:
    status, created = await bench.create(Body="hello", MessagingServiceSid="MG" + "a" * 32)
    assert (status, created["status"], created["messaging_service_sid"]) == (201, "accepted", "MG" + "a" * 32)


@pytest.mark.parametrize("sid", ["MG1", "XX" + "a" * 32, "MG" + "g" * 32])
async def test_a_service_sid_that_is_none_is_refused(bench: Bench, sid: str) -> None:
    status, refused = await bench.create(Body="hello", MessagingServiceSid=sid)
    assert (status, refused["code"]) == (400, 20422)


async def test_the_service_of_another_account_is_refused(bench: Bench) -> None:
    await bench.control("accounts", sid="AC" + "3" * 32, auth_token="own")
    service = await bench.control("services", account_sid="AC" + "3" * 32, numbers=POOL)
    status, refused = await bench.create(Body="hello", MessagingServiceSid=service["sid"])
    assert (status, refused["code"]) == (400, 20422)
    assert await asyncio.to_thread(service_client(bench).messaging.v1.services.list) == []


async def test_a_number_of_nobody_is_not_put_in_a_service(bench: Bench) -> None:
    assert "own" in (await bench.control("services", 400, numbers=["+14155551234"]))["error"]
