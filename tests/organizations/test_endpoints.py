from __future__ import annotations

import uuid
from typing import Any

import pytest

from fixtures.api import WORKER_KEY, ApiClient, client_of
from fixtures.database import UNHINDERED
from offhook.core.db.pool import Database
from offhook.organizations import OrganizationService

NOT_A_KEY = "/api/api-keys/0190f3a2-7c1e-7d3b-9a54-0f6f7d2c1b11"


async def test_a_key_reads_and_renames_its_own_organization(api: ApiClient, organization: uuid.UUID) -> None:
    read = (await api.get("/api/organization")).json["organization"]
    assert (read["id"], read["name"], read["settings"]) == (str(organization), "Spoke & Chain", {"texting": UNHINDERED})
    changed = (await api.patch("/api/organization", {"name": "Chain & Spoke"})).json["organization"]
    assert (changed["name"], changed["settings"]) == ("Chain & Spoke", {"texting": UNHINDERED})


async def test_settings_are_replaced_key_by_key_and_removed_by_null(api: ApiClient) -> None:
    variables = [{"name": "workshop", "meaning": "Its name", "example": "Larch Street", "value": "Spoke & Chain"}]
    stored = (await api.patch("/api/organization", {"settings": {"variables": variables}})).json["organization"]
    assert stored["settings"]["variables"] == [{**variables[0], "source": "organization"}]
    kept = (await api.patch("/api/organization", {"name": "Other"})).json["organization"]
    assert kept["settings"] == stored["settings"]
    cleared = (await api.patch("/api/organization", {"settings": {"variables": None}})).json["organization"]
    assert cleared["settings"] == {"texting": UNHINDERED}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"settings": {"variabels": []}}, "settings.variabels"),
        ({"settings": {"variables": [{"name": "call_id"}]}}, "settings.variables.0.name"),
        ({"settings": {"variables": "x"}}, "settings.variables"),
        ({"settings": []}, "settings"),
        ({"id": "x"}, "id"),
    ],
)
async def test_what_is_wrong_with_a_change_names_its_field(api: ApiClient, body: Any, path: str) -> None:
    answer = await api.patch("/api/organization", body)
    assert (answer.status, [problem["path"] for problem in answer.json["errors"]]) == (422, [path])


async def test_a_text_that_is_too_long_is_counted_in_characters(api: ApiClient) -> None:
    answer = (await api.patch("/api/organization", {"name": "x" * 101})).json
    assert answer["detail"] == "name: At most 100 characters; this has 101."
    example = {"name": "workshop", "example": "x" * 301}
    declared = (await api.patch("/api/organization", {"settings": {"variables": [example]}})).json
    assert declared["errors"][0]["message"] == "At most 300 characters; this has 301."


async def test_a_key_is_shown_once_and_works_until_it_is_revoked(anonymous: ApiClient, api: ApiClient) -> None:
    answer = await api.post("/api/api-keys", {"name": "worker", "scopes": ["worker", "worker"]})
    assert answer.status == 201
    key, text = answer.json["api_key"], answer.json["key"]
    assert (key["scopes"], key["last4"], key["revoked_at"]) == (["worker"], text[-4:], None)
    listed = await api.get("/api/api-keys")
    assert [item["name"] for item in listed.json["api_keys"]] == ["worker", "test"]
    assert text not in listed.text
    client = anonymous.with_key(text)
    assert (await client.get("/api/organization")).status == 200
    revoked = (await api.delete(f"/api/api-keys/{key['id']}")).json["api_key"]
    assert (await api.delete(f"/api/api-keys/{key['id']}")).json["api_key"] == revoked
    refused = await client.get("/api/organization")
    assert (refused.status, refused.json["code"]) == (401, "bad_key")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": "k", "scopes": []}, "scopes"),
        ({"name": "k", "scopes": ["root"]}, "scopes.0"),
        ({"name": "", "scopes": ["read"]}, "name"),
        ({"name": "k", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "k", "scopes": ["read"], "expires_at": "2099-01-01T00:00:00"}, "expires_at"),
    ],
)
async def test_a_key_of_another_form_is_not_made(api: ApiClient, body: Any, path: str) -> None:
    answer = await api.post("/api/api-keys", body)
    assert (answer.status, answer.json["errors"][0]["path"]) == (422, path)


@pytest.mark.parametrize("scope", ["read", "worker"])
async def test_only_an_admin_sees_makes_and_revokes_keys(
    anonymous: ApiClient, organizations: OrganizationService, organization: uuid.UUID, scope: str
) -> None:
    client = await client_of(anonymous, organizations, organization, [scope])
    answers = [
        await client.get("/api/api-keys"),
        await client.post("/api/api-keys", {"name": "k", "scopes": ["admin"]}),
        await client.delete(NOT_A_KEY),
        await client.patch("/api/organization", {"name": "x"}),
    ]
    assert [(answer.status, answer.json["code"]) for answer in answers] == [(403, "scope_missing")] * 4


async def test_the_deployments_worker_reads_no_organization(anonymous: ApiClient) -> None:
    answer = await anonymous.with_key(WORKER_KEY).get("/api/organization")
    assert (answer.status, answer.json["code"]) == (403, "organization_required")


async def test_another_organizations_key_is_not_found(api: ApiClient, other_api: ApiClient) -> None:
    key = (await api.post("/api/api-keys", {"name": "k", "scopes": ["read"]})).json["api_key"]
    for answer in (await other_api.delete(f"/api/api-keys/{key['id']}"), await api.delete(NOT_A_KEY)):
        assert (answer.status, answer.json["code"]) == (404, "api_key_not_found")
    assert key["id"] not in (await other_api.get("/api/api-keys")).text


async def test_a_database_that_is_away_is_503_with_a_time_to_come_back(api: ApiClient, database: Database) -> None:
    await api.get("/api/organization")
    await database.close()
    answer = await api.get("/api/organization")
    assert (answer.status, answer.json["code"], answer.headers["retry-after"]) == (503, "database_unavailable", "1")


async def test_an_organization_is_made_with_checked_settings_and_members(
    organizations: OrganizationService, database: Database
) -> None:
    made = await organizations.create_organization("Larch Street Bicycles", {"variables": [{"name": "bay"}]})
    assert "bay" in await organizations.declarations(made.id)
    first = await organizations.add_member(made.id, " Ada@Example.com", "viewer")
    again = await organizations.add_member(made.id, "ada@example.com", "owner", name="Ada")
    assert (again.user_id, again.role) == (first.user_id, "owner")
    assert made in await organizations.list_organizations()
    async with database.tenant(made.id) as connection:
        assert await connection.fetchval("select count(*) from users") == 1
