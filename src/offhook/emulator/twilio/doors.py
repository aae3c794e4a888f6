"""How every route of Twilio's REST is entered: the faults in force, then credentials, then Twilio's errors."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from offhook.emulator.addresses import find_phone_number
from offhook.emulator.emulation import EMULATION, Emulation
from offhook.emulator.settings import Account
from offhook.emulator.twilio.errors import TwilioError, error_response
from offhook.emulator.twilio.resources import number_sid
from offhook.emulator.twilio.submission import Form

Route = Callable[[web.Request, Emulation, Account], Awaitable[web.StreamResponse]]
Row = tuple[str, str, str, Route]
"""Method, path, name for faults, and what answers."""


def guarded(name: str, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        emulation = request.app[EMULATION]
        try:
            return await route(request, emulation, _authenticated(request, emulation))
        except TwilioError as error:
            return error_response(error)

    async def handle(request: web.Request) -> web.StreamResponse:
        # The body is read before anything goes wrong, so that a request can be carried out after its connection broke.
        to = find_phone_number((await form_of(request)).get("To", ("",))[0])
        emulation = request.app[EMULATION]
        return await emulation.door.pass_through(request, emulation.faces["twilio"], name, to, answer)

    return handle


def _authenticated(request: web.Request, emulation: Emulation) -> Account:
    """The account of the path, opened by its token or an API key; where the path names none, the key's own."""
    user, password = _basic_credentials(request.headers.get("Authorization", ""))
    accounts = emulation.store.accounts
    named = request.match_info.get("account_sid")
    account = accounts.get(named) if named else next((a for a in accounts.values() if user in {a.sid, *a.keys}), None)
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


def opens(request: web.Request, account: Account) -> bool:
    """Whether a request brings credentials of an account."""
    try:
        user, password = _basic_credentials(request.headers.get("Authorization", ""))
    except TwilioError:
        return False
    expected = account.auth_token if user == account.sid else account.keys.get(user)
    return expected is not None and hmac.compare_digest(expected.encode(), password.encode())


async def form_of(request: web.Request) -> Form:
    """The fields of a form body. Bytes that are not UTF-8, such as a lone surrogate's, become U+FFFD."""
    raw = await request.read()
    form: dict[str, tuple[str, ...]] = {}
    for name, value in parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, errors="replace"):
        form[name] = (*form.get(name, ()), value)
    return form


def json_response(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(status=status, text=json.dumps(body), content_type="application/json")


def number_named(request: web.Request, sid: str, account_sid: str, numbers: Iterable[str]) -> str:
    """The number with that sid. Raises `TwilioError`."""
    for number in numbers:
        if number_sid(account_sid, number) == sid:
            return number
    raise not_found(request)


def not_found(request: web.Request) -> TwilioError:
    return TwilioError(20404, f"The requested resource {request.path} was not found")
