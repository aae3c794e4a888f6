"""The product with either carrier behind it: nothing above `carriers/` can tell which one it is."""

from __future__ import annotations

import base64
import uuid
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from fixtures.media import png
from fixtures.telephony import TO, World
from telephony.carriers.face import Customer, Face
from telephony.carriers.faces import FACES


@dataclass
class Line:
    """A number at one carrier, in the organization of `world`."""

    world: World
    customer: Customer
    account_id: str

    async def fault(self, kind: str, **more: object) -> None:
        body = {"kind": kind, "route": self.customer.create_route, **more}
        await self.world.control("POST", "faults", body)

    async def text_from_phone(self, body: str, *pictures: bytes) -> None:
        media = [{"content_type": "image/png", "data": base64.b64encode(picture).decode()} for picture in pictures]
        wish = {"to": self.customer.number, "body": body, "media": media}
        await self.world.control("POST", f"phones/{TO}/send", wish)


@pytest.fixture(params=FACES, ids=lambda face: face.name)
async def line(request: pytest.FixtureRequest, world: World) -> AsyncGenerator[Line]:
    face: Face = request.param
    async with aiohttp.ClientSession() as session:
        customer = await face.customer(session, world.emulator.url)
        accounts, numbers = world.telephony.carrier_accounts, world.telephony.phone_numbers
        page = (await world.api.get("/api/carrier-accounts")).json
        known = [one["id"] for one in page["carrier_accounts"] if one["carrier"] == face.name]
        if not known:
            account = await accounts.create(
                world.organization_id,
                carrier=face.name,
                external_account_id=customer.external_account_id,
                credentials=customer.credentials,
                base_url=world.emulator.url,
                messages_per_second=1000.0,
            )
            await numbers.create(world.organization_id, customer.number, carrier_account_id=account.id)
            known = [str(account.id)]
        await customer.set_inbound_url(f"{world.public_url}/webhooks/carriers/{known[0]}/inbound-text")
        yield Line(world, customer, known[0])


async def test_a_text_is_delivered_and_its_callbacks_are_believed(line: Line) -> None:
    world = line.world
    async with world.working():
        receipt = await world.telephony.messaging.text(world.wish("Grüße 👋", from_number=line.customer.number))
        message = await world.until_status(receipt.message_id, "delivered")
    assert message.from_number == line.customer.number
    [shown] = await world.phone()
    assert (shown["sid"], shown["body"]) == (message.carrier_message_id, "Grüße 👋")


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
async def test_a_text_whose_answer_was_lost_arrives_once(line: Line, kind: str) -> None:
    world = line.world
    await line.fault(kind, count=1)
    async with world.working():
        receipt = await world.telephony.messaging.text(world.wish(from_number=line.customer.number))
        message = await world.until_status(receipt.message_id, "delivered")
    [shown] = await world.phone()
    assert shown["sid"] == message.carrier_message_id


async def test_who_texts_stop_gets_no_more(line: Line) -> None:
    world = line.world

    async def suppressed() -> bool:
        return bool((await world.api.get("/api/suppressions")).json["suppressions"])

    async with world.working():
        await line.text_from_phone("Stop")
        await world.until(suppressed)
        with pytest.raises(Exception, match=r"suppressed|opted out"):
            await world.telephony.messaging.text(world.wish(from_number=line.customer.number))


async def test_a_text_to_us_is_a_message(line: Line) -> None:
    world = line.world

    async def arrived() -> bool:
        return any(m.direction == "inbound" for m in await world.messages())

    async with world.working():
        await line.text_from_phone("Is it ready? 👋")
        await world.until(arrived)
    [message] = await world.messages()
    assert (message.body, message.from_number, message.to_number) == ("Is it ready? 👋", TO, line.customer.number)
    assert (message.status, str(message.carrier_account_id)) == ("received", line.account_id)


async def test_a_picture_is_hosted_fetched_and_delivered(line: Line) -> None:
    world = line.world
    uploaded = await world.api.send("POST", "/api/media", data=png(), headers={"content-type": "image/png"})
    text = {"to": TO, "from": line.customer.number, "media": [{"media_id": uploaded.json["medium"]["id"]}]}
    async with world.working():
        placed = await world.api.post("/api/messages", text)
        await world.until_status(uuid.UUID(placed.json["message"]["id"]), "delivered")
    [shown] = await world.phone()
    assert len(shown["media"]) == 1


async def test_a_picture_to_us_is_kept(line: Line) -> None:
    world = line.world

    async def media() -> list[dict[str, Any]]:
        messages = (await world.api.get("/api/messages")).json["messages"]
        return messages[0]["media"] if messages else []

    async def kept() -> bool:
        return any(medium["media_id"] for medium in await media())

    async with world.working():
        await line.text_from_phone("Look", png())
        await world.until(kept)
    [medium] = await media()
    assert (medium["content_type"], medium["size_bytes"]) == ("image/png", len(png()))
