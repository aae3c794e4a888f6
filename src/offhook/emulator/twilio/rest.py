"""The REST routes under /2010-04-01/Accounts/{AC}: who asks, what for, and Twilio's answer."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from offhook.emulator.emulation import EMULATION, Emulation
from offhook.emulator.records import TERMINAL, Message
from offhook.emulator.settings import Account
from offhook.emulator.twilio.errors import TwilioError, error_response
from offhook.emulator.twilio.listing import page_of_messages
from offhook.emulator.twilio.resources import (
    account_resource,
    account_uri,
    message_resource,
    number_resource,
    number_sid,
)
from offhook.emulator.twilio.submission import Form, Submission, judge

Route = Callable[[web.Request, Emulation, Account], Awaitable[web.Response]]


_BASE = account_uri("{account_sid}")


def routes() -> list[web.RouteDef]:
    return [web.route(method, path, _guarded(name, route)) for method, path, name, route in _table()]


def route_names() -> tuple[str, ...]:
    """As faults use them."""
    return tuple(name for _, _, name, _ in _table())


def _table() -> list[tuple[str, str, str, Route]]:
    return [
        ("POST", f"{_BASE}/Messages.json", "messages.create", _create_message),
        ("GET", f"{_BASE}/Messages.json", "messages.list", _list_messages),
        ("GET", f"{_BASE}/Messages/{{sid}}.json", "messages.fetch", _fetch_message),
        ("POST", f"{_BASE}/Messages/{{sid}}.json", "messages.update", _update_message),
        ("DELETE", f"{_BASE}/Messages/{{sid}}.json", "messages.delete", _delete_message),
        ("GET", f"{_BASE}.json", "account.fetch", _fetch_account),
        ("GET", f"{_BASE}/IncomingPhoneNumbers.json", "numbers.list", _list_numbers),
        ("GET", f"{_BASE}/IncomingPhoneNumbers/{{sid}}.json", "numbers.fetch", _fetch_number),
        ("POST", f"{_BASE}/IncomingPhoneNumbers/{{sid}}.json", "numbers.update", _update_number),
    ]


def _guarded(name: str, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The route behind the faults in force, then authentication, then Twilio's errors."""

    async def answer(request: web.Request) -> web.StreamResponse:
        emulation = request.app[EMULATION]
        try:
            return await route(request, emulation, _authenticated(request, emulation))
        except TwilioError as error:
            return error_response(error)

    async def handle(request: web.Request) -> web.StreamResponse:
        # The body is read before anything goes wrong, so that a request can be carried out after its connection broke.
        to = (await _form(request)).get("To", (None,))[0]
        emulation = request.app[EMULATION]
        return await emulation.door.pass_through(request, emulation.faces["twilio"], name, to, answer)

    return handle


def _authenticated(request: web.Request, emulation: Emulation) -> Account:
    user, password = _basic_credentials(request.headers.get("Authorization", ""))
    account = emulation.store.accounts.get(request.match_info["account_sid"])
    if account is None:
        raise TwilioError(20003)
    expected = account.auth_token if user == account.sid else account.keys.get(user)
    if expected is None or not hmac.compare_digest(expected.encode(), password.encode()):
        raise TwilioError(20003)
    return account


def _basic_credentials(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise TwilioError(20003)
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise TwilioError(20003) from None
    return user, password


async def _form(request: web.Request) -> Form:
    """The fields of a form body. Bytes that are not UTF-8, such as a lone surrogate's, become U+FFFD."""
    raw = await request.read()
    form: dict[str, tuple[str, ...]] = {}
    for name, value in parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, errors="replace"):
        form[name] = (*form.get(name, ()), value)
    return form


def _json(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(status=status, text=json.dumps(body), content_type="application/json")


async def _create_message(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    message = judge(Submission(await _form(request), account, emulation.store.blocks, emulation.clock.time()))
    message = emulation.with_ending(message)
    emulation.lifecycle.create(message)
    await emulation.store.synced()
    return _json(message_resource(message), status=201)


async def _list_messages(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    query = dict(request.query)
    newest_first = emulation.store.newest_first(account.sid, to=query.get("To") or None)
    return _json(page_of_messages(account.sid, newest_first, query))


def _message(request: web.Request, emulation: Emulation, account: Account) -> Message:
    message = emulation.store.messages.get(request.match_info["sid"])
    if message is None or message.account_sid != account.sid:
        raise TwilioError(20404, f"The requested resource {request.path} was not found")
    return message


async def _fetch_message(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    return _json(message_resource(_message(request, emulation, account)))


async def _update_message(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    """`Status=canceled` for a scheduled message, `Body=` (empty) to redact one that has ended."""
    message = _message(request, emulation, account)
    form = await _form(request)
    if form.get("Status") == ("canceled",):
        if message.status != "scheduled":
            raise TwilioError(30409)
        emulation.lifecycle.move(message, "canceled")
    elif form.get("Body") == ("",):
        if message.status not in TERMINAL:
            raise TwilioError(20009)
        emulation.store.append({"type": "redact", "sid": message.sid})
    else:
        raise TwilioError(20422, "Only Status=canceled or an empty Body can be set")
    await emulation.store.synced()
    return _json(message_resource(emulation.store.messages[message.sid]))


async def _delete_message(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    message = _message(request, emulation, account)
    if message.status not in TERMINAL:
        raise TwilioError(20009)
    emulation.store.append({"type": "delete", "sid": message.sid})
    await emulation.store.synced()
    return web.Response(status=204)


async def _fetch_account(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    return _json(account_resource(account))


def _number(emulation: Emulation, account: Account, number: str) -> dict[str, Any]:
    return number_resource(account, number, emulation.store.number_settings.get((account.sid, number), {}))


async def _list_numbers(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    """All of them on one page; `PhoneNumber` selects one."""
    wanted = request.query.get("PhoneNumber")
    numbers = [_number(emulation, account, n) for n in account.numbers if not wanted or n == wanted]
    base = f"{account_uri(account.sid)}/IncomingPhoneNumbers.json"
    envelope = {"page": 0, "page_size": 1000, "start": 0, "end": max(0, len(numbers) - 1), "uri": base}
    links = {"first_page_uri": base, "next_page_uri": None, "previous_page_uri": None}
    return _json({"incoming_phone_numbers": numbers, **envelope, **links})


def _named_number(request: web.Request, account: Account) -> str:
    for number in account.numbers:
        if number_sid(account.sid, number) == request.match_info["sid"]:
            return number
    raise TwilioError(20404, f"The requested resource {request.path} was not found")


async def _fetch_number(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    return _json(_number(emulation, account, _named_number(request, account)))


async def _update_number(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    """SmsUrl, SmsMethod and FriendlyName are kept; other fields are ignored."""
    number = _named_number(request, account)
    form = await _form(request)
    names = {"SmsUrl": "sms_url", "SmsMethod": "sms_method", "FriendlyName": "friendly_name"}
    changed = {ours: form[theirs][0] for theirs, ours in names.items() if theirs in form}
    emulation.store.append({"type": "number", "account_sid": account.sid, "number": number, "set": changed})
    await emulation.store.synced()
    return _json(_number(emulation, account, number))
