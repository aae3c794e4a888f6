"""Messaging services: pools of senders at a carrier, known by the carrier's own ids."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from fixtures.api import PEPPER, ApiClient
from fixtures.telephony import FROM, TO, World
from offhook.core.db.pool import Database
from offhook.organizations import Authenticator, OrganizationService

SERVICE = "MG" + "0" * 32


async def create(api: ApiClient, world: World, **changes: Any) -> Any:
    return await api.post(
        "/api/messaging-services",
        {"carrier_account_id": str(world.account_id), "external_id": SERVICE, "label": "Alerts", **changes},
    )


async def test_one_is_created_read_listed_changed_and_deleted(world: World) -> None:
    answer = await create(world.api, world)
    assert answer.status == 201, answer.text
    made = answer.json["messaging_service"]
    path = f"/api/messaging-services/{made['id']}"
    assert (await world.api.get(path)).json == answer.json
    assert (await world.api.get("/api/messaging-services")).json == {"messaging_services": [made], "next_cursor": None}
    changed = (await world.api.patch(path, {"messages_per_second": 20})).json["messaging_service"]
    assert (changed["label"], changed["messages_per_second"]) == ("Alerts", 20)
    cleared = (await world.api.patch(path, {"label": None, "messages_per_second": None})).json["messaging_service"]
    assert (cleared["label"], cleared["messages_per_second"]) == ("", None)
    assert (await world.api.patch(path, {})).json["messaging_service"] == cleared
    assert (await world.api.delete(path)).status == 204
    for answer in (
        await world.api.get(path),
        await world.api.delete(path),
        await world.api.patch(path, {"label": "x"}),
    ):
        assert (answer.status, answer.json["code"]) == (404, "messaging_service_not_found")


async def test_one_is_there_once(world: World) -> None:
    assert (await create(world.api, world)).status == 201
    assert (await create(world.api, world)).json["code"] == "messaging_service_exists"


@pytest.mark.parametrize(
    ("changes", "status", "path"),
    [
        ({"external_id": "PN" + "0" * 32}, 422, "external_id"),
        ({"external_id": SERVICE + "0"}, 422, "external_id"),
        ({"messages_per_second": 0}, 422, "messages_per_second"),
        ({"carrier_account_id": str(uuid.uuid4())}, 404, None),
    ],
)
async def test_what_is_wrong_is_named(world: World, changes: Any, status: int, path: str | None) -> None:
    answer = await create(world.api, world, **changes)
    assert answer.status == status
    assert path is None or answer.json["errors"][0]["path"] == path


async def test_one_that_was_sent_with_stays(world: World) -> None:
    pool = (await create(world.api, world)).json["messaging_service"]["id"]
    placed = await world.api.post("/api/messages", {"to": TO, "body": "Hi", "messaging_service_id": pool})
    assert placed.status == 202
    assert (await world.api.delete(f"/api/messaging-services/{pool}")).json["code"] == "messaging_service_in_use"


async def test_where_there_is_nothing_else_it_is_the_sender(world: World) -> None:
    pool = (await create(world.api, world)).json["messaging_service"]["id"]
    [number] = (await world.api.get("/api/phone-numbers")).json["phone_numbers"]
    ambiguous = await world.api.post("/api/messages", {"to": TO, "body": "Hi"})
    assert (ambiguous.status, ambiguous.json["code"]) == (422, "no_sender")
    await world.api.delete(f"/api/phone-numbers/{number['id']}")
    placed = (await world.api.post("/api/messages", {"to": TO, "body": "Hi"})).json["message"]
    assert placed["messaging_service_id"] == pool


async def test_another_organization_neither_sees_nor_uses_it(
    world: World, database: Database, other_organization: uuid.UUID
) -> None:
    pool = (await create(world.api, world)).json["messaging_service"]["id"]
    organizations = OrganizationService(
        database, PEPPER.encode(), authenticator=Authenticator(database, PEPPER.encode())
    )
    _, key = await organizations.create_api_key(other_organization, "test", ["admin"])
    other = world.api.with_key(key)
    path = f"/api/messaging-services/{pool}"
    for answer in (await other.get(path), await other.patch(path, {"label": "x"}), await other.delete(path)):
        assert answer.status == 404
    assert (await other.get("/api/messaging-services")).json["messaging_services"] == []
    assert (await create(other, world)).status == 404
    refused = await other.post("/api/messages", {"to": TO, "body": "Hi", "messaging_service_id": pool})
    assert (refused.status, refused.json["code"]) == (422, "no_sender")


async def test_an_account_tells_where_inbound_texts_are_sent_and_keeps_its_terms(world: World) -> None:
    terms = {"total_per_second": 3.0, "segment_price": 0.0079, "media_price": "0.02", "price_currency": "USD"}
    changed = (await world.api.patch(f"/api/carrier-accounts/{world.account_id}", terms)).json["carrier_account"]
    assert (changed["total_per_second"], changed["segment_price"], changed["media_price"]) == (
        3,
        "0.0079",
        "0.02",
    )
    assert changed["inbound_url"] == f"{world.public_url}/webhooks/carriers/{world.account_id}/inbound-text"
    cleared = dict.fromkeys(terms)
    again = (await world.api.patch(f"/api/carrier-accounts/{world.account_id}", cleared)).json["carrier_account"]
    assert {name: again[name] for name in terms} == {**cleared, "price_currency": "USD"}


@pytest.mark.parametrize(
    "change", [{"segment_price": -1}, {"segment_price": "NaN"}, {"media_price": "0.0000001"}, {"price_currency": "usd"}]
)
async def test_wrong_terms_name_their_field(world: World, change: Any) -> None:
    answer = await world.api.patch(f"/api/carrier-accounts/{world.account_id}", change)
    assert (answer.status, answer.json["errors"][0]["path"]) == (422, next(iter(change)))


async def test_a_number_has_a_pace_of_its_own(world: World) -> None:
    [number] = (await world.api.get("/api/phone-numbers")).json["phone_numbers"]
    assert (number["number"], number["messages_per_second"]) == (FROM, None)
    path = f"/api/phone-numbers/{number['id']}"
    assert (await world.api.patch(path, {"messages_per_second": 3})).json["phone_number"]["messages_per_second"] == 3
    assert (await world.api.patch(path, {"messages_per_second": None})).json["phone_number"][
        "messages_per_second"
    ] is None


async def test_one_that_is_stopped_says_why_until_it_is_started(world: World) -> None:
    pool = (await create(world.api, world)).json["messaging_service"]
    path = f"/api/messaging-services/{pool['id']}"
    assert pool["stopped_reason"] is None
    placed = {"to": TO, "body": "Hi", "messaging_service_id": pool["id"]}
    assert (await world.api.post("/api/messages", placed)).status == 202
    await world.execute("update lanes set stopped_reason = '30034: not registered' where sender = $1", SERVICE)
    for shown in (
        (await world.api.get(path)).json["messaging_service"],
        (await world.api.get("/api/messaging-services")).json["messaging_services"][0],
        (await world.api.patch(path, {"label": "Pool"})).json["messaging_service"],
    ):
        assert shown["stopped_reason"] == "30034: not registered"
    assert (await world.api.post(f"{path}/start")).json["was_stopped"]
    assert (await world.api.get(path)).json["messaging_service"]["stopped_reason"] is None
