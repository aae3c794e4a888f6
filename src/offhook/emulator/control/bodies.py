"""What a control request says: JSON, read and refused in one way."""

from __future__ import annotations

import json
from typing import Any, cast

from aiohttp import web

from offhook.emulator.addresses import find_phone_number, web_host

BODY_MAX_BYTES = 16 * 1024 * 1024
"""Room for the media of a handset, in base64."""

Body = dict[str, Any]


class ControlRefused(Exception):
    """The request makes no sense; the text says what to change."""


def json_response(body: Body, status: int = 200) -> web.Response:
    return web.Response(status=status, text=json.dumps(body), content_type="application/json")


async def read_body(request: web.Request, *names: str) -> Body:
    """A JSON object with these fields and no others; without names, with any.

    Its content type keeps out the forms of web pages of other origins.
    """
    if request.content_type != "application/json":
        raise ControlRefused("send JSON with Content-Type: application/json")
    raw = bytearray()
    while chunk := await request.content.read(64 * 1024):
        raw += chunk
        if len(raw) > BODY_MAX_BYTES:
            raise ControlRefused(f"the body is larger than {BODY_MAX_BYTES:,} bytes")
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise ControlRefused("the body is not JSON") from None
    if not isinstance(body, dict):
        raise ControlRefused("the body must be a JSON object")
    given = cast("Body", body)
    if names and (unknown := sorted(given.keys() - {*names})):
        raise ControlRefused(f"unknown field: {', '.join(unknown)[:200]}; there are {', '.join(names)}")
    return given


def text_in(body: Body, name: str, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str) or not value:
        raise ControlRefused(f"{name} must be a text")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ControlRefused(f"{name} holds a lone surrogate, which is not a character")
    return value


def optional_text_in(body: Body, name: str) -> str | None:
    return None if body.get(name) is None else text_in(body, name)


def address_in(body: Body, name: str) -> str | None:
    """An address of the web; null and what is left out are none."""
    url = optional_text_in(body, name)
    if url is not None and web_host(url) is None:
        raise ControlRefused(f"{name} must be an address such as http://127.0.0.1:8000/texts")
    return url


def phone_number_in(body: Body, name: str) -> str:
    """In E.164, from what people write."""
    number = find_phone_number(text_in(body, name))
    if number is None:
        raise ControlRefused(f"{name} must be a number such as +12025550123")
    return number


def phone_numbers_in(body: Body, name: str) -> tuple[str, ...]:
    """In E.164; what is left out is none."""
    value = body.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in cast("list[object]", value)):
        raise ControlRefused(f"{name} must be a list of numbers")
    return tuple(phone_number_in({name: item}, name) for item in cast("list[str]", value))


def truth_in(body: Body, name: str, default: bool) -> bool:
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise ControlRefused(f"{name} must be true or false")
    return value


def number_in(body: Body, name: str, default: float | None, low: float, high: float) -> float | None:
    value = body.get(name, default)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise ControlRefused(f"{name} must be a number from {low:g} to {high:g}")
    return value
