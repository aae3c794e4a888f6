from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from fixtures.api import ApiClient, client_of
from offhook.agents.attachments import AttachmentService
from offhook.agents.endpoints import agents_part
from offhook.agents.service import AgentService
from offhook.core.db.pool import Database
from offhook.core.http import Part
from offhook.organizations import OrganizationService
from offhook.secrets import KeyRing, Sealer
from offhook.testing import FakeConsent, FakeMessenger
from offhook.tools.endpoints import tools_part
from offhook.tools.ports import OwnNumber, Ports
from offhook.tools.service import ToolService

LINK = "Book your repair slot here: https://spokeandchain.example/book"
SMS: dict[str, Any] = {
    "name": "Text the booking link",
    "type": "sms",
    "label": "Booking link",
    "description": "Texts the booking link.",
    "from": {"type": "called_number"},
    "text": {"mode": "fixed", "value": LINK},
    "recipients": {"mode": "fixed", "value": ["{{caller_phone_number}}"]},
}
NOWHERE = "/api/tools/0190f3a2-7c1e-7d3b-9a54-0f6f7d2c1b11"


class NoNumbers:
    async def find(self, organization_id: uuid.UUID, phone_number_id: uuid.UUID) -> OwnNumber | None:
        return None


@pytest.fixture
def parts(database: Database, ring: KeyRing) -> Sequence[Part]:
    ports = Ports(messenger=FakeMessenger(), consent=FakeConsent(), numbers=NoNumbers())  # pyright: ignore[reportArgumentType]
    attachments = AttachmentService(database, Sealer(database, ring))
    return tools_part(ToolService(database, ports)), agents_part(AgentService(database), attachments)


async def made(api: ApiClient, path: str, body: dict[str, Any]) -> Any:
    """What was created, out of its envelope."""
    answer = await api.post(path, body)
    assert answer.status == 201, answer.text
    return next(iter(answer.json.values()))


def paths(answer: Any) -> list[str]:
    assert answer.status == 422, answer.text
    return [problem["path"] for problem in answer.json["errors"]]


async def test_a_tool_is_compiled_stored_and_read_again(api: ApiClient) -> None:
    tool = await made(api, "/api/tools", SMS)
    assert (tool["name"], tool["label"], tool["type"], tool["async"]) == (SMS["name"], "Booking link", "sms", False)
    assert tool["function_schema"]["name"] == "text_the_booking_link"
    assert tool["static_config"]["text"] == LINK
    assert tool["config_metadata"] == {key: value for key, value in SMS.items() if key != "name"}
    assert (await api.get(f"/api/tools/{tool['id']}")).json == {"tool": tool}


async def test_a_name_alone_makes_a_draft_that_a_type_completes(api: ApiClient) -> None:
    draft = await made(api, "/api/tools", {"name": "Text the booking link"})
    assert (draft["type"], draft["function_schema"], draft["static_config"]) == (None, None, {})
    form = {key: value for key, value in SMS.items() if key != "name"}
    answer = await api.patch(f"/api/tools/{draft['id']}", form)
    assert answer.json["tool"]["function_schema"]["name"] == "text_the_booking_link"


@pytest.mark.parametrize("missing", [{}, {"type": None}])
async def test_a_form_without_a_type_is_refused(api: ApiClient, missing: dict[str, Any]) -> None:
    answer = await api.post("/api/tools", {"name": "Texter", "text": {"mode": "fixed", "value": "x"}, **missing})
    assert answer.status == 422
    assert "Send a type" in answer.json["detail"]


async def test_a_change_keeps_what_it_does_not_name(api: ApiClient) -> None:
    tool = await made(api, "/api/tools", SMS)
    answer = await api.patch(
        f"/api/tools/{tool['id']}", {"name": "Send the link", "label": None, "text": {"mode": "fixed", "value": "Hi"}}
    )
    changed = answer.json["tool"]
    assert (changed["name"], changed["label"], changed["description"]) == ("Send the link", "", SMS["description"])
    assert changed["function_schema"]["name"] == "send_the_link"
    assert changed["static_config"]["text"] == "Hi"
    assert changed["config_metadata"]["recipients"] == SMS["recipients"]
    assert changed["updated_at"] > tool["updated_at"]


async def test_two_tools_may_have_one_name(api: ApiClient) -> None:
    assert (await made(api, "/api/tools", SMS))["id"] != (await made(api, "/api/tools", SMS))["id"]


@pytest.mark.parametrize("name", ["", "x", " x ", "x" * 51, 7, None])
async def test_a_name_has_2_to_50_characters(api: ApiClient, name: Any) -> None:
    assert paths(await api.post("/api/tools", {**SMS, "name": name})) == ["name"]


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("type", "carrier_pigeon", "type"),
        ("text", {"mode": "fixed", "value": "Hi {{caller_phone_numbr}}"}, "text.value"),
        ("text", {"mode": "fixed", "value": "Hi {{caller"}, "text.value"),
        ("text", {"mode": "fixed", "value": "x" * 1601}, "text.value"),
        ("recipients", {"mode": "ai"}, "recipients.prompt"),
        ("recipients", {"mode": "fixed", "value": ["not a number"]}, "recipients.value.0"),
        ("from", {"type": "specific_number", "phone_number_id": str(uuid.uuid4())}, "from.phone_number_id"),
        ("colour", "blue", "colour"),
        ("label", "x" * 101, "label"),
        ("description", "x" * 4001, "description"),
    ],
)
async def test_what_is_wrong_with_a_form_names_its_field(api: ApiClient, field: str, value: Any, path: str) -> None:
    assert path in paths(await api.post("/api/tools", {**SMS, field: value}))
    assert (await api.get("/api/tools")).json["tools"] == []


async def test_an_undeclared_variable_is_told_the_nearest_one(api: ApiClient) -> None:
    answer = await api.post("/api/tools", {**SMS, "text": {"mode": "fixed", "value": "{{caller_phone_numbr}}"}})
    assert "{{caller_phone_number}}" in answer.json["detail"]


async def test_a_variable_that_the_organization_or_an_agent_declares_is_known(api: ApiClient) -> None:
    await api.patch("/api/organization", {"settings": {"variables": [{"name": "workshop"}]}})
    await made(api, "/api/agents", {"name": "Desk", "variables": [{"name": "bay", "example": "3"}]})
    text = {"mode": "fixed", "value": "{{workshop}}, bay {{bay}}"}
    assert (await api.post("/api/tools", {**SMS, "text": text})).status == 201


@pytest.mark.parametrize("path", ["/api/tools", "/api/tools/preview"])
@pytest.mark.parametrize("escape", [r"\u0000", r"\ud800"])
async def test_nul_and_lone_surrogates_are_refused_with_their_path(api: ApiClient, path: str, escape: str) -> None:
    body = rb'{"name": "Texter", "type": "sms", "text": {"mode": "fixed", "value": "' + escape.encode() + rb'"}}'
    assert paths(await api.send("POST", path, data=body)) == ["text.value"]


@pytest.mark.parametrize(
    ("data", "status"),
    [(b"hello", 400), (b"[]", 422), (b"", 422), (b'{"name": "x', 400), (b"[" * 40_000, 422), (b" " * 100_000, 413)],
)
async def test_a_body_that_is_no_tool_is_a_clear_error(api: ApiClient, data: bytes, status: int) -> None:
    assert (await api.send("POST", "/api/tools", data=data)).status == status


async def test_a_preview_compiles_and_stores_nothing(api: ApiClient) -> None:
    preview = (await api.post("/api/tools/preview", {k: v for k, v in SMS.items() if k != "name"})).json["preview"]
    assert preview["function_schema"]["name"] == "booking_link"
    assert preview["insight"]["segments"] == 1
    assert (await api.get("/api/tools")).json["tools"] == []


async def test_a_list_pages_and_filters(api: ApiClient) -> None:
    for number in range(5):
        await made(api, "/api/tools", {"name": f"Draft {number}"})
    await made(api, "/api/tools", SMS)
    seen, cursor = [], ""
    while cursor is not None:
        page = (await api.get(f"/api/tools?limit=2{f'&cursor={cursor}' if cursor else ''}")).json
        seen += [tool["name"] for tool in page["tools"]]
        cursor = page["next_cursor"]
    assert seen == [SMS["name"], *(f"Draft {number}" for number in reversed(range(5)))]
    assert len((await api.get("/api/tools?name=dRAFT")).json["tools"]) == 5
    assert [tool["name"] for tool in (await api.get("/api/tools?type=sms")).json["tools"]] == [SMS["name"]]
    assert (await api.get("/api/tools?name=%25")).json["tools"] == []


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=nonsense", "name=%00"])
async def test_a_list_refuses_what_is_no_page(api: ApiClient, query: str) -> None:
    assert paths(await api.get(f"/api/tools?{query}")) == [query.partition("=")[0]]


async def test_a_used_tool_is_deleted_only_when_it_is_detached(api: ApiClient) -> None:
    tool = await made(api, "/api/tools", SMS)
    agent = await made(api, "/api/agents", {"name": "Workshop desk"})
    await made(api, f"/api/agents/{agent['id']}/tools", {"tool_id": tool["id"]})
    refused = await api.delete(f"/api/tools/{tool['id']}")
    assert (refused.status, refused.json["code"]) == (409, "tool_in_use")
    assert refused.json["agents"] == [{"id": agent["id"], "name": "Workshop desk"}]
    assert (await api.delete(f"/api/tools/{tool['id']}?detach=true")).status == 204
    assert (await api.get(f"/api/agents/{agent['id']}/tools")).json["agent_tools"] == []
    assert (await api.get(f"/api/tools/{tool['id']}")).status == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", NOWHERE, None), ("PATCH", NOWHERE, {"name": "Other"}), ("DELETE", NOWHERE, None)],
)
async def test_a_tool_that_is_not_there_is_not_found(api: ApiClient, method: str, path: str, body: Any) -> None:
    answer = await api.send(method, path, body)
    assert (answer.status, answer.json["code"]) == (404, "tool_not_found")


async def test_another_organizations_tool_is_not_found(api: ApiClient, other_api: ApiClient) -> None:
    tool = await made(api, "/api/tools", SMS)
    path = f"/api/tools/{tool['id']}"
    answers = [await other_api.get(path), await other_api.patch(path, {"name": "Mine"}), await other_api.delete(path)]
    assert [(answer.status, answer.json["code"]) for answer in answers] == [(404, "tool_not_found")] * 3
    assert (await other_api.get("/api/tools")).json["tools"] == []
    assert (await api.get(path)).json["tool"] == tool


@pytest.mark.parametrize(("scope", "status"), [("read", 403), ("worker", 403), ("admin", 201)])
async def test_only_an_admin_makes_tools_and_any_key_reads_them(
    anonymous: ApiClient, organizations: OrganizationService, organization: uuid.UUID, scope: str, status: int
) -> None:
    client = await client_of(anonymous, organizations, organization, [scope])
    assert (await client.post("/api/tools", SMS)).status == status
    assert (await client.get("/api/tools")).status == 200


@pytest.mark.parametrize("key", ["", "offhook_live_x", "offhook_live_" + "0" * 32 + "_" + "A" * 43])
async def test_a_wrong_key_opens_nothing_whatever_else_is_wrong(anonymous: ApiClient, key: str) -> None:
    answer = await anonymous.with_key(key).send("POST", "/api/tools?limit=x", data=b"hello")
    assert (answer.status, answer.json["status"]) == (401, 401)
    assert "www-authenticate" in answer.headers
