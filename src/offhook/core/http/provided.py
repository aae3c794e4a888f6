"""How a route gets the services it works with: by their type, from the application that serves it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar, cast

from starlette.applications import Starlette
from starlette.requests import Request

T = TypeVar("T")


def provide(app: Starlette, services: Iterable[object]) -> None:
    """Make `services` available to the routes of `app`, each under its own class."""
    table: dict[type, object] = getattr(app.state, "provided", {})
    app.state.provided = {**table, **{type(service): service for service in services}}


def provided(kind: type[T]) -> Callable[[Request], T]:
    """A function that finds the service of class `kind`: for FastAPI's `Depends(provided(ToolService))`, and for
    plain routes as `provided(ToolService)(request)`. Raises LookupError when nobody provided it."""

    def find(request: Request) -> T:
        table = cast("dict[type, object]", request.app.state.provided)
        if kind not in table:
            raise LookupError(f"no {kind.__name__} was given to create_app")
        return cast(T, table[kind])

    return find
