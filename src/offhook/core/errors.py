"""Every error of Offhook's own, in one tree.

    OffhookError                 code, HTTP status, detail for the operator
    ├─ InvalidInput              422  the caller must change what it sent; names the fields
    ├─ BadRequest                400  the request is not of the form at all (not JSON, no token form)
    ├─ Unauthenticated           401  no key, or one that does not open anything
    ├─ Forbidden                 403  the key is good, its scope or role is not
    ├─ NotFound                  404  also another organization's row
    ├─ Conflict                  409  the state of things does not allow it now
    ├─ Gone                      410  it was here for a time, which is over
    ├─ TooLarge                  413  the body passes a limit, which the detail names
    ├─ RateLimited               429  try again after `retry_after_seconds`
    ├─ ConfigurationError        500  the operator must set something right
    ├─ Unavailable               503  a part we need (database, carrier) does not answer; nothing was lost
    └─ ToolError                 what a model is told: `say` is safe for it, `detail` never reaches it

Narrower ones live where they are raised: AgentNotFound, ToolNotFound, EmbeddedPostgresError; in the client ApiError
(any answer that is no) and Unreachable (an Unavailable). What is no error but an outcome, such as a carrier's refusal,
is not of this tree.

Codes are stable and snake_case. The API answers them as `application/problem+json`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar


class Effect(StrEnum):
    """What a failed tool call did to the world."""

    NONE = "none"
    DONE = "done"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with one field: `path` in dots and indexes (`recipients.prompt`), `message` a sentence."""

    path: str
    message: str
    code: str = "invalid"


class OffhookError(Exception):
    """The root. `detail` is for the person who reads the response or the log; never a secret."""

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "internal_error"

    def __init__(self, detail: str, *, code: str | None = None, extra: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.default_code
        self.extra: Mapping[str, Any] = extra or {}
        """Further members of the problem document (for instance the agents that use a tool)."""


class InvalidInput(OffhookError):
    status = 422
    default_code = "invalid_input"

    def __init__(
        self,
        detail: str,
        *,
        fields: Sequence[FieldProblem] = (),
        code: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail, code=code, extra=extra)
        self.fields = tuple(fields)


class BadRequest(OffhookError):
    status = 400
    default_code = "bad_request"


class Unauthenticated(OffhookError):
    status = 401
    default_code = "unauthenticated"


class Forbidden(OffhookError):
    status = 403
    default_code = "forbidden"


class NotFound(OffhookError):
    status = 404
    default_code = "not_found"


class Conflict(OffhookError):
    status = 409
    default_code = "conflict"


class Gone(OffhookError):
    status = 410
    default_code = "gone"


class TooLarge(OffhookError):
    status = 413
    default_code = "too_large"


class RateLimited(OffhookError):
    status = 429
    default_code = "rate_limited"

    def __init__(self, detail: str, *, retry_after_seconds: float, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after_seconds = retry_after_seconds


class ConfigurationError(OffhookError):
    status = 500
    default_code = "configuration"


class Unavailable(OffhookError):
    status = 503
    default_code = "unavailable"

    def __init__(self, detail: str, *, retry_after_seconds: float = 1.0, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after_seconds = retry_after_seconds


class ToolError(OffhookError):
    """A tool call that did not give what was asked.

    `say` is one sentence that the model can act on and may repeat to the caller; `detail` is for the
    operator and never reaches the model; `effect` is what the call did to the world before it failed.
    """

    status = 200
    default_code = "tool_error"

    def __init__(
        self,
        say: str,
        *,
        detail: str | None = None,
        effect: Effect = Effect.NONE,
        code: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or say, code=code, extra=extra)
        self.say = say
        self.effect = effect
