"""The handsets: what they got, and what they send."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import cast

from aiohttp import web

from offhook.emulator.control.bodies import (
    Body,
    ControlRefused,
    json_response,
    optional_text_in,
    phone_number_in,
    read_body,
    text_in,
)
from offhook.emulator.control.views import message_view
from offhook.emulator.emulation import Emulation
from offhook.emulator.media import SHOWN_IMAGES
from offhook.emulator.phones import Wish, send_from_phone


async def list_messages(request: web.Request, emulation: Emulation) -> web.Response:
    """All messages, oldest first; `to`, `from`, `status` and `since` (ISO 8601: created then or later) select."""
    query = request.query
    try:
        since = datetime.fromisoformat(query["since"]).timestamp() if query.get("since") else 0.0
    except ValueError:
        raise ControlRefused("since must be a time in ISO 8601") from None
    to = query.get("to")
    candidates = emulation.store.messages.values() if not to else emulation.store.of_phone(to)
    views = [
        message_view(emulation.store, m)
        for m in candidates
        if m.created_at >= since
        and (not to or m.to == to)
        and (not query.get("from") or m.from_number == query["from"])
        and (not query.get("status") or m.status == query["status"])
    ]
    return json_response({"messages": views})


async def forget_messages(request: web.Request, emulation: Emulation) -> web.Response:
    """As if no text had ever come or gone. Accounts, numbers, services and faults stay."""
    emulation.forget_messages()
    await emulation.store.synced()
    return web.Response(status=204)


async def list_phones(request: web.Request, emulation: Emulation) -> web.Response:
    """Every handset that got or sent a text: its number, how many texts, and the last of them."""
    views = [
        {"number": number, "texts": count, "last": message_view(emulation.store, last)}
        for number, count, last in emulation.store.phones()
    ]
    return json_response({"phones": views})


async def show_phone(request: web.Request, emulation: Emulation) -> web.Response:
    """One handset's texts, oldest first; empty for a number that never got one."""
    number = request.match_info["number"]
    texts = [message_view(emulation.store, m) for m in emulation.store.of_phone(number)]
    return json_response({"number": number, "messages": texts})


async def send(request: web.Request, emulation: Emulation) -> web.Response:
    """`{"to", "body"?, "media"?, "account_sid"?}`: the handset texts one of an account's numbers."""
    body = await read_body(request, "to", "body", "media", "account_sid")
    wish = Wish(
        phone=request.match_info["number"],
        to=phone_number_in(body, "to"),
        body=text_in(body, "body") if body.get("body") else "",
        account_sid=optional_text_in(body, "account_sid"),
        media=tuple(_medium(item) for item in _list(body, "media")),
    )
    message = await send_from_phone(emulation, wish, origin=str(request.url.origin()))
    return json_response(message_view(emulation.store, message), status=201)


def _list(body: Body, name: str) -> list[object]:
    value = body.get(name, [])
    if not isinstance(value, list):
        raise ControlRefused(f"{name} must be a list")
    return cast("list[object]", value)


def _medium(given: object) -> str | tuple[str, bytes]:
    """`{"url"}`, or `{"content_type", "data"}` with the bytes in base64."""
    if not isinstance(given, dict):
        raise ControlRefused("each of media must be an object")
    medium = cast("Body", given)
    if "url" in medium:
        return text_in(medium, "url")
    try:
        data = base64.b64decode(text_in(medium, "data"), validate=True)
    except (binascii.Error, ValueError):
        raise ControlRefused("data must be bytes in base64") from None
    return text_in(medium, "content_type").lower(), data


async def show_medium(request: web.Request, emulation: Emulation) -> web.StreamResponse:
    """A medium's bytes. What is no plain image is offered as a file, so that nothing in it runs in a browser."""
    medium = emulation.store.media.get(request.match_info["sid"])
    path = emulation.store.medium_path(medium.sid) if medium else None
    if medium is None or path is None or not path.is_file():
        return json_response({"error": "there is no such medium"}, status=404)
    headers = {
        "Content-Type": medium.content_type,
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": "inline" if medium.content_type in SHOWN_IMAGES else "attachment",
    }
    return web.FileResponse(path, headers=headers)
