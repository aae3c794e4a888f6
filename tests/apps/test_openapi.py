from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from fixtures.sources import ROOT
from offhook.apps.api import create_app
from offhook.apps.openapi import as_text, operations
from offhook.apps.openapi_file import make_document
from offhook.core.destination import DestinationPolicy
from offhook.core.http import HotRoute, Part
from offhook.organizations.service import VARIABLES
from offhook.telephony.consent.destinations import SETTING as DESTINATIONS
from offhook.telephony.consent.destinations import check_destinations, read_policy
from offhook.telephony.consent.texting import SETTING as TEXTING
from offhook.telephony.consent.texting import TextingPolicy, check_texting, read_texting

COMMITTED = ROOT / "docs" / "reference" / "openapi.json"


@pytest.fixture
async def document() -> dict[str, Any]:
    return await make_document()


async def test_the_committed_document_is_the_applications() -> None:
    current = as_text(await make_document())
    assert COMMITTED.read_text(encoding="utf-8") == current, "run `offhook openapi --write` and commit what it wrote"


async def test_every_operation_says_what_it_does_and_how_it_fails(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    for operation in operations(document):
        assert operation["summary"], operation["operationId"]
        assert operation["tags"], operation["operationId"]
        problem = operation["responses"]["default"]
        assert "content" in problem or problem == {"$ref": "#/components/responses/Problem"}


async def test_every_reference_in_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [found for value in node.values() for found in references(value)]
        return [found for item in node for found in references(item)] if isinstance(node, list) else []

    for reference in set(references(document)):
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            assert step in target, reference
            target = target[step]


async def test_everything_wants_a_key_except_what_is_signed(document: dict[str, Any]) -> None:
    unsecured = {operation["operationId"] for operation in operations(document) if not operation.get("security")}
    assert unsecured == {"receive_carrier_webhook", "livekit_webhook", "serve_medium"}


async def test_texting_the_caller_says_that_its_errors_have_a_shape_of_their_own(document: dict[str, Any]) -> None:
    responses = document["paths"]["/api/livekit/agent-send-sms"]["post"]["responses"]
    assert set(responses) == {"200", "default"}
    own = responses["default"]["content"]["application/json"]["schema"]
    assert (own["required"], set(own["properties"])) == (["error", "message"], {"error", "message"})


async def test_a_tools_body_has_a_schema_for_every_tool_type(document: dict[str, Any]) -> None:
    variants = document["components"]["schemas"]["NewTool"]["anyOf"]
    assert [variant["properties"].get("type", {}).get("const") for variant in variants] == [None, "sms"]
    assert all("name" in variant["required"] for variant in variants)


async def test_the_settings_of_an_organization_are_those_that_are_checked(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    change = schemas["OrganizationChange"]["properties"]["settings"]["anyOf"][0]["properties"]
    assert set(change) == set(schemas["OrganizationOut"]["properties"]["settings"]["properties"])
    assert set(change) == {VARIABLES, DESTINATIONS, TEXTING}
    assert change[DESTINATIONS]["anyOf"][0] == {"$ref": "#/components/schemas/DestinationsSetting"}
    documented = schemas["DestinationsSetting"]["properties"]
    defaults = {name: shown["default"] for name, shown in documented.items()}
    assert read_policy(check_destinations(defaults)) == read_policy(None) == DestinationPolicy()
    assert change[TEXTING]["anyOf"][0] == {"$ref": "#/components/schemas/TextingSetting"}
    documented = schemas["TextingSetting"]["properties"]
    defaults = {name: shown.get("default") for name, shown in documented.items()}
    assert read_texting(check_texting(defaults)) == read_texting(None) == TextingPolicy()


async def hot(request: Request) -> Response:
    return Response()


def test_a_hot_route_is_documented_as_it_describes_itself() -> None:
    operation = {"summary": "Hot", "tags": ["hot"], "responses": {"204": {"description": "Done"}}}
    app = create_app([Part(routes=(HotRoute("POST", "/api/hot", hot, "hot", operation),))])
    documented = app.state.openapi["paths"]["/api/hot"]["post"]
    assert (documented["operationId"], documented["security"]) == ("hot", [{"ApiKey": []}])
    assert list(documented["responses"]) == ["204", "401", "403", "default"]
    assert "401" not in json.dumps(operation)


def test_a_hot_route_whose_errors_have_another_shape_says_so_itself() -> None:
    error = {"description": "Not sent", "content": {"application/json": {"schema": {"type": "object"}}}}
    route = HotRoute("POST", "/api/hot", hot, "hot", {"responses": {"200": {"description": "OK"}, "default": error}})
    documented = create_app([Part(routes=(route,))]).state.openapi["paths"]["/api/hot"]["post"]
    assert documented["responses"] == {"200": {"description": "OK"}, "default": error}


def test_two_operations_with_one_id_are_refused() -> None:
    router = APIRouter()

    @router.get("/hot")
    async def hot_too() -> None: ...

    routes = (HotRoute("POST", "/api/hot", hot, "hot_too", {}),)
    with pytest.raises(ValueError, match="hot_too"):
        create_app([Part(routers=(router,), routes=routes)])
