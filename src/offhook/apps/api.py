"""The HTTP application, put together from the parts that the domains bring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from offhook.apps.api_docs import render_docs
from offhook.apps.openapi import build_document
from offhook.core.db.pool import Database
from offhook.core.http import MAX_BODY_BYTES, Front, HotRoute, Part, install_problems, provide, provided

Lifespan = Callable[[Any], AbstractAsyncContextManager[None]]

# The page brings its own style and nothing else.
_DOCS_HEADERS: Final = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"}


def create_app(
    parts: Sequence[Part], *, lifespan: Lifespan | None = None, max_body_bytes: int = MAX_BODY_BYTES
) -> FastAPI:
    """The application of `offhook api`. One part brings `Authenticator`, one brings `Database` (for `/health`)."""
    app = FastAPI(
        title="Offhook",
        version=version("offhook"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        generate_unique_id_function=_operation_id,
        redirect_slashes=False,
        # FastAPI's spans carry query strings, which may hold a phone number; and they cost 5 µs a request (measured).
        telemetry={"tracing": False, "metrics": False, "logs": False},
        responses={"default": {"description": "A problem"}},
    )
    provide(app, [service for part in parts for service in part.services])
    hot = [route for part in parts for route in part.routes]
    # First, because routes are tried in order.
    for route in hot:
        app.router.routes.append(Route(route.path, route.endpoint, methods=[route.method]))
    for router in (router for part in parts for router in part.routers):
        app.include_router(router)
    _add_pages(app, hot)
    install_problems(app)
    app.add_middleware(Front, max_body_bytes=max_body_bytes, hot=hot)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def _add_pages(app: FastAPI, hot: Sequence[HotRoute]) -> None:
    document = app.state.openapi = build_document(app, hot)
    page = render_docs(document)

    async def openapi(_: Request) -> Response:
        return JSONResponse(document)

    async def docs(_: Request) -> Response:
        return HTMLResponse(page, headers=_DOCS_HEADERS)

    async def home(_: Request) -> Response:
        return RedirectResponse("/docs")

    for path, endpoint in {"/": home, "/docs": docs, "/openapi.json": openapi, "/health": _health}.items():
        app.router.routes.append(Route(path, endpoint, methods=["GET"]))


async def _health(request: Request) -> Response:
    """Whether this process serves and reaches its database; raises Unavailable (503) when it does not."""
    async with provided(Database)(request).system("health") as connection:
        await connection.fetchval("select 1")
    return JSONResponse({"status": "ok", "version": version("offhook")})
