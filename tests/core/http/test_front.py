from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated
from urllib.parse import urlsplit

import pytest
import structlog
from fastapi import APIRouter, FastAPI, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from structlog.testing import capture_logs

from fixtures.api import ApiClient, connect
from offhook.core.errors import (
    Conflict,
    NotFound,
    RateLimited,
    ToolError,
    Unauthenticated,
    Unavailable,
)
from offhook.core.http import ApiRoute, Form, Front, Text, install_problems, provide, provided, read_json

RAISED = {
    "conflict": Conflict("It is in use.", extra={"agents": [{"id": "1", "name": "Front desk"}], "status": 200}),
    "not-found": NotFound("There is no such tool."),
    "unauthenticated": Unauthenticated("No key."),
    "unavailable": Unavailable("The database does not answer.", retry_after_seconds=0.2),
    "rate-limited": RateLimited("Too many.", retry_after_seconds=2.1),
    "tool-error": ToolError("Not possible.", detail="the carrier said hunter2"),
    "surprise": RuntimeError("hunter2"),
}


class Entry(Form):
    value: Text


class Body(Form):
    name: Text
    entries: list[Entry] = Field(default_factory=list)


router = APIRouter(route_class=ApiRoute)


@router.post("/forms")
async def post_form(body: Body, name: Annotated[Text | None, Query()] = None) -> Body:
    return body


@router.get("/fast/{kind}")
async def raise_fast(kind: str) -> None:
    raise RAISED[kind]


async def raise_plain(request: Request) -> Response:
    raise RAISED[request.path_params["kind"]]


async def echo(request: Request) -> Response:
    return JSONResponse(await read_json(request, max_bytes=1000))


async def context(request: Request) -> Response:
    return JSONResponse(structlog.contextvars.get_contextvars())


@pytest.fixture
async def client() -> AsyncGenerator[ApiClient]:
    app = FastAPI(routes=[], openapi_url=None)
    app.router.routes.append(Route("/plain/{kind}", raise_plain))
    app.router.routes.append(Route("/echo", echo, methods=["POST"]))
    app.router.routes.append(Route("/context", context))
    app.include_router(router)
    install_problems(app)
    app.add_middleware(Front)
    async with connect(app) as connected:
        yield connected


@pytest.mark.parametrize("kind", ["fast", "plain"])
async def test_errors_are_the_same_problem_on_both_kinds_of_route(client: ApiClient, kind: str) -> None:
    answer = await client.get(f"/{kind}/not-found")
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "code": "not_found",
        "detail": "There is no such tool.",
        "request_id": answer.headers["x-request-id"],
    }


async def test_an_errors_extra_members_are_shown_and_replace_nothing(client: ApiClient) -> None:
    problem = (await client.get("/plain/conflict")).json
    assert problem["agents"] == [{"id": "1", "name": "Front desk"}]
    assert problem["status"] == 409


async def test_a_missing_key_is_told_how_to_authenticate(client: ApiClient) -> None:
    answer = await client.get("/plain/unauthenticated")
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("kind", "status", "seconds"), [("unavailable", 503, "1"), ("rate-limited", 429, "3")])
async def test_what_passes_says_when_to_try_again(client: ApiClient, kind: str, status: int, seconds: str) -> None:
    answer = await client.get(f"/plain/{kind}")
    assert (answer.status, answer.headers["retry-after"]) == (status, seconds)


@pytest.mark.parametrize("path", ["/plain/surprise", "/fast/surprise", "/plain/tool-error"])
async def test_a_surprise_is_a_500_that_tells_nothing_but_the_requests_id(client: ApiClient, path: str) -> None:
    with capture_logs() as logs:
        answer = await client.get(path)
    assert answer.status == 500
    assert answer.json["request_id"] == answer.headers["x-request-id"]
    assert "hunter2" not in answer.text
    assert "hunter2" not in repr(logs)


async def test_a_surprise_is_logged_with_its_place(client: ApiClient) -> None:
    with capture_logs() as logs:
        await client.get("/plain/surprise")
    assert [entry["error_type"] for entry in logs] == ["RuntimeError"]
    assert any("raise_plain" in frame for frame in logs[0]["where"])


async def test_an_unknown_address_and_a_wrong_method_are_problems(client: ApiClient) -> None:
    missing, wrong = await client.get("/nowhere"), await client.send("PUT", "/echo")
    assert (missing.status, missing.json["code"]) == (404, "not_found")
    assert (wrong.status, wrong.json["code"]) == (405, "method_not_allowed")
    assert wrong.headers["allow"] == "POST"


async def test_a_wrong_field_is_named_and_its_value_is_not_repeated(client: ApiClient) -> None:
    answer = await client.post("/forms", {"name": 7, "entries": [{"value": "x"}, {"value": ["hunter2"]}], "extra": 1})
    assert answer.status == 422
    assert [problem["path"] for problem in answer.json["errors"]] == ["name", "entries.1.value", "extra"]
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("path", ["/forms", "/echo"])
async def test_a_body_that_is_no_json_is_a_bad_request(client: ApiClient, path: str) -> None:
    answer = await client.send("POST", path, data=b"hello")
    assert (answer.status, answer.json["code"]) == (400, "not_json")


async def test_a_form_body_is_told_to_be_json(client: ApiClient) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = await client.send("POST", "/forms", data=b"name=x", headers=form)
    assert answer.status == 400
    assert "Content-Type: application/json" in answer.json["detail"]


@pytest.mark.parametrize("path", ["/forms", "/echo"])
async def test_nul_in_a_body_is_refused_with_its_path(client: ApiClient, path: str) -> None:
    answer = await client.send("POST", path, data=rb'{"name": "a\u0000b"}')
    assert (answer.status, answer.json["errors"][0]["path"]) == (422, "name")


async def test_nul_in_a_query_is_refused_with_its_name(client: ApiClient) -> None:
    answer = await client.send("POST", "/forms?name=%00", {"name": "x"})
    assert (answer.status, answer.json["errors"][0]["path"]) == (422, "name")


async def test_a_body_over_the_limit_is_refused(client: ApiClient) -> None:
    answer = await client.send("POST", "/forms", data=b" " * 100_000)
    assert (answer.status, answer.json["code"]) == (413, "too_large")


def _send_all_then_listen(url: str, body: bytes) -> bytes:
    """As urllib does: nothing is read before the last byte is sent."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        head = f"POST /forms HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        return b"".join(iter(lambda: connection.recv(65536), b""))


async def test_a_client_that_listens_only_when_it_has_sent_gets_its_refusal(client: ApiClient) -> None:
    answer = await asyncio.to_thread(_send_all_then_listen, client.base, b" " * 8_000_000)
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_a_client_that_asks_before_it_sends_is_refused_at_once(client: ApiClient) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(client.base.rpartition(":")[2]))
    writer.write(b"POST /forms HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 100000\r\n\r\n")
    assert (await asyncio.wait_for(reader.readline(), 3)).startswith(b"HTTP/1.1 413 ")
    writer.close()


async def _chunks() -> AsyncIterator[bytes]:
    for _ in range(100):
        yield b" " * 1000


@pytest.mark.parametrize("path", ["/forms", "/echo"])
async def test_a_body_that_hides_its_length_is_counted(client: ApiClient, path: str) -> None:
    answer = await client.send("POST", path, data=_chunks())
    assert (answer.status, answer.json["code"]) == (413, "too_large")


async def test_a_route_may_have_a_lower_limit(client: ApiClient) -> None:
    answer = await client.send("POST", "/echo", data=b'"' + b"x" * 2000 + b'"')
    assert (answer.status, "1000" in answer.json["detail"]) == (413, True)


async def test_a_request_id_that_was_sent_is_kept_and_logged(client: ApiClient) -> None:
    answer = await client.send("GET", "/context", headers={"x-request-id": "trace-0001"})
    assert answer.headers["x-request-id"] == "trace-0001"
    assert answer.json == {"request_id": "trace-0001"}


@pytest.mark.parametrize("given", ["short", "x" * 65, "two words", '"><script>'])
async def test_a_request_id_of_another_form_is_replaced(client: ApiClient, given: str) -> None:
    answer = await client.send("GET", "/context", headers={"x-request-id": given})
    assert uuid.UUID(hex=answer.headers["x-request-id"]).version == 7


def test_a_service_is_found_by_its_class_and_missed_by_name() -> None:
    app = FastAPI(openapi_url=None)
    provide(app, [uuid.UUID(int=7)])
    provide(app, ["text"])
    request = Request({"type": "http", "app": app})
    assert (provided(uuid.UUID)(request), provided(str)(request)) == (uuid.UUID(int=7), "text")
    with pytest.raises(LookupError, match="no Body was given"):
        provided(Body)(request)
