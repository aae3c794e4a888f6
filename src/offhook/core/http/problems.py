"""Errors as `application/problem+json` (RFC 9457), the same for FastAPI's routes and plain Starlette ones.

    {"type": "about:blank", "title": "Unprocessable Content", "status": 422, "code": "invalid_input",
     "detail": "…", "request_id": "…", "errors": [{"path": "recipients.prompt", "message": "…", "code": "…"}]}

`errors` is there only where fields are named. No answer repeats a value that was sent.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from offhook.core.errors import (
    FieldProblem,
    InvalidInput,
    OffhookError,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from offhook.core.sentences import sentence
from offhook.core.text import clean_text, shorten

PROBLEM_JSON: Final = "application/problem+json"
REQUEST_ID: Final = "offhook.request_id"
"""The request's id in the ASGI scope."""

_SHOWN_PROBLEMS: Final = 20
# Where a value of the request stood, which the field's path need not repeat.
_SOURCES: Final = frozenset({"body", "query", "path", "header", "cookie"})
# RFC 9110, section 15.5, where Python's phrases before 3.13 are those of earlier documents.
_TITLES: Final[Mapping[int, str]] = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}
_CODES: Final[Mapping[int, tuple[str, str]]] = {
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take this method."),
    413: ("too_large", "The body is too large."),
}


class ProblemField(BaseModel):
    """One field that is wrong."""

    path: str = Field(description="Dots and indexes: `recipients.values.0.value`")
    message: str
    code: str


class Problem(BaseModel):
    """RFC 9457, with a stable code and the id under which the server's log knows this request."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    errors: list[ProblemField] | None = None


def request_id(scope: Scope) -> str:
    """The id of the request, as the front (front.py) set it; "" outside of it."""
    return scope.get(REQUEST_ID, "")


def title_of(status: int) -> str:
    """The status's phrase, the same on every Python."""
    return _TITLES.get(status) or HTTPStatus(status).phrase


def problem_response(error: OffhookError, request_id: str) -> Response:
    """The answer to `error`, with `Retry-After` and `WWW-Authenticate` where they belong."""
    status = error.status
    detail = error.detail
    if status < 400:  # a ToolError that escaped the execution: its detail is for the log
        status, detail = 500, "A tool's error was not handled."
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title_of(status),
        "status": status,
        "code": error.code,
        "detail": detail,
        "request_id": request_id,
    }
    if isinstance(error, InvalidInput) and error.fields:
        shown = error.fields[:_SHOWN_PROBLEMS]
        body["errors"] = [{"path": f.path, "message": f.message, "code": f.code} for f in shown]
    body.update({name: value for name, value in error.extra.items() if name not in body})
    content = json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode()
    return Response(content, status, headers=_headers(error), media_type=PROBLEM_JSON)


def _headers(error: OffhookError) -> dict[str, str]:
    if isinstance(error, RateLimited | Unavailable):
        return {"retry-after": str(max(1, math.ceil(error.retry_after_seconds)))}
    if isinstance(error, Unauthenticated):
        return {"www-authenticate": 'Bearer realm="offhook"'}
    return {}


def field_path(location: Sequence[int | str]) -> str:
    """Pydantic's location as a path: `("body", "entries", 0, "value")` → `entries.0.value`."""
    parts = location[1:] if location and location[0] in _SOURCES else location
    return ".".join(shorten(clean_text(str(part)), 60) for part in parts)


def field_problems(errors: Sequence[Mapping[str, Any]]) -> list[FieldProblem]:
    """Pydantic's errors as ours: path, sentence and code; what was sent stays out."""
    return [FieldProblem(field_path(error["loc"]), sentence(error), str(error["type"])) for error in errors]


def invalid_input(error: ValidationError | Sequence[Mapping[str, Any]]) -> InvalidInput:
    """Pydantic's errors as one InvalidInput that names the first field in its detail."""
    if isinstance(error, ValidationError):
        error = cast("Sequence[Mapping[str, Any]]", error.errors(include_url=False))
    fields = field_problems(error)
    first = fields[0] if fields else FieldProblem("", "The request is not valid.")
    more = f" And {len(fields) - 1} more." if len(fields) > 1 else ""
    detail = f"{first.path}: {first.message}{more}" if first.path else f"{first.message}{more}"
    return InvalidInput(detail, fields=fields)


def install_problems(app: FastAPI) -> None:
    """Answer every error that routes raise as a problem document."""
    app.add_exception_handler(OffhookError, _answer_own)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(HTTPException, _answer_starlette)


async def _answer_own(request: Request, error: Exception) -> Response:
    return problem_response(cast(OffhookError, error), request_id(request.scope))


async def _answer_validation(request: Request, error: Exception) -> Response:
    own = invalid_input(cast(RequestValidationError, error).errors())
    return problem_response(own, request_id(request.scope))


async def _answer_starlette(request: Request, error: Exception) -> Response:
    raised = cast(HTTPException, error)
    code, detail = _CODES.get(raised.status_code, ("bad_request", "The request cannot be served."))
    body = {
        "type": "about:blank",
        "title": title_of(raised.status_code),
        "status": raised.status_code,
        "code": code,
        "detail": detail,
        "request_id": request_id(request.scope),
    }
    return Response(json.dumps(body), raised.status_code, headers=raised.headers, media_type=PROBLEM_JSON)
