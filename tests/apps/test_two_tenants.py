"""Two organizations at one API: with another organization's key, every id is the id of nothing."""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from fixtures.api import ApiClient, connect
from fixtures.tenants import NUMBER, Tenant, make_tenant, rows_of
from offhook.apps.api import create_app
from offhook.apps.openapi_file import make_document
from offhook.apps.wiring import make_services
from offhook.core.db.pool import Database
from offhook.core.settings import Settings
from offhook.secrets import KeyRing

METHODS = ("get", "post", "put", "patch", "delete")

TABLES = {
    "account_id": "carrier_accounts",
    "agent_id": "agents",
    "alert_id": "alerts",
    "conversation_id": "conversations",
    "key_id": "api_keys",
    "media_id": "media",
    "message_id": "messages",
    "number_id": "phone_numbers",
    "platform_tool_id": "platform_tools",
    "service_id": "messaging_services",
    "tool_id": "tools",
}
"""Parameter of a path → the table whose id it is."""

Body = Callable[[Tenant, Tenant], Mapping[str, Any]]
"""A valid body of an operation. The first organization is the one that does not own the key."""

BODIES: dict[str, Body] = {
    "attach_tool": lambda theirs, ours: {"tool_id": str(ours.ids["tools"])},
    "change_agent": lambda theirs, ours: {"name": "Changed"},
    "change_agent_tool": lambda theirs, ours: {"is_enabled": False},
    "change_carrier_account": lambda theirs, ours: {"label": "Changed", "credentials": {"auth_token": "x"}},
    "cancel_message": lambda theirs, ours: {},
    "change_messaging_service": lambda theirs, ours: {"label": "Changed"},
    "change_phone_number": lambda theirs, ours: {"label": "Changed", "agent_id": None},
    "change_platform_tool": lambda theirs, ours: {"display_name": "Changed"},
    "change_tool": lambda theirs, ours: {"name": "Changed"},
    "close_conversation": lambda theirs, ours: {"reason": "over"},
    "redact_message": lambda theirs, ours: {},
    "resolve_alert": lambda theirs, ours: {},
    "start_carrier_account": lambda theirs, ours: {},
    "start_messaging_service": lambda theirs, ours: {},
    "start_phone_number": lambda theirs, ours: {},
    "make_tool_call": lambda theirs, ours: {"id": str(uuid.uuid4()), "function": "f", "arguments": {}},
}

UNSIGNED = {"receive_carrier_webhook", "serve_medium"}
"""No key leads there: the carrier signs for its account, and we sign the addresses of media."""

BY_NUMBER = {"delete_suppression"}
"""A phone number is no row's id, and may be on both lists: see tests/telephony/test_suppressions.py."""


@dataclass(frozen=True)
class Worlds:
    """`api` holds the key of `ours`."""

    api: ApiClient
    theirs: Tenant
    ours: Tenant


@pytest.fixture
async def worlds(
    database: Database, ring: KeyRing, organization: uuid.UUID, other_organization: uuid.UUID
) -> AsyncGenerator[Worlds]:
    services = make_services(Settings.from_environment({"OFFHOOK_HOME": "."}), database, ring)
    theirs, ours = await make_tenant(database, organization), await make_tenant(database, other_organization)
    _, key = await services.organizations.create_api_key(ours.organization_id, "test", ["admin"])
    async with connect(create_app(services.parts())) as client:
        yield Worlds(client.with_key(key), theirs, ours)
    await services.telephony.close()


async def operations() -> list[tuple[str, str, str]]:
    """Method, path and id of every operation whose path names a row."""
    document = await make_document()
    return [
        (method.upper(), path, item[method]["operationId"])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item and "{" in path and item[method]["operationId"] not in UNSIGNED | BY_NUMBER
    ]


def addresses(path: str, worlds: Worlds) -> Iterator[str]:
    """The path with the other organization's ids: all of them, and each with ids of our own beside it."""
    names = re.findall(r"\{(\w+)\}", path)
    for owners in itertools.product((worlds.theirs, worlds.ours), repeat=len(names)):
        if worlds.theirs in owners:
            ids = {name: owner.ids[TABLES[name]] for name, owner in zip(names, owners, strict=True)}
            yield path.format(**ids)


async def test_no_operation_finds_another_organizations_row(database: Database, worlds: Worlds) -> None:
    before = await rows_of(database, worlds.theirs.organization_id)
    tried = await operations()
    assert {name for method, _, name in tried if method in ("POST", "PUT", "PATCH")} == set(BODIES)
    for method, path, name in tried:
        body = BODIES[name](worlds.theirs, worlds.ours) if name in BODIES else None
        for address in addresses(path, worlds):
            answer = await worlds.api.send(method, address, body)
            assert answer.status == 404, f"{method} {address}: {answer.status} {answer.text}"
            assert answer.json["code"].endswith("not_found"), f"{method} {address}: {answer.text}"
    assert await rows_of(database, worlds.theirs.organization_id) == before


async def test_our_own_rows_are_found_with_the_same_bodies(worlds: Worlds) -> None:
    """Or the test above would prove nothing."""
    readable = [(method, path) for method, path, _ in await operations() if method == "GET"]
    changes = [(path, name) for method, path, name in await operations() if method == "PATCH"]
    assert len(readable) > 5
    assert len(changes) > 5
    for _, path in readable:
        assert (await worlds.api.get(_own(path, worlds))).status == 200, path
    for path, name in changes:
        answer = await worlds.api.patch(_own(path, worlds), BODIES[name](worlds.theirs, worlds.ours))
        assert answer.status == 200, f"{path}: {answer.text}"


def _own(path: str, worlds: Worlds) -> str:
    return path.format(**{name: worlds.ours.ids[table] for name, table in TABLES.items()})


def _text(**more: Any) -> dict[str, Any]:
    return {"to": "+12025550140", "body": "Hello", "from": NUMBER, **more}


LINKS: list[tuple[str, str, Body, int]] = [
    ("POST", "/api/agents/{agent_id}/tools", lambda t, o: {"tool_id": str(t.ids["tools"])}, 404),
    ("POST", "/api/phone-numbers", lambda t, o: {"number": "+12025550101", "agent_id": str(t.ids["agents"])}, 404),
    (
        "POST",
        "/api/phone-numbers",
        lambda t, o: {"number": "+12025550101", "carrier_account_id": str(t.ids["carrier_accounts"])},
        404,
    ),
    ("PATCH", "/api/phone-numbers/{number_id}", lambda t, o: {"agent_id": str(t.ids["agents"])}, 404),
    (
        "PATCH",
        "/api/phone-numbers/{number_id}",
        lambda t, o: {"carrier_account_id": str(t.ids["carrier_accounts"])},
        404,
    ),
    ("POST", "/api/messages", lambda t, o: _text(conversation_id=str(t.ids["conversations"])), 404),
    (
        "POST",
        "/api/messages",
        lambda t, o: {
            "to": "+12025550140",
            "body": "Hello",
            "messaging_service_id": str(t.ids["messaging_services"]),
        },
        422,
    ),
    ("POST", "/api/messages", lambda t, o: _text(media=[{"media_id": str(t.ids["media"])}]), 422),
    (
        "POST",
        "/api/messaging-services",
        lambda t, o: {"carrier_account_id": str(t.ids["carrier_accounts"]), "external_id": "MG" + "0" * 32},
        404,
    ),
    (
        "POST",
        "/api/conversations",
        lambda t, o: {"id": str(uuid.uuid4()), "channel": "web", "agent_id": str(t.ids["agents"])},
        404,
    ),
    (
        "POST",
        "/api/conversations",
        lambda t, o: {"id": str(t.ids["conversations"]), "channel": "web", "agent_id": str(o.ids["agents"])},
        409,
    ),
    (
        "POST",
        "/api/livekit/agent-send-sms",
        lambda t, o: {"roomName": f"room-{t.ids['conversations']}", "body": "Hello"},
        404,
    ),
    (
        "POST",
        "/api/tools",
        lambda t, o: {
            "name": "Text them",
            "type": "sms",
            "from": {"type": "specific_number", "phone_number_id": str(t.ids["phone_numbers"])},
            "text": {"mode": "fixed", "value": "Hello"},
            "recipients": {"mode": "fixed", "value": ["{{caller_phone_number}}"]},
        },
        422,
    ),
]
"""Bodies that name another organization's row, and what they are answered."""


@pytest.mark.parametrize(("method", "path", "body", "status"), LINKS)
async def test_nothing_of_ours_is_linked_to_another_organizations_row(
    database: Database, worlds: Worlds, method: str, path: str, body: Body, status: int
) -> None:
    before = [await rows_of(database, owner.organization_id) for owner in (worlds.theirs, worlds.ours)]
    answer = await worlds.api.send(method, _own(path, worlds), body(worlds.theirs, worlds.ours))
    assert answer.status == status, answer.text
    assert [await rows_of(database, owner.organization_id) for owner in (worlds.theirs, worlds.ours)] == before


async def test_lists_show_only_our_own(worlds: Worlds) -> None:
    document = await make_document()
    lists = [path for path, item in document["paths"].items() if "get" in item and "{" not in path]
    strange = {str(identity) for identity in worlds.theirs.ids.values()} | {str(worlds.theirs.organization_id)}
    for path in lists:
        for query in (
            "",
            f"?agent_id={worlds.theirs.ids['agents']}",
            f"?room=room-{worlds.theirs.ids['conversations']}",
        ):
            answer = await worlds.api.get(path + query)
            assert answer.status < 500, path
            assert not {identity for identity in strange if identity in answer.text}, path + query
