"""What can go wrong between a client and the API, and who must act."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from offhook.core.errors import FieldProblem, OffhookError, Unavailable


class ApiError(OffhookError):
    """The API answered, and the answer is no. `http_status` and `code` are for programs, `detail` for people.

    `fields` names what was wrong with what was sent; `request_id` finds the request in the API's log.
    """

    default_code = "api_error"

    def __init__(
        self,
        detail: str,
        *,
        http_status: int,
        code: str | None = None,
        fields: tuple[FieldProblem, ...] = (),
        request_id: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail, code=code, extra=extra)
        self.http_status = http_status
        self.fields = fields
        self.request_id = request_id


class Unreachable(Unavailable):
    """No answer came. `maybe_received` is False only where it is certain that nothing reached the API."""

    default_code = "unreachable"

    def __init__(self, detail: str, *, maybe_received: bool) -> None:
        super().__init__(detail)
        self.maybe_received = maybe_received


_MEMBERS = frozenset({"type", "title", "status", "code", "detail", "request_id", "errors"})


def api_error(http_status: int, body: object) -> ApiError:
    """The error in a problem document; anything else (a proxy's page) becomes `http_<status>`."""
    if not isinstance(body, dict):
        detail = f"The API answered {http_status} without saying why; a proxy in front of it may have answered instead."
        return ApiError(detail, http_status=http_status, code=f"http_{http_status}")
    problem = cast("dict[str, Any]", body)
    detail = problem.get("detail") or problem.get("title") or f"The API answered {http_status}."
    request_id = problem.get("request_id")
    return ApiError(
        str(detail),
        http_status=http_status,
        code=str(problem.get("code") or f"http_{http_status}"),
        fields=tuple(_fields(problem.get("errors"))),
        request_id=str(request_id) if request_id else None,
        extra={name: value for name, value in problem.items() if name not in _MEMBERS},
    )


def _fields(errors: object) -> list[FieldProblem]:
    if not isinstance(errors, list):
        return []
    found = [cast("dict[str, Any]", entry) for entry in cast("list[object]", errors) if isinstance(entry, dict)]
    return [
        FieldProblem(str(one.get("path", "")), str(one.get("message", "")), str(one.get("code") or "invalid"))
        for one in found
    ]
