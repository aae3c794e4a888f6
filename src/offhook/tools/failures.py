"""What went wrong, as a ToolError: a sentence that the model can act on, and what it may claim."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from offhook.core.errors import ConfigurationError, Effect, OffhookError, RateLimited, ToolError, Unavailable

NOT_CLAIMED: Final = "It is not known whether this was done. Say neither that it was nor that it was not."

_SAYINGS: Final[Mapping[type[OffhookError], str]] = {
    ConfigurationError: "This is not set up yet; the team has to do that.",
    RateLimited: "Too much was asked for at once; try again in a little while.",
    Unavailable: "A part that is needed for this does not answer just now.",
    OffhookError: "This was not accepted.",
}


def refused_by_port(error: OffhookError, unknown: Effect) -> ToolError:
    """A port's error in words for the model. Only what does not answer leaves the outcome open, as `unknown` says."""
    effect = unknown if isinstance(error, Unavailable) else Effect.NONE
    say = next(words for kind, words in _SAYINGS.items() if isinstance(error, kind))
    return ToolError(_with_claim(say, effect), detail=error.detail, effect=effect, code=error.code)


def too_late(effect: Effect) -> ToolError:
    return ToolError(_with_claim("It took too long.", effect), effect=effect, code="timeout")


def broke(error: Exception, effect: Effect) -> ToolError:
    """An error that the tool type did not expect. Its message may hold anything, so only its type is kept."""
    say = _with_claim("Something went wrong inside the tool.", effect)
    return ToolError(say, detail=f"{error_type(error)} in the tool type", effect=effect, code="tool_broke")


def cut_off(refusal: ToolError) -> ToolError:
    """A refusal that comes when the first run may have acted already does not say that nothing was done."""
    detail = f"cut off, and refused when it was resumed: {refusal.detail}"
    return ToolError(NOT_CLAIMED, detail=detail, effect=Effect.UNKNOWN, code="outcome_unknown")


def error_type(error: BaseException) -> str:
    """The type's name; of a group, that of its first cause."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return type(error).__name__


def _with_claim(say: str, effect: Effect) -> str:
    return f"{say} {NOT_CLAIMED if effect is Effect.UNKNOWN else 'Nothing was done.'}"
