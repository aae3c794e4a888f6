"""The API of accounts and numbers."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from fixtures.api import PEPPER, ApiClient
from fixtures.telephony import FROM, NOWHERE, TO, World
from offhook.core.db.pool import Database
from offhook.emulator import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN
from offhook.organizations import Authenticator, OrganizationService

SID = "AC" + "0" * 32


async def other_client(world: World, database: Database, other_organization: uuid.UUID) -> ApiClient:
    organizations = OrganizationService(
        database, PEPPER.encode(), authenticator=Authenticator(database, PEPPER.encode())
    )
    _, key = await organizations.create_api_key(other_organization, "test", ["admin"])
    return world.api.with_key(key)


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


async def test_a_number_is_changed_field_by_field_and_null_clears(world: World, database: Database) -> None:
    number = (await world.api.get("/api/phone-numbers")).json["phone_numbers"][0]
    path, account = f"/api/phone-numbers/{number['id']}", str(world.account_id)
    async with database.tenant(world.organization_id) as connection:
        agent = await connection.fetchval(
            "insert into agents (id, organization_id, name) values ($1, $2, 'a') returning id",
            uuid.uuid4(),
            world.organization_id,
        )
    labelled = await world.api.patch(path, {"label": "Workshop"})
    assert labelled.json["phone_number"] == {**number, "label": "Workshop"}
    answered = (await world.api.patch(path, {"agent_id": str(agent)})).json["phone_number"]
    assert (answered["agent_id"], answered["label"], answered["carrier_account_id"]) == (
        str(agent),
        "Workshop",
        account,
    )
    nulls = {"label": None, "agent_id": None, "carrier_account_id": None}
    cleared = (await world.api.patch(path, nulls)).json["phone_number"]
    assert {name: cleared[name] for name in nulls} == {**nulls, "label": ""}
    # The senders that were remembered are forgotten at once.
    assert (await world.api.post("/api/messages", {"to": TO, "body": "x"})).json["code"] == "no_sender"
    assert (await world.api.patch(path, {"carrier_account_id": account})).status == 200
    assert (await world.api.post("/api/messages", {"to": TO, "body": "x"})).status == 202
    assert (await world.api.patch(path, {})).json["phone_number"]["carrier_account_id"] == account


async def test_an_account_is_changed_field_by_field(world: World) -> None:
    path = f"/api/carrier-accounts/{world.account_id}"
    before = (await world.api.get(path)).json["carrier_account"]
    changed = (await world.api.patch(path, {"label": "Main", "messages_per_second": 5})).json["carrier_account"]
    assert changed == {**before, "label": "Main", "messages_per_second": 5.0, "updated_at": changed["updated_at"]}
    cleared = (await world.api.patch(path, {"label": None, "messages_per_second": None})).json["carrier_account"]
    assert (cleared["label"], cleared["messages_per_second"]) == ("", 1.0)
    assert (await world.api.patch(path, {})).json["carrier_account"] == cleared


async def test_credentials_entered_anew_take_back_a_stop_and_are_used_at_once(world: World) -> None:
    path = f"/api/carrier-accounts/{world.account_id}"
    assert (await world.telephony.messaging.text(world.wish())).status == "accepted"
    wrong = await world.api.patch(path, {"credentials": {"auth_token": "not-the-token"}})
    assert wrong.status == 200
    assert "not-the-token" not in wrong.text
    assert (await world.telephony.messaging.text(world.wish())).status == "failed"
    assert (await world.api.patch(path, {"label": "x"})).json["carrier_account"]["stopped_reason"]
    right = await world.api.patch(path, {"credentials": {"auth_token": DEFAULT_AUTH_TOKEN}})
    assert right.json["carrier_account"]["stopped_reason"] is None
    assert (await world.telephony.messaging.text(world.wish())).status == "accepted"


async def test_credentials_are_not_sent_elsewhere_by_who_does_not_know_them(world: World) -> None:
    path = f"/api/carrier-accounts/{world.account_id}"
    for elsewhere in (NOWHERE, None):
        refused = await world.api.patch(path, {"base_url": elsewhere})
        assert (refused.status, refused.json["errors"][0]["path"]) == (422, "credentials")
    same = await world.api.patch(path, {"base_url": world.emulator.url, "label": "Emulator"})
    assert same.json["carrier_account"]["label"] == "Emulator"
    moved = await world.api.patch(path, {"base_url": None, "credentials": {"auth_token": "x"}})
    assert moved.json["carrier_account"]["base_url"] is None


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"external_account_id": SID}, "external_account_id"),
        ({"carrier": "twilio"}, "carrier"),
        ({"credentials": {"wrong": "s3cret"}}, "credentials"),
        ({"credentials": None}, "credentials"),
        ({"base_url": "ftp://s3cret", "credentials": {"auth_token": "s3cret"}}, "base_url"),
        ({"messages_per_second": 0}, "messages_per_second"),
    ],
)
async def test_a_wrong_change_of_an_account_names_the_field_and_not_the_secret(
    world: World, change: dict[str, Any], path: str
) -> None:
    answer = await world.api.patch(f"/api/carrier-accounts/{world.account_id}", change)
    assert answer.status == 422
    assert path in {error["path"].partition(".")[0] for error in answer.json["errors"]}
    assert "s3cret" not in answer.text


async def test_another_organization_neither_changes_rows_nor_links_to_them(
    world: World, database: Database, other_organization: uuid.UUID
) -> None:
    mine = (await world.api.get("/api/phone-numbers")).json["phone_numbers"][0]
    account = (await world.api.get(f"/api/carrier-accounts/{world.account_id}")).json
    other = await other_client(world, database, other_organization)
    for change in ({"label": "x"}, {}, {"carrier_account_id": None}):
        assert (await other.patch(f"/api/phone-numbers/{mine['id']}", change)).status == 404
    for change in ({"label": "x"}, {}, {"credentials": {"auth_token": "x"}}):
        assert (await other.patch(f"/api/carrier-accounts/{world.account_id}", change)).status == 404
    theirs = (await other.post("/api/phone-numbers", {"number": FROM})).json["phone_number"]["id"]
    for link in ({"carrier_account_id": str(world.account_id)}, {"agent_id": str(uuid.uuid4())}):
        assert (await other.patch(f"/api/phone-numbers/{theirs}", link)).status == 404
    assert (await world.api.get(f"/api/phone-numbers/{mine['id']}")).json["phone_number"] == mine
    assert (await world.api.get(f"/api/carrier-accounts/{world.account_id}")).json == account
