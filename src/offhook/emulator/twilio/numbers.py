"""The account and its numbers over REST."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from aiohttp import web

from offhook.emulator.addresses import find_phone_number
from offhook.emulator.emulation import Emulation
from offhook.emulator.settings import Account
from offhook.emulator.twilio.doors import Row, form_of, json_response, number_named
from offhook.emulator.twilio.errors import TwilioError
from offhook.emulator.twilio.resources import account_resource, account_uri, number_resource
from offhook.emulator.twilio.services import services_of, without_number
from offhook.emulator.twilio.submission import Form, web_address

_BASE = account_uri("{account_sid}")
_KEPT: dict[str, tuple[str, Callable[[str], Any]]] = {
    "SmsUrl": ("sms_url", lambda text: web_address(text) or ""),
    "SmsMethod": ("sms_method", str),
    "SmsFallbackUrl": ("sms_fallback_url", lambda text: web_address(text) or ""),
    "FriendlyName": ("friendly_name", str),
}

MAGIC_UNAVAILABLE, MAGIC_INVALID = "+15005550000", "+15005550001"
"""Twilio's magic numbers for creating one: twilio.com/docs/iam/test-credentials."""


def table() -> list[Row]:
    return [
        ("GET", f"{_BASE}.json", "account.fetch", _fetch_account),
        ("GET", f"{_BASE}/IncomingPhoneNumbers.json", "numbers.list", _list),
        ("POST", f"{_BASE}/IncomingPhoneNumbers.json", "numbers.create", _create),
        ("GET", f"{_BASE}/IncomingPhoneNumbers/{{sid}}.json", "numbers.fetch", _fetch),
        ("POST", f"{_BASE}/IncomingPhoneNumbers/{{sid}}.json", "numbers.update", _update),
        ("DELETE", f"{_BASE}/IncomingPhoneNumbers/{{sid}}.json", "numbers.delete", _delete),
    ]


async def _fetch_account(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    return json_response(account_resource(account))


def _number(emulation: Emulation, account: Account, number: str) -> dict[str, Any]:
    return number_resource(account, number, emulation.store.number_settings.get((account.sid, number), {}))


async def _list(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    """All of them on one page; `PhoneNumber` and `FriendlyName` select."""
    wanted = {
        field: request.query[name]
        for name, field in (("PhoneNumber", "phone_number"), ("FriendlyName", "friendly_name"))
        if request.query.get(name)
    }
    numbers = [_number(emulation, account, number) for number in account.numbers]
    numbers = [number for number in numbers if wanted.items() <= number.items()]
    base = f"{account_uri(account.sid)}/IncomingPhoneNumbers.json"
    envelope = {"page": 0, "page_size": 1000, "start": 0, "end": max(0, len(numbers) - 1), "uri": base}
    links = {"first_page_uri": base, "next_page_uri": None, "previous_page_uri": None}
    return json_response({"incoming_phone_numbers": numbers, **envelope, **links})


def _named_number(request: web.Request, account: Account) -> str:
    return number_named(request, request.match_info["sid"], account.sid, account.numbers)


async def _fetch(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    return json_response(_number(emulation, account, _named_number(request, account)))


async def _create(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    """The account gets a number. Whether Twilio has it to sell is nobody's question here."""
    form = await form_of(request)
    given = form.get("PhoneNumber", ("",))[0]
    number = find_phone_number(given)
    if number is None or number == MAGIC_INVALID:
        raise TwilioError(21421)
    if number in {*account.numbers, *account.telnyx_numbers, MAGIC_UNAVAILABLE}:
        raise TwilioError(21422)
    changed = _changes(form)
    emulation.store.append(
        {"type": "account", **asdict(replace(account, numbers=(*account.numbers, number)))},
        {"type": "number", "account_sid": account.sid, "number": number, "set": changed},
    )
    await emulation.store.synced()
    return json_response(_number(emulation, account, number), status=201)


async def _delete(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    """The account gives a number up; its services too."""
    number = _named_number(request, account)
    left = tuple(one for one in account.numbers if one != number)
    services = [one for one in services_of(emulation.store, account) if number in one.numbers]
    emulation.store.append(
        {"type": "account", **asdict(replace(account, numbers=left))},
        *(without_number(service, number).to_record() for service in services),
    )
    await emulation.store.synced()
    return web.Response(status=204)


def _changes(form: Form) -> dict[str, Any]:
    """What is in `_KEPT`; other fields are ignored."""
    return {ours: read(form[theirs][0]) for theirs, (ours, read) in _KEPT.items() if theirs in form}


async def _update(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    number = _named_number(request, account)
    changed = _changes(await form_of(request))
    emulation.store.append({"type": "number", "account_sid": account.sid, "number": number, "set": changed})
    await emulation.store.synced()
    return json_response(_number(emulation, account, number))
