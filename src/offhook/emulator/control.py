"""The control API under /_emulator/: what the phones show, what happens, and what shall go wrong. No authentication.

Bodies are JSON with `Content-Type: application/json`, which keeps web pages of other origins out.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any, cast

from aiohttp import web

from offhook.emulator.emulation import EMULATION, Emulation
from offhook.emulator.faults import FaultRefused
from offhook.emulator.phones import InboundRefused, send_from_phone
from offhook.emulator.records import Fault, Message
from offhook.emulator.settings import Account
from offhook.emulator.store import Event

WAIT_MAX_SECONDS = 60.0
EVENTS_MAX = 500

Body = dict[str, Any]


class ControlRefused(Exception):
    """The request makes no sense; the text says what to change."""


def routes() -> list[web.RouteDef]:
    table: list[tuple[str, str, Callable[[web.Request, Emulation], Awaitable[web.StreamResponse]]]] = [
        ("GET", "health", _health),
        ("GET", "messages", _messages),
        ("GET", "phones", _phones),
        ("GET", "phones/{number}", _phone),
        ("POST", "phones/{number}/send", _send),
        ("GET", "events", _events),
        ("GET", "faults", _list_faults),
        ("POST", "faults", _add_fault),
        ("DELETE", "faults", _clear_faults),
        ("POST", "accounts", _add_account),
        ("POST", "blocks", _set_block),
        ("POST", "numbers", _set_number),
    ]
    return [web.route(method, f"/_emulator/{path}", _answering(handler)) for method, path, handler in table]


def _answering(
    handler: Callable[[web.Request, Emulation], Awaitable[web.StreamResponse]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request, request.app[EMULATION])
        except (ControlRefused, FaultRefused, InboundRefused) as refused:
            return _json({"error": str(refused)}, status=400)

    return handle


def _json(body: Body, status: int = 200) -> web.Response:
    return web.Response(status=status, text=json.dumps(body), content_type="application/json")


async def _body(request: web.Request) -> Body:
    if request.content_type != "application/json":
        raise ControlRefused("send JSON with Content-Type: application/json")
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise ControlRefused("the body is not JSON") from None
    if not isinstance(body, dict):
        raise ControlRefused("the body must be a JSON object")
    return cast("Body", body)


def _text(body: Body, name: str, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str) or not value:
        raise ControlRefused(f"{name} must be a text")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ControlRefused(f"{name} holds a lone surrogate, which is not a character")
    return value


def message_view(message: Message) -> Body:
    """A message for people and programs that watch; times in ISO 8601, UTC."""
    return {
        "seq": message.seq,
        "sid": message.sid,
        "account_sid": message.account_sid,
        "from": message.from_number,
        "to": message.to,
        "body": message.body,
        "status": message.status,
        "direction": message.direction,
        "segments": message.segments,
        "encoding": message.encoding,
        "error_code": message.error_code,
        "media_urls": list(message.media_urls),
        "created_at": _iso(message.created_at),
        "sent_at": None if message.sent_at is None else _iso(message.sent_at),
        "updated_at": _iso(message.updated_at),
    }


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def phone_of(message: Message) -> str:
    """The handset a message was sent to or from."""
    return message.from_number if message.direction == "inbound" else message.to


async def _health(request: web.Request, emulation: Emulation) -> web.Response:
    store = emulation.store
    return _json({"status": "ok", "messages": len(store.messages), "accounts": len(store.accounts), "seq": store.seq})


async def _messages(request: web.Request, emulation: Emulation) -> web.Response:
    """All messages, oldest first; `to`, `from`, `status` and `since` (ISO 8601: created then or later) select."""
    query = request.query
    try:
        since = datetime.fromisoformat(query["since"]).timestamp() if query.get("since") else 0.0
    except ValueError:
        raise ControlRefused("since must be a time in ISO 8601") from None
    views = [
        message_view(m)
        for m in emulation.store.messages.values()
        if m.created_at >= since
        and (not query.get("to") or m.to == query["to"])
        and (not query.get("from") or m.from_number == query["from"])
        and (not query.get("status") or m.status == query["status"])
    ]
    return _json({"messages": views})


async def _phones(request: web.Request, emulation: Emulation) -> web.Response:
    """Every handset that got or sent a text: its number, how many texts, and the last of them."""
    phones: dict[str, list[Message]] = {}
    for message in emulation.store.messages.values():
        phones.setdefault(phone_of(message), []).append(message)
    views = [
        {"number": number, "texts": len(texts), "last": message_view(texts[-1])} for number, texts in phones.items()
    ]
    return _json({"phones": views})


async def _phone(request: web.Request, emulation: Emulation) -> web.Response:
    """One handset's texts, oldest first; empty for a number that never got one."""
    number = request.match_info["number"]
    texts = [message_view(m) for m in emulation.store.messages.values() if phone_of(m) == number]
    return _json({"number": number, "messages": texts})


async def _send(request: web.Request, emulation: Emulation) -> web.Response:
    """`{"to", "body", "account_sid"?}`: the handset texts one of an account's numbers."""
    body = await _body(request)
    message = send_from_phone(
        emulation,
        phone=request.match_info["number"],
        to=_text(body, "to"),
        body=_text(body, "body"),
        account_sid=body.get("account_sid"),
        origin=str(request.url.origin()),
    )
    await emulation.store.synced()
    return _json(message_view(message), status=201)


async def _events(request: web.Request, emulation: Emulation) -> web.StreamResponse:
    """`?after=<seq>&wait=<seconds>`: what happened since, waiting for the first event if there is none yet.

    With `Accept: text/event-stream` the answer is a stream instead; `Last-Event-ID` stands for `after`.
    """
    try:
        after = int(request.headers.get("Last-Event-ID") or request.query.get("after", "0"))
        wait = min(WAIT_MAX_SECONDS, max(0.0, float(request.query.get("wait", "0"))))
    except ValueError:
        raise ControlRefused("after and wait must be numbers") from None
    if "text/event-stream" in request.headers.get("Accept", ""):
        return await _stream(request, emulation, after)
    if not _since(emulation, after) and wait:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await _something_after(emulation, after)
    events = _since(emulation, after)
    return _json({"events": [_event_view(emulation, e) for e in events], "last": events[-1].seq if events else after})


async def _stream(request: web.Request, emulation: Emulation, after: int) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    while not emulation.stopping.is_set():
        for event in _since(emulation, after):
            data = json.dumps(_event_view(emulation, event))
            await response.write(f"id: {event.seq}\nevent: {event.type}\ndata: {data}\n\n".encode())
            after = event.seq
        await _something_after(emulation, after)
    return response


def _since(emulation: Emulation, after: int) -> list[Event]:
    """The next events, never part of a transaction: `seq` is the number of one, so none is skipped by asking on."""
    newer = list(takewhile(lambda event: event.seq > after, reversed(emulation.store.events)))
    found: list[Event] = []
    for event in reversed(newer):
        if len(found) >= EVENTS_MAX and event.seq != found[-1].seq:
            break
        found.append(event)
    return found


async def _something_after(emulation: Emulation, after: int) -> None:
    """Return once there is a later transaction, or the emulator stops."""
    woken = asyncio.Event()
    unsubscribe = emulation.store.subscribe(woken.set)
    try:
        while emulation.store.seq <= after and not emulation.stopping.is_set():
            woken.clear()
            await woken.wait()
    finally:
        unsubscribe()


def _event_view(emulation: Emulation, event: Event) -> Body:
    message = emulation.store.messages.get(event.sid) if event.sid else None
    view: Body = {"seq": event.seq, "at": _iso(event.at), "type": event.type, "sid": event.sid}
    if event.type.startswith("message."):
        view["status"] = event.detail.get("status", message.status if message else None)
        view["message"] = message_view(message) if message else None
    if event.type == "callback.ended":
        view["outcome"] = event.detail.get("outcome")
    return view


def fault_view(fault: Fault) -> Body:
    return {**asdict(fault), "until": None if fault.until is None else _iso(fault.until)}


async def _list_faults(request: web.Request, emulation: Emulation) -> web.Response:
    return _json({"faults": [fault_view(fault) for fault in emulation.faults.active()]})


async def _add_fault(request: web.Request, emulation: Emulation) -> web.Response:
    return _json(fault_view(emulation.faults.add(await _body(request))), status=201)


async def _clear_faults(request: web.Request, emulation: Emulation) -> web.Response:
    emulation.faults.clear()
    return web.Response(status=204)


async def _add_account(request: web.Request, emulation: Emulation) -> web.Response:
    """`{"sid", "auth_token", "name"?, "numbers"?, "verified"?, "keys"?}`: keep or replace an account."""
    body = await _body(request)
    account = Account(_text(body, "sid"), _text(body, "auth_token"), _text(body, "name", "Emulated account"))
    numbers, verified, keys = body.get("numbers", account.numbers), body.get("verified"), body.get("keys", {})
    if not _texts(numbers) or not (verified is None or _texts(verified)) or not isinstance(keys, dict):
        raise ControlRefused("numbers and verified are lists of texts, keys is an object")
    emulation.store.add_account(
        Account(
            account.sid,
            account.auth_token,
            account.name,
            keys={str(key): str(secret) for key, secret in cast("dict[object, object]", keys).items()},
            numbers=tuple(numbers),
            verified=None if verified is None else tuple(verified),
            telnyx_api_key=_text(body, "telnyx_api_key") if body.get("telnyx_api_key") is not None else None,
        )
    )
    await emulation.store.synced()
    return _json({"sid": account.sid, "numbers": list(numbers)}, status=201)


def _texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in cast("list[object]", value))


async def _set_block(request: web.Request, emulation: Emulation) -> web.Response:
    """`{"from", "to", "blocked"?: true, "account_sid"?}`: the recipient opts out of a sender (21610), or in again."""
    body = await _body(request)
    sid = body.get("account_sid") or emulation.settings.accounts[0].sid
    blocked = body.get("blocked", True) is True
    pair = {"account_sid": sid, "from_number": _text(body, "from"), "to": _text(body, "to")}
    emulation.store.append({"type": "block", **pair, "blocked": blocked})
    await emulation.store.synced()
    return _json({**pair, "blocked": blocked}, status=201)


async def _set_number(request: web.Request, emulation: Emulation) -> web.Response:
    """`{"number", "sms_url", "account_sid"?}`: where texts to this number are told."""
    body = await _body(request)
    sid = body.get("account_sid") or emulation.settings.accounts[0].sid
    number = _text(body, "number")
    emulation.store.append(
        {"type": "number", "account_sid": sid, "number": number, "set": {"sms_url": _text(body, "sms_url")}}
    )
    await emulation.store.synced()
    return _json({"number": number, "sms_url": body["sms_url"]}, status=201)
