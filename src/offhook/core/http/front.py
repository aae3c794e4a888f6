"""What every request passes first: its id, the limit of its body, and the last resort when something breaks.

One pure ASGI layer, because each further one costs every request. Hot routes whose path is fixed are answered from
here: the layers and the router behind would take a sixth of such a request's processor time (measured).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import traceback
import uuid
from collections.abc import Mapping, Sequence
from typing import Final

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from offhook.core.errors import OffhookError
from offhook.core.http.body import MAX_BODY_BYTES, too_large
from offhook.core.http.problems import REQUEST_ID, problem_response
from offhook.core.http.routes import HotRoute
from offhook.core.ids import new_id
from offhook.core.telemetry import get_logger

_ACCEPTABLE: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_HEADER: Final = b"x-request-id"
_DRAINED_BYTES: Final = 16 * 1024 * 1024
_DRAIN_SECONDS: Final = 5.0
_log = get_logger(__name__)


class Front:
    """Wraps an application. An `X-Request-Id` of 8 to 64 plain characters is kept, else one is made; every answer
    carries it. Bodies over `max_body_bytes` are 413, whether they say their length or not, unless the hot route takes
    more."""

    def __init__(
        self,
        app: ASGIApp,
        max_body_bytes: int = MAX_BODY_BYTES,
        hot: Sequence[HotRoute] = (),
    ) -> None:
        self.app = app
        self._max_body_bytes = max_body_bytes
        self._hot: Mapping[tuple[str, str], HotRoute] = {
            (route.method, route.path): route for route in hot if "{" not in route.path
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given, length = _read_headers(scope)
        identity = given or _encoded(new_id())
        scope[REQUEST_ID] = name = identity.decode()
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", ()), (_HEADER, identity)]
            await send(message)

        route = self._hot.get((scope["method"], scope["path"]))
        most = (route and route.max_body_bytes) or self._max_body_bytes
        if length > most:
            await _drain(scope, receive, length)
            await problem_response(too_large(most), name)(scope, receive, answer)
            return
        # A body whose length was said and is small enough need not be counted: the server enforces the length.
        counted = receive if length >= 0 else _counting(receive, most)
        with structlog.contextvars.bound_contextvars(request_id=name):
            try:
                if route is None:
                    await self.app(scope, counted, answer)
                else:
                    await _serve(route, scope, counted, answer)
            except Exception as error:  # noqa: BLE001 (the execution boundary of HTTP)
                _report(error, scope)
                if started:
                    raise RuntimeError("a response broke off; the log before this names where") from None
                await problem_response(_unexpected(error), name)(scope, receive, answer)


async def _serve(route: HotRoute, scope: Scope, receive: Receive, send: Send) -> None:
    scope["route"] = route
    try:
        response = await route.endpoint(Request(scope, receive))
    except OffhookError as error:
        response = problem_response(error, scope[REQUEST_ID])
    await response(scope, receive, send)


async def _drain(scope: Scope, receive: Receive, length: int) -> None:
    """Let a body that is refused come to its end, if that is near: a client that sends everything before it listens
    would otherwise see a broken connection and no answer. One that asks first (`Expect`) is answered first."""
    if length > _DRAINED_BYTES or any(name == b"expect" for name, _ in scope["headers"]):
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            while (await receive()).get("more_body"):
                pass


def _counting(receive: Receive, most: int) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise too_large(most)
        return message

    return counted


def _read_headers(scope: Scope) -> tuple[bytes | None, int]:
    """The request id that was sent, if it will do, and the length said of the body (-1: none)."""
    given: bytes | None = None
    length = -1
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            length = int(value[:20])
        elif name == _HEADER and _ACCEPTABLE.fullmatch(value):
            given = value
    return given, length


def _encoded(identity: uuid.UUID) -> bytes:
    return identity.hex.encode()


def _unexpected(error: Exception) -> OffhookError:
    if isinstance(error, OffhookError):
        return error
    return OffhookError("Something failed on our side. The log has more under this request's id.")


def _report(error: Exception, scope: Scope) -> None:
    """Where it broke, without the exception's words: they may quote what was sent."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    _log.error(
        "request_failed",
        method=scope["method"],
        route=getattr(scope.get("route"), "path", None),
        error_type=type(error).__name__,
        where=[f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames],
    )
