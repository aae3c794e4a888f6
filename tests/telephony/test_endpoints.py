"""The API of accounts, numbers and messages."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from fixtures.api import PEPPER, ApiClient
from fixtures.telephony import FROM, TO, World
from offhook.core.db.pool import Database
from offhook.emulator import DEFAULT_ACCOUNT_SID
from offhook.organizations import Authenticator, OrganizationService

SID = "AC" + "0" * 32


async def other_client(world: World, database: Database, other_organization: uuid.UUID) -> ApiClient:
    organizations = OrganizationService(
        database, PEPPER.encode(), authenticator=Authenticator(database, PEPPER.encode())
    )
    _, key = await organizations.create_api_key(other_organization, "test", ["admin"])
    return world.api.with_key(key)


async def test_a_text_is_accepted_stored_listed_and_read(world: World) -> None:
    answer = await world.api.post("/api/messages", {"to": "+1 (202) 555-0140", "body": "Grüße", "operation_id": "a"})
    assert answer.status == 202
    placed = answer.json["message"]
    assert {name: placed[name] for name in ("to", "from", "status", "segments", "encoding")} == {
        "to": TO, "from": FROM, "status": "queued", "segments": 1, "encoding": "GSM-7",
    }  # fmt: skip
    again = await world.api.post("/api/messages", {"to": TO, "body": "Grüße", "operation_id": "a"})
    assert again.json["message"]["id"] == placed["id"]
    listed = (await world.api.get("/api/messages?status=queued")).json
    assert [message["id"] for message in listed["messages"]] == [placed["id"]]
    read = await world.api.get(f"/api/messages/{placed['id']}")
    assert read.json["message"]["body"] == "Grüße"


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        ({"to": TO}, 422, "body"),
        ({"body": "x"}, 422, "to"),
        ({"to": TO, "body": "x", "other": 1}, 422, "other"),
        ({"to": TO, "body": "x", "from": 5}, 422, "from"),
        ({"to": TO, "body": "x", "conversation_id": "x"}, 422, "conversation_id"),
        ({"to": TO, "body": "a\x00"}, 422, "body"),
        ({"to": TO, "body": "a\ud800"}, 422, "body"),
        ({"to": "hello", "body": "x"}, 422, "to"),
        ([], 422, ""),
    ],
)
async def test_a_bad_text_names_its_fields_and_stores_nothing(world: World, body: Any, status: int, path: str) -> None:
    answer = await world.api.post("/api/messages", body)
    assert answer.status == status
    assert answer.json["errors"][0]["path"] == path
    assert await world.messages() == []


@pytest.mark.parametrize(("data", "status"), [(b"x" * 100_000, 413), (b"{", 400), (b"\xff", 400), (b"x" * 20_000, 413)])
async def test_a_body_that_is_none_is_refused(world: World, data: bytes, status: int) -> None:
    assert (await world.api.send("POST", "/api/messages", data=data)).status == status


async def test_without_a_key_nothing_is_placed(world: World) -> None:
    nobody = ApiClient(world.api.session, world.api.base)
    assert (await nobody.post("/api/messages", {"to": TO, "body": "x"})).status == 401


async def test_another_organizations_rows_are_not_found(
    world: World, database: Database, other_organization: uuid.UUID
) -> None:
    placed = (await world.api.post("/api/messages", {"to": TO, "body": "Mine"})).json["message"]["id"]
    number = (await world.api.get("/api/phone-numbers")).json["phone_numbers"][0]["id"]
    other = await other_client(world, database, other_organization)
    for path in (f"messages/{placed}", f"phone-numbers/{number}", f"carrier-accounts/{world.account_id}"):
        assert (await other.get(f"/api/{path}")).status == 404
    for path in (f"phone-numbers/{number}", f"carrier-accounts/{world.account_id}"):
        assert (await other.delete(f"/api/{path}")).status == 404
    for name in ("messages", "phone_numbers", "carrier_accounts"):
        assert (await other.get(f"/api/{name.replace('_', '-')}")).json[name] == []
    linked = await other.post("/api/phone-numbers", {"number": FROM, "carrier_account_id": str(world.account_id)})
    assert linked.status == 404
    assert (await other.post("/api/messages", {"to": TO, "body": "x", "from": FROM})).status == 422


async def test_credentials_go_in_and_never_come_out(world: World) -> None:
    secret = "a-token-that-nobody-sees"
    answer = await world.api.post(
        "/api/carrier-accounts",
        {"carrier": "twilio", "external_account_id": SID, "credentials": {"auth_token": secret}, "label": "Second"},
    )
    assert answer.status == 201
    identity = answer.json["carrier_account"]["id"]
    read = await world.api.get(f"/api/carrier-accounts/{identity}")
    listed = await world.api.get("/api/carrier-accounts")
    assert secret not in answer.text + read.text + listed.text
    assert "credentials" not in read.json["carrier_account"]
    assert (await world.api.delete(f"/api/carrier-accounts/{identity}")).status == 204
    assert (await world.api.get(f"/api/carrier-accounts/{identity}")).status == 404
    assert (await world.api.delete(f"/api/carrier-accounts/{world.account_id}")).status == 409


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"carrier": "pigeon"}, "carrier"),
        ({"external_account_id": "XX"}, "external_account_id"),
        ({"credentials": {}}, "credentials"),
        ({"credentials": {"auth_token": "s3cret", "api_key_sid": "s3cret"}}, "credentials.api_key_sid"),
        ({"base_url": "ftp://s3cret"}, "base_url"),
        ({"messages_per_second": 0}, "messages_per_second"),
    ],
)
async def test_a_wrong_account_names_the_field_and_not_the_secret(
    world: World, change: dict[str, Any], path: str
) -> None:
    body = {"carrier": "twilio", "external_account_id": SID, "credentials": {"auth_token": "s3cret"}, **change}
    answer = await world.api.post("/api/carrier-accounts", body)
    assert answer.status == 422
    assert path in [error["path"] for error in answer.json["errors"]]
    assert "s3cret" not in answer.text


async def test_an_account_or_number_is_there_once(world: World) -> None:
    account = {"carrier": "twilio", "external_account_id": DEFAULT_ACCOUNT_SID, "credentials": {"auth_token": "x"}}
    assert (await world.api.post("/api/carrier-accounts", account)).status == 409
    assert (await world.api.post("/api/phone-numbers", {"number": FROM})).status == 409
    assert (await world.api.post("/api/phone-numbers", {"number": "x"})).status == 422


async def test_with_two_numbers_the_sender_must_be_named(world: World) -> None:
    second = {"number": "+12025550101", "carrier_account_id": str(world.account_id)}
    identity = (await world.api.post("/api/phone-numbers", second)).json["phone_number"]["id"]
    assert (await world.api.post("/api/messages", {"to": TO, "body": "x"})).json["code"] == "no_sender"
    named = await world.api.post("/api/messages", {"to": TO, "body": "x", "from": "+12025550101"})
    assert named.status == 202
    assert (await world.api.delete(f"/api/phone-numbers/{identity}")).status == 204
    assert (await world.api.post("/api/messages", {"to": TO, "body": "x"})).status == 202
