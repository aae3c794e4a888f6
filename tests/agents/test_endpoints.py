from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from fixtures.api import ApiClient
from offhook.agents.attachments import AttachmentService
from offhook.agents.endpoints import agents_part
from offhook.agents.service import AgentService
from offhook.core.db.pool import Database
from offhook.core.http import Part
from offhook.secrets import KeyRing, Sealer

AGENT: dict[str, Any] = {
    "name": "Workshop desk",
    "instructions": "You answer for {{organization_name}} at bay {{bay}}.",
    "greeting": "Hello!",
    "settings": {"time_zone": "Europe/Berlin", "llm": {"plugin": "openai", "model": "gpt-x"}},
    "variables": [{"name": "bay", "meaning": "Where repairs are handed over", "example": "3"}],
}


@pytest.fixture
def sealer(database: Database, ring: KeyRing) -> Sealer:
    return Sealer(database, ring)


@pytest.fixture
def parts(database: Database, sealer: Sealer) -> Sequence[Part]:
    return (agents_part(AgentService(database), AttachmentService(database, sealer)),)


async def made(api: ApiClient, path: str, body: dict[str, Any]) -> Any:
    """What was created, out of its envelope."""
    answer = await api.post(path, body)
    assert answer.status == 201, answer.text
    return next(iter(answer.json.values()))


async def store_tool(
    database: Database, organization_id: uuid.UUID, name: str = "Texter", function: str | None = "text_link",
    text: str = "Hi",
) -> str:  # fmt: skip
    """A tool as the tools' own service stores it."""
    tool_id = uuid.uuid4()
    schema = {"name": function, "description": "", "parameters": {"type": "object", "properties": {}}}
    async with database.tenant(organization_id) as connection:
        await connection.execute(
            "insert into tools (id, organization_id, name, type, function_schema, config_metadata)"
            " values ($1, $2, $3, $4, $5, $6)",
            tool_id,
            organization_id,
            name,
            "sms" if function else None,
            schema if function else None,
            {"type": "sms", "text": {"mode": "fixed", "value": text}},
        )
    return str(tool_id)


async def test_an_agent_is_made_read_changed_and_deleted(api: ApiClient) -> None:
    agent = await made(api, "/api/agents", AGENT)
    path = f"/api/agents/{agent['id']}"
    assert {key: agent[key] for key in ("name", "instructions", "greeting", "settings")} == {
        key: AGENT[key] for key in ("name", "instructions", "greeting", "settings")
    }
    assert (await api.get(path)).json["agent"] == agent
    changed = (await api.patch(path, {"greeting": "Hi!", "settings": {"llm": None, "voice": "a"}})).json["agent"]
    assert (changed["greeting"], changed["name"]) == ("Hi!", AGENT["name"])
    assert changed["settings"] == {"time_zone": "Europe/Berlin", "voice": "a"}
    assert (await api.delete(path)).status == 204
    gone = await api.get(path)
    assert (gone.status, gone.json["code"]) == (404, "agent_not_found")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"name": "x" * 101}, "name"),
        ({"name": "  "}, "name"),
        ({"greeting": "x" * 2001}, "greeting"),
        ({"instructions": "{{bayy}}"}, "instructions"),
        ({"greeting": "{{bay"}, "greeting"),
        ({"settings": {"time_zone": "Mars/Olympus"}}, "settings.time_zone"),
        ({"settings": {"time_zone": "../../etc/passwd"}}, "settings.time_zone"),
        ({"settings": {"time_zone": "Europe"}}, "settings.time_zone"),
        ({"settings": {"time_zone": ["Europe/Berlin"]}}, "settings.time_zone"),
        ({"variables": [{"name": "no spaces"}]}, "variables.0.name"),
        ({"variables": [{"name": "bay"}, {"name": "now"}]}, "variables.1.name"),
        ({"variables": [{"name": "bay"}, {"name": "bay"}]}, "variables.1.name"),
        ({"variables": [{"name": "bay", "source": "hearsay"}]}, "variables.0.source"),
        ({"colour": "blue"}, "colour"),
    ],
)
async def test_what_is_wrong_with_an_agent_names_its_field(api: ApiClient, fields: dict[str, Any], path: str) -> None:
    answer = await api.post("/api/agents", {**AGENT, **fields})
    assert answer.status == 422
    assert path in [problem["path"] for problem in answer.json["errors"]]


async def test_an_undeclared_variable_is_told_the_nearest_one(api: ApiClient) -> None:
    answer = await api.post("/api/agents", {"name": "Desk", "instructions": "Call {{caller_phone_numbr}}"})
    assert answer.json["errors"][0]["code"] == "undeclared_variable"
    assert "{{caller_phone_number}}" in answer.json["detail"]


async def test_a_declaration_that_the_instructions_still_use_is_not_taken_away(api: ApiClient) -> None:
    agent = await made(api, "/api/agents", AGENT)
    answer = await api.patch(f"/api/agents/{agent['id']}", {"variables": []})
    assert [problem["path"] for problem in answer.json["errors"]] == ["instructions"]


async def test_agents_are_listed_in_pages_and_found_by_name(api: ApiClient) -> None:
    for name in ("Front desk", "Workshop", "Back desk"):
        await made(api, "/api/agents", {"name": name})
    first = (await api.get("/api/agents?limit=2")).json
    rest = (await api.get(f"/api/agents?limit=2&cursor={first['next_cursor']}")).json
    assert [agent["name"] for agent in first["agents"] + rest["agents"]] == ["Back desk", "Workshop", "Front desk"]
    assert rest["next_cursor"] is None
    assert len((await api.get("/api/agents?name=DESK")).json["agents"]) == 2


async def test_a_tool_is_attached_once_switched_off_and_detached(
    api: ApiClient, database: Database, organization: uuid.UUID
) -> None:
    agent = await made(api, "/api/agents", AGENT)
    tool_id = await store_tool(database, organization)
    path = f"/api/agents/{agent['id']}/tools"
    link = await made(api, path, {"tool_id": tool_id, "config": {"calendar": "main"}})
    assert link["tool"] == {"id": tool_id, "name": "Texter", "type": "sms"}
    assert link["functions"] == [{"name": "text_link", "called_as": "text_link"}]
    again = await api.post(path, {"tool_id": tool_id})
    assert (again.status, again.json["code"]) == (409, "already_attached")
    off = (await api.patch(f"{path}/{tool_id}", {"is_enabled": False})).json["agent_tool"]
    assert (off["is_enabled"], off["config"], off["functions"][0]["called_as"]) == (False, {"calendar": "main"}, None)
    assert (await api.get(path)).json == {"agent_tools": [off], "next_cursor": None}
    assert (await api.delete(f"{path}/{tool_id}")).status == 204
    gone = await api.delete(f"{path}/{tool_id}")
    assert (gone.status, gone.json["code"]) == (404, "agent_tool_not_found")


async def test_functions_whose_names_collide_are_prefixed_and_the_operator_sees_it(
    api: ApiClient, database: Database, organization: uuid.UUID
) -> None:
    agent = await made(api, "/api/agents", AGENT)
    path = f"/api/agents/{agent['id']}/tools"
    for name in ("Morning", "Evening"):
        await made(api, path, {"tool_id": await store_tool(database, organization, name, "send")})
    links = (await api.get(path)).json["agent_tools"]
    assert [link["functions"][0]["called_as"] for link in links] == ["morning_send", "evening_send"]


async def test_a_function_is_switched_off_by_its_name(
    api: ApiClient, database: Database, organization: uuid.UUID
) -> None:
    agent = await made(api, "/api/agents", AGENT)
    path = f"/api/agents/{agent['id']}/tools"
    tool_id = await store_tool(database, organization)
    refused = await api.post(path, {"tool_id": tool_id, "disabled_functions": ["text_links"]})
    assert (refused.status, refused.json["errors"][0]["path"]) == (422, "disabled_functions.0")
    link = await made(api, path, {"tool_id": tool_id, "disabled_functions": ["text_link"]})
    assert link["functions"] == [{"name": "text_link", "called_as": None}]


async def test_sensitive_config_goes_in_sealed_and_never_comes_out(
    api: ApiClient, database: Database, sealer: Sealer, organization: uuid.UUID
) -> None:
    agent = await made(api, "/api/agents", AGENT)
    tool_id = await store_tool(database, organization)
    path = f"/api/agents/{agent['id']}/tools"
    attached = await api.post(path, {"tool_id": tool_id, "sensitive_config": {"password": "hunter2"}})
    listed = await api.get(path)
    assert attached.json["agent_tool"]["has_sensitive_config"] is True
    assert "hunter2" not in attached.text + listed.text
    link_id = uuid.UUID(attached.json["agent_tool"]["id"])
    async with database.tenant(organization) as connection:
        sealed = await connection.fetchval("select sensitive_config from agent_tools where id = $1", link_id)
    opened = await sealer.open(organization, "agent_tools", link_id, "sensitive_config", sealed)
    assert opened == b'{"password":"hunter2"}'
    kept = (await api.patch(f"{path}/{tool_id}", {"config": {"a": 1}})).json["agent_tool"]
    dropped = (await api.patch(f"{path}/{tool_id}", {"sensitive_config": None})).json["agent_tool"]
    assert (kept["has_sensitive_config"], dropped["has_sensitive_config"]) == (True, False)
    assert dropped["config"] == {"a": 1}


async def test_a_draft_may_be_attached_and_has_no_functions(
    api: ApiClient, database: Database, organization: uuid.UUID
) -> None:
    agent = await made(api, "/api/agents", AGENT)
    draft = await store_tool(database, organization, function=None)
    assert (await made(api, f"/api/agents/{agent['id']}/tools", {"tool_id": draft}))["functions"] == []


async def test_a_tool_that_uses_what_only_another_agent_declares_is_not_attached(
    api: ApiClient, database: Database, organization: uuid.UUID
) -> None:
    other = await made(api, "/api/agents", {"name": "Other desk"})
    tool_id = await store_tool(database, organization, text="Come to bay {{bay}}")
    answer = await api.post(f"/api/agents/{other['id']}/tools", {"tool_id": tool_id})
    assert (answer.status, answer.json["errors"][0]["code"]) == (422, "undeclared_variable")
    own = await made(api, "/api/agents", AGENT)
    await made(api, f"/api/agents/{own['id']}/tools", {"tool_id": tool_id})


async def test_an_organization_cannot_reach_anothers_agents_or_tools(
    api: ApiClient,
    other_api: ApiClient,
    database: Database,
    organization: uuid.UUID,
    other_organization: uuid.UUID,
) -> None:
    agent, foreign_agent = await made(api, "/api/agents", AGENT), await made(other_api, "/api/agents", AGENT)
    tool_id = await store_tool(database, organization)
    foreign_tool = await store_tool(database, other_organization)
    path = f"/api/agents/{agent['id']}"
    link = await made(api, f"{path}/tools", {"tool_id": tool_id})
    answers = [
        await other_api.get(path),
        await other_api.patch(path, {"name": "Mine"}),
        await other_api.delete(path),
        await other_api.get(f"{path}/tools"),
        await other_api.post(f"{path}/tools", {"tool_id": foreign_tool}),
        await other_api.get(f"{path}/tools/{tool_id}"),
        await other_api.patch(f"{path}/tools/{tool_id}", {"is_enabled": False}),
        await other_api.delete(f"{path}/tools/{tool_id}"),
        await other_api.post(f"/api/agents/{foreign_agent['id']}/tools", {"tool_id": tool_id}),
    ]
    assert [answer.status for answer in answers] == [404] * 9, [answer.text for answer in answers]
    assert [a["id"] for a in (await other_api.get("/api/agents")).json["agents"]] == [foreign_agent["id"]]
    assert (await api.get(path)).json["agent"] == agent
    assert (await api.get(f"{path}/tools")).json["agent_tools"] == [link]
