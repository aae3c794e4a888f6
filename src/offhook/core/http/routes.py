"""Routes of the API: FastAPI's, whose bodies are read by us, and plain ones that document themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from offhook.core.errors import BadRequest
from offhook.core.http.body import read_json


class JsonRequest(Request):
    """A request whose JSON is read as `read_json` does, once."""

    _value: Any

    async def json(self) -> Any:
        if not hasattr(self, "_value"):
            self._value = await read_json(self)
        return self._value


class ApiRoute(APIRoute):
    """FastAPI's route, with our reading of bodies. `admit` runs before the body is read."""

    async def admit(self, request: Request) -> None:
        """Raises what keeps this request out; nothing here."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            own = JsonRequest(request.scope, request.receive)
            await self.admit(own)
            if self.body_field is not None and await own.body():
                _require_json(own)
                await own.json()
            return await answer(own)

        return handle


def _require_json(request: Request) -> None:
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise BadRequest("Send the body as JSON, with the header Content-Type: application/json.", code="not_json")


@dataclass(frozen=True, slots=True)
class HotRoute:
    """A plain Starlette route, for requests that FastAPI would slow down, with its place in the OpenAPI document.

    `operation` is the OpenAPI Operation Object without `operationId` and `responses` for errors, which are added.
    """

    method: str
    path: str
    endpoint: Callable[[Request], Awaitable[Response]]
    operation_id: str
    operation: Mapping[str, Any]
    """Its `responses` name the good ones; schemas stand inline."""
    authenticated: bool = True
    max_body_bytes: int | None = None
    """Where it takes more than the application's limit; it is still to read them a piece at a time."""


def inline_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The model's JSON Schema with its references resolved in place (hot routes document themselves inline)."""
    schema = model.model_json_schema()
    definitions: dict[str, Any] = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:
        match node:
            case {"$ref": str(reference)}:
                return resolve(definitions[reference.rpartition("/")[2]])
            case dict():
                return {key: resolve(value) for key, value in cast("dict[str, Any]", node).items()}
            case list():
                return [resolve(item) for item in cast("list[Any]", node)]
            case _:
                return node

    return resolve(schema)


@dataclass(frozen=True, slots=True)
class Part:
    """What one domain brings to the application."""

    services: Sequence[object] = field(default_factory=tuple[object, ...])
    routers: Sequence[APIRouter] = field(default_factory=tuple[APIRouter, ...])
    routes: Sequence[HotRoute] = field(default_factory=tuple[HotRoute, ...])
