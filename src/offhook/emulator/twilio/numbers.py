"""The account and its numbers over REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from offhook.emulator.emulation import Emulation
from offhook.emulator.settings import Account
from offhook.emulator.twilio.doors import Row, form_of, json_response, not_found
from offhook.emulator.twilio.resources import account_resource, account_uri, number_resource, number_sid
from offhook.emulator.twilio.submission import web_address

_BASE = account_uri("{account_sid}")
_KEPT: dict[str, tuple[str, Callable[[str], Any]]] = {
    "SmsUrl": ("sms_url", lambda text: web_address(text) or ""),
    "SmsMethod": ("sms_method", str),
    "SmsFallbackUrl": ("sms_fallback_url", lambda text: web_address(text) or ""),
    "FriendlyName": ("friendly_name", str),
}


def table() -> list[Row]:
    return [
        ("GET", f"{_BASE}.json", "account.fetch", _fetch_account),
        ("GET", f"{_BASE}/IncomingPhoneNumbers.json", "numbers.list", _list),
        ("GET", f"{_BASE}/IncomingPhoneNumbers/{{sid}}.json", "numbers.fetch", _fetch),
        ("POST", f"{_BASE}/IncomingPhoneNumbers/{{sid}}.json", "numbers.update", _update),
    ]


async def _fetch_account(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    return json_response(account_resource(account))


def _number(emulation: Emulation, account: Account, number: str) -> dict[str, Any]:
    return number_resource(account, number, emulation.store.number_settings.get((account.sid, number), {}))


async def _list(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    """All of them on one page; `PhoneNumber` selects one."""
    wanted = request.query.get("PhoneNumber")
    numbers = [_number(emulation, account, n) for n in account.numbers if not wanted or n == wanted]
    base = f"{account_uri(account.sid)}/IncomingPhoneNumbers.json"
    envelope = {"page": 0, "page_size": 1000, "start": 0, "end": max(0, len(numbers) - 1), "uri": base}
    links = {"first_page_uri": base, "next_page_uri": None, "previous_page_uri": None}
    return json_response({"incoming_phone_numbers": numbers, **envelope, **links})


def _named_number(request: web.Request, account: Account) -> str:
    for number in account.numbers:
        if number_sid(account.sid, number) == request.match_info["sid"]:
            return number
    raise not_found(request)


async def _fetch(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    return json_response(_number(emulation, account, _named_number(request, account)))


async def _update(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    """What is in `_KEPT` is kept; other fields are ignored."""
    number = _named_number(request, account)
    form = await form_of(request)
    changed = {ours: read(form[theirs][0]) for theirs, (ours, read) in _KEPT.items() if theirs in form}
    emulation.store.append({"type": "number", "account_sid": account.sid, "number": number, "set": changed})
    await emulation.store.synced()
    return json_response(_number(emulation, account, number))
