"""JSON as values: the type, cleaning what others sent, and the canonical bytes that are hashed."""

from __future__ import annotations

import json
import math
from typing import TypeAlias, cast

from offhook.core.text import clean_text

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"

MAX_DEPTH = 32
"""Levels of nesting kept; models and forms use fewer than ten, and every later walk may recurse."""

MAX_BYTES = 256 * 1024
MAX_INTEGER_BITS = 1024
"""Python refuses to print integers of more than 4,300 digits; nobody's argument has 300."""

LARGEST_EXACT = 2**53
"""Up to here a float holds every integer exactly (IEEE 754 binary64)."""


class UncleanJson(ValueError):
    """A value that cannot be kept as JSON. `code` says which limit it passes, `message` is a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def clean_json(value: object, *, max_depth: int = MAX_DEPTH, max_bytes: int = MAX_BYTES) -> JSON:
    """A copy of `value` that `jsonb` accepts: no NUL, no lone surrogate, NaN and infinities as null.

    Tuples become lists. Raises UncleanJson with code `json_too_deep`, `json_too_large`, `json_number_too_large`
    or `json_unsupported` (a type that JSON has not, such as bytes or a key that is no string).
    """
    budget = _Budget(max_bytes)
    return _clean(value, max_depth, budget)


class _Budget:
    """Bytes left; counted roughly while walking, so that a huge value is refused before it is copied."""

    def __init__(self, max_bytes: int) -> None:
        self._max = max_bytes
        self._left = max_bytes

    def take(self, size_bytes: int) -> None:
        self._left -= size_bytes
        if self._left < 0:
            raise UncleanJson("json_too_large", f"The value is larger than {self._max} bytes.")


def _clean(value: object, depth: int, budget: _Budget) -> JSON:
    match value:
        case None | bool():
            budget.take(4)
            return value
        case str():
            return _clean_string(value, budget)
        case int():
            if value.bit_length() > MAX_INTEGER_BITS:
                raise UncleanJson("json_number_too_large", "A number has more than 300 digits.")
            budget.take(8)
            return int(value)
        case float():
            budget.take(8)
            return float(value) if math.isfinite(value) else None
        case dict() | list() | tuple():
            return _clean_container(cast("dict[object, object] | list[object]", value), depth, budget)
        case _:
            name = type(value).__name__
            raise UncleanJson("json_unsupported", f"JSON has no value of type {name}.")


def _clean_container(value: dict[object, object] | list[object], depth: int, budget: _Budget) -> JSON:
    if depth <= 0:
        raise UncleanJson("json_too_deep", "The value is nested too deeply.")
    budget.take(2)
    if not isinstance(value, dict):
        return [_clean(item, depth - 1, budget) for item in value]
    cleaned: dict[str, JSON] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise UncleanJson("json_unsupported", "A key of an object is not a string.")
        cleaned[_clean_string(key, budget)] = _clean(item, depth - 1, budget)
    return cleaned


def _clean_string(text: str, budget: _Budget) -> str:
    budget.take(len(text) + 3)
    cleaned = clean_text(text)
    if not cleaned.isascii():
        budget.take(len(cleaned.encode()) - len(cleaned))
    return cleaned


def compact(value: object) -> str:
    """JSON text without spaces, letters as they are: what models read and PostgreSQL stores."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def normalise(value: JSON) -> bytes:
    """Canonical UTF-8 JSON: sorted keys, no spaces, 4.0 written as 4. Equal values give equal bytes.

    `value` is clean (see clean_json); raises ValueError for NaN, infinities and lone surrogates.
    """
    text = json.dumps(_integral(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def _integral(value: JSON) -> JSON:
    match value:
        case float() if value.is_integer() and abs(value) <= LARGEST_EXACT:
            return int(value)
        case dict():
            return {key: _integral(item) for key, item in value.items()}
        case list():
            return [_integral(item) for item in value]
        case _:
            return value
