"""The whole application, as `offhook api` serves it."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncGenerator, Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from fixtures.api import WORKER_KEY, ApiClient, connect
from offhook.apps.api import create_app
from offhook.apps.api_docs import render_docs
from offhook.apps.openapi_file import make_document
from offhook.apps.wiring import Services, make_services
from offhook.core.db.pool import Database
from offhook.core.ids import new_id
from offhook.core.settings import Settings
from offhook.secrets import KeyRing

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture
async def services(database: Database, ring: KeyRing) -> AsyncGenerator[Services]:
    settings = Settings.from_environment({"OFFHOOK_HOME": ".", "OFFHOOK_WORKER_KEY": WORKER_KEY})
    made = make_services(settings, database, ring)
    yield made
    await made.telephony.close()


@pytest.fixture
async def anonymous(services: Services) -> AsyncGenerator[ApiClient]:
    async with connect(create_app(services.parts())) as client:
        yield client


@pytest.fixture
async def api(anonymous: ApiClient, services: Services, organization: uuid.UUID) -> ApiClient:
    _, key = await services.organizations.create_api_key(organization, "test", ["admin"])
    return anonymous.with_key(key)


@pytest.fixture
async def document() -> dict[str, Any]:
    return await make_document()


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path with ids (and a number) that nothing has, operation."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                numbered = path.replace("{number}", "+12025550140")
                yield method.upper(), re.sub(r"\{\w+\}", str(new_id()), numbered), item[method]


async def test_no_operation_answers_without_a_key_of_the_right_form(
    anonymous: ApiClient, document: dict[str, Any]
) -> None:
    for client in (anonymous, anonymous.with_key("nonsense")):
        for method, path, operation in _operations(document):
            if operation.get("security"):
                answer = await client.send(method, path, {} if method != "GET" else None)
                assert answer.status == 401, f"{method} {path}: {answer.status} {answer.text}"


async def test_an_id_that_nothing_has_is_not_found_by_any_operation(api: ApiClient, document: dict[str, Any]) -> None:
    for method, path, operation in _operations(document):
        has_id = any(parameter["in"] == "path" for parameter in operation.get("parameters", ()))
        # Without a key only signed addresses lead anywhere, and these are forged.
        if has_id and method in ("GET", "DELETE") and operation.get("security"):
            answer = await api.send(method, path)
            assert answer.status == 404, f"{method} {path}: {answer.status} {answer.text}"


async def test_the_deployments_worker_lists_nothing_of_any_organization(
    anonymous: ApiClient, document: dict[str, Any]
) -> None:
    worker = anonymous.with_key(WORKER_KEY)
    for method, path, operation in _operations(document):
        if method == "GET" and operation.get("security") and "/livekit/" not in path:
            answer = await worker.get(path)
            assert answer.status in (403, 404), f"{path}: {answer.status} {answer.text}"


async def test_health_says_whether_the_database_answers(anonymous: ApiClient, database: Database) -> None:
    assert (await anonymous.get("/health")).json["status"] == "ok"
    await database.close()
    assert (await anonymous.get("/health")).status == 503


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.targets += [value or "" for name, value in attrs if name in ("src", "href", "action")]


async def test_the_documentation_is_one_page_that_needs_nothing_from_elsewhere(anonymous: ApiClient) -> None:
    home = await anonymous.get("/")
    assert (home.status, home.headers["location"]) == (307, "/docs")
    page = await anonymous.get("/docs")
    links = _Links()
    links.feed(page.text)
    assert not {"script", "link", "img", "iframe"} & set(links.tags)
    assert all(target == "/openapi.json" or target.startswith("#") for target in links.targets)
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    for piece in ("/api/tools/{tool_id}", "recipients", "problem+json", "Authorization: Bearer $OFFHOOK_API_KEY"):
        assert piece in page.text
    assert (await anonymous.get("/openapi.json")).json["info"]["title"] == "Offhook"


async def test_every_operation_is_in_the_documentation(anonymous: ApiClient, document: dict[str, Any]) -> None:
    page = (await anonymous.get("/docs")).text
    for _, _, operation in _operations(document):
        assert f'id="{operation["operationId"]}"' in page


def test_the_documentation_escapes_what_it_shows() -> None:
    document = {
        "info": {"title": "<i>", "version": "1", "description": "`<b>`"},
        "paths": {
            "/x": {
                "get": {
                    "operationId": "x",
                    "summary": "<script>",
                    "responses": {"200": {"description": "<script>"}},
                    "parameters": [{"name": "<script>", "in": "query", "schema": {"type": "string", "default": "<"}}],
                }
            }
        },
    }
    page = render_docs(document)
    assert "<script>" not in page
    assert "<code>&lt;b&gt;</code>" in page


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/tools/", "/nowhere", "/docs/x", "/redoc"])
async def test_an_unknown_address_is_a_problem(anonymous: ApiClient, path: str) -> None:
    answer = await anonymous.get(path)
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
