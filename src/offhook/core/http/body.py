"""JSON bodies, read with care: whatever arrives becomes a value that PostgreSQL can store, or a clear 4xx."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, Final, NoReturn, cast

from starlette.requests import ClientDisconnect, Request

from offhook.core.errors import BadRequest, FieldProblem, InvalidInput, TooLarge
from offhook.core.jsonvalue import JSON, MAX_DEPTH
from offhook.core.text import clean_text, is_clean, shorten

MAX_BODY_BYTES: Final = 64 * 1024
"""What a request may carry unless its route says otherwise; forms of tools are under 20 KB."""

MAX_DIGITS: Final = 300
"""Of a number: as many as a float's range has, and far below where Python refuses to convert."""


class _Refused(ValueError):
    """The decoder met something that the grammar of JSON allows or Python adds, and that we do not take."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built = dict(pairs)
    if len(built) != len(pairs):
        raise _Refused("an object has the same key twice")
    return built


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _Refused("a number is too large")
    return number


def _sane(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise _Refused(f"a number has more than {MAX_DIGITS} digits")
    return int(digits)


def _no_constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is no JSON")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_finite, parse_int=_sane, parse_constant=_no_constant
)


async def read_json(request: Request, max_bytes: int = MAX_BODY_BYTES) -> JSON:
    """The JSON value of the body. Raises TooLarge, BadRequest (no JSON) and InvalidInput (JSON, but not storable)."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise too_large(max_bytes)
    try:
        body = await request.body()
    except ClientDisconnect:
        raise BadRequest("The connection ended before the body did.", code="incomplete_body") from None
    if len(body) > max_bytes:
        raise too_large(max_bytes)
    return parse_json(body)


async def read_json_object(request: Request, max_bytes: int = MAX_BODY_BYTES) -> dict[str, JSON]:
    """As `read_json`, for bodies that must be one object."""
    value = await read_json(request, max_bytes)
    if not isinstance(value, dict):
        raise InvalidInput("The body must be one JSON object.", fields=[FieldProblem("", "Must be a JSON object.")])
    return value


def parse_json(body: bytes) -> JSON:
    """As `read_json`, of bytes at hand."""
    try:
        value = cast(JSON, _DECODER.decode(body.decode()))
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8.", code="not_json") from None
    except json.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {_place(error)}.", code="not_json") from None
    except _Refused as error:
        raise BadRequest(f"The body is not JSON: {error}.", code="not_json") from None
    except RecursionError:
        raise _too_deep("") from None
    # Raw NULs are no JSON and raw surrogates no UTF-8, so only an escape can bring them; and what has few brackets
    # is not deep. Most bodies need no walk.
    if b"\\u" in body or body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        problems = list(_problems(value, "", MAX_DEPTH))
        if problems:
            raise InvalidInput(problems[0].message, fields=problems)
    return value


def too_large(max_bytes: int) -> TooLarge:
    return TooLarge(f"The body is larger than {max_bytes} bytes, the limit here.")


def _place(error: json.JSONDecodeError) -> str:
    return f"{error.msg} at line {error.lineno}, column {error.colno}"


def _too_deep(path: str) -> InvalidInput:
    message = f"The value is nested more than {MAX_DEPTH} levels deep."
    return InvalidInput(message, fields=[FieldProblem(path, message, "json_too_deep")])


def _problems(value: JSON, path: str, depth: int) -> Iterator[FieldProblem]:
    match value:
        case str():
            if not is_clean(value):
                yield FieldProblem(path, _unstorable(path or "The text"), "unstorable_text")
        case dict() | list() if depth <= 0:
            raise _too_deep(path)
        case dict():
            for key, item in value.items():
                name = shorten(clean_text(key), 60)
                inner = f"{path}.{name}" if path else name
                if not is_clean(key):
                    yield FieldProblem(inner, _unstorable(f"The key {inner}"), "unstorable_text")
                yield from _problems(item, inner, depth - 1)
        case list():
            for index, item in enumerate(value):
                yield from _problems(item, f"{path}.{index}" if path else str(index), depth - 1)
        case _:
            return


def _unstorable(what: str) -> str:
    return f"{what} contains a NUL character or half of a surrogate pair, which cannot be stored."
