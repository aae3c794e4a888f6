"""What a tool call gives back to the model: always a JSON object, never more than it can use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from offhook.core.errors import Effect
from offhook.core.jsonvalue import JSON, UncleanJson, clean_json, compact
from offhook.core.variables import Value

MAX_ANSWER_BYTES: Final = 16 * 1024
"""product.md 6."""

_MAX_RESULT_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What `execute` returns. `effect` is what was done; `stored_values` become variables of the conversation."""

    content: Mapping[str, Any] = field(repr=False)
    effect: Effect = Effect.DONE
    stored_values: Mapping[str, Value] = field(default_factory=dict[str, Value])


@dataclass(frozen=True, slots=True)
class ToolCallResult:
    """How a tool call ended. `status` is `done` or `failed`; an error's answer is `{"error": sentence}`.

    `repeated`: this is the stored answer of an earlier call; nothing was done for this one.
    """

    status: str
    effect: Effect
    is_error: bool
    repeated: bool
    answer: Mapping[str, JSON] = field(repr=False)
    duration_ms: float
    error_code: str | None = None


def capped(content: Mapping[str, Any]) -> dict[str, JSON]:
    """`content` as JSON of at most MAX_ANSWER_BYTES; of a longer one the beginning, with a note that says so."""
    try:
        cleaned = clean_json(dict(content), max_bytes=_MAX_RESULT_BYTES)
    except UncleanJson as error:
        return {"note": f"The answer could not be kept: {error.message}"}
    text = compact(cleaned)
    if isinstance(cleaned, dict) and len(text.encode()) <= MAX_ANSWER_BYTES:
        return cleaned
    note = f"The answer was longer than {MAX_ANSWER_BYTES // 1024} KB; this is its beginning."
    return {"note": note, "beginning": _beginning(text, MAX_ANSWER_BYTES - 200)}


def _beginning(text: str, max_bytes: int) -> str:
    """As much of `text` as fits into `max_bytes` once it is written as a JSON string itself."""
    low, high = 0, min(len(text), max_bytes)
    while low < high:
        middle = (low + high + 1) // 2
        if len(compact(text[:middle]).encode()) <= max_bytes:
            low = middle
        else:
            high = middle - 1
    return text[:low]
