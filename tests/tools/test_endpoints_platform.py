from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from fixtures.api import ApiClient
from offhook.core.db.pool import Database
from offhook.core.http import Part
from offhook.tools.platform.endpoints import platform_tools_part
from offhook.tools.platform.service import PlatformToolService

PATH = "/api/platform-tools"
CRM: dict[str, Any] = {
    "name": "crm",
    "display_name": "CRM look-up",
    "config_schema": {"type": "object", "properties": {"region": {"type": "string"}}},
    "tool_functions_schema": {
        "functions": [
            {
                "name": "find_customer",
                "description": "Finds a customer by number.",
                "parameters": {"type": "object", "properties": {"number": {"type": "string"}}},
            }
        ]
    },
}


@pytest.fixture
def parts(database: Database) -> Sequence[Part]:
    return (platform_tools_part(PlatformToolService(database)),)


async def create(api: ApiClient, **fields: Any) -> Any:
    answer = await api.post(PATH, {**CRM, **fields})
    assert answer.status == 201, answer.text
    return answer.json["platform_tool"]


async def make_everybodys(database: Database) -> uuid.UUID:
    async with database.system("a test makes an entry of everybody's") as connection:
        return await connection.fetchval(
            "insert into platform_tools (id, name, display_name, source)"
            " values (gen_random_uuid(), 'email', 'Email', 'code') returning id"
        )


async def test_an_entry_is_made_changed_listed_and_deleted(api: ApiClient) -> None:
    entry = await create(api)
    assert (entry["source"], entry["version"], entry["auth_type"]) == ("database", "1", "none")
    assert entry["tool_functions_schema"] == CRM["tool_functions_schema"]
    path = f"{PATH}/{entry['id']}"
    changed = (await api.patch(path, {"display_name": "Customers", "version": "2"})).json["platform_tool"]
    assert changed == {**entry, "display_name": "Customers", "version": "2", "updated_at": changed["updated_at"]}
    functions = {"functions": [{"name": "find_order"}]}
    await api.patch(path, {"tool_functions_schema": functions})
    found = (await api.get(path)).json["platform_tool"]["tool_functions_schema"]["functions"]
    assert found == [{"name": "find_order", "description": "", "parameters": {"type": "object", "properties": {}}}]
    changed = (await api.patch(path, {"tool_functions_schema": entry["tool_functions_schema"]})).json["platform_tool"]
    assert (await api.get(f"{PATH}?name=custom&source=database")).json["platform_tools"] == [changed]
    assert (await api.delete(path)).status == 204
    assert (await api.get(path)).json["code"] == "platform_tool_not_found"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"name": "has space"}, "name"),
        ({"config_schema": {"type": "strin"}}, "config_schema.type"),
        ({"tool_functions_schema": {"functions": [{"name": "1st"}]}}, "tool_functions_schema.functions.0.name"),
        (
            {"tool_functions_schema": {"functions": [{"name": "f"}, {"name": "f"}]}},
            "tool_functions_schema.functions.1.name",
        ),
    ],
)
async def test_a_schema_that_is_none_is_named(api: ApiClient, fields: dict[str, Any], path: str) -> None:
    answer = await api.post(PATH, {**CRM, **fields})
    assert answer.status == 422
    assert path in [problem["path"] for problem in answer.json["errors"]]


async def test_parameters_that_fetch_a_schema_from_elsewhere_are_refused(api: ApiClient) -> None:
    remote = {"type": "object", "properties": {"x": {"$ref": "http://203.0.113.1/schema.json"}}}
    functions = {"functions": [{"name": "f", "parameters": remote}]}
    answer = await api.post(PATH, {**CRM, "tool_functions_schema": functions})
    assert answer.status == 422
    assert answer.json["errors"][0]["path"].startswith("tool_functions_schema.functions.0.parameters")


async def test_a_name_is_taken_once_per_organization(api: ApiClient, other_api: ApiClient) -> None:
    await create(api)
    again = await api.post(PATH, CRM)
    assert (again.status, again.json["code"]) == (409, "name_taken")
    assert (await other_api.post(PATH, CRM)).status == 201


async def test_everybodys_entry_is_read_by_all_and_written_by_none(
    api: ApiClient, other_api: ApiClient, database: Database
) -> None:
    path = f"{PATH}/{await make_everybodys(database)}"
    for client in (api, other_api):
        assert (await client.get(path)).json["platform_tool"]["organization_id"] is None
        assert [entry["name"] for entry in (await client.get(PATH)).json["platform_tools"]] == ["email"]
        for answer in (await client.patch(path, {"display_name": "Mine"}), await client.delete(path)):
            assert (answer.status, answer.json["code"]) == (403, "not_your_entry")


async def test_another_organizations_entry_is_not_found(api: ApiClient, other_api: ApiClient) -> None:
    path = f"{PATH}/{(await create(api))['id']}"
    answers = [await other_api.get(path), await other_api.patch(path, {"version": "9"}), await other_api.delete(path)]
    assert [answer.status for answer in answers] == [404] * 3
    assert (await other_api.get(PATH)).json["platform_tools"] == []


async def test_an_entry_that_tools_use_is_not_deleted(
    api: ApiClient, database: Database, organization: uuid.UUID
) -> None:
    entry = await create(api)
    async with database.tenant(organization) as connection:
        await connection.execute(
            "insert into tools (id, organization_id, name, type, platform_tool_id)"
            " values (gen_random_uuid(), $1, 'Customers', 'platform', $2)",
            organization,
            uuid.UUID(entry["id"]),
        )
    answer = await api.delete(f"{PATH}/{entry['id']}")
    assert (answer.status, answer.json["code"]) == (409, "platform_tool_in_use")
    assert [tool["name"] for tool in answer.json["tools"]] == ["Customers"]
