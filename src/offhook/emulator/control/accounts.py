"""Accounts, their numbers, messaging services and blocks."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from aiohttp import web

from offhook.emulator.addresses import find_phone_number
from offhook.emulator.control.bodies import (
    Body,
    ControlRefused,
    address_in,
    json_response,
    number_in,
    optional_text_in,
    phone_number_in,
    phone_numbers_in,
    read_body,
    text_in,
    truth_in,
)
from offhook.emulator.emulation import Emulation
from offhook.emulator.records import VALIDITY_SECONDS, Service
from offhook.emulator.settings import MAGIC_SENDER, Account

RATE_MAX = 1000.0
DAY_SECONDS = 86_400.0

_GROUP = re.compile(r"MG[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A messaging service or a messaging profile."""


def _account(body: Body, emulation: Emulation) -> Account:
    sid = optional_text_in(body, "account_sid") or emulation.settings.accounts[0].sid
    account = emulation.store.accounts.get(sid)
    if account is None:
        raise ControlRefused("there is no account with that account_sid")
    return account


def _keys_in(body: Body, name: str) -> dict[str, str]:
    keys = body[name]
    if not isinstance(keys, dict):
        raise ControlRefused(f"{name} must be an object: the key's sid to its secret")
    return {str(key): str(secret) for key, secret in cast("dict[object, object]", keys).items()}


def _verified_in(body: Body, name: str) -> tuple[str, ...] | None:
    return None if body[name] is None else phone_numbers_in(body, name)


_ACCOUNT_FIELDS: dict[str, Callable[[Body, str], Any]] = {
    "auth_token": text_in,
    "name": text_in,
    "numbers": phone_numbers_in,
    "verified": _verified_in,
    "keys": _keys_in,
    "media_auth": lambda body, name: truth_in(body, name, True),
    "advanced_opt_out": lambda body, name: truth_in(body, name, False),
    "telnyx_api_key": optional_text_in,
    "telnyx_numbers": phone_numbers_in,
}


async def set_account(request: web.Request, emulation: Emulation) -> web.Response:
    """Keep an account, or change one: what is left out stays as it is. A new one needs its token."""
    body = await read_body(request, "sid", *_ACCOUNT_FIELDS)
    sid = text_in(body, "sid")
    account = emulation.store.accounts.get(sid) or Account(sid, text_in(body, "auth_token"))
    account = replace(account, **{name: read(body, name) for name, read in _ACCOUNT_FIELDS.items() if name in body})
    emulation.store.add_account(account)
    await emulation.store.synced()
    return json_response({"sid": account.sid, "numbers": list(account.numbers)}, status=201)


def _owned_number(body: Body, name: str, account: Account) -> str:
    number = phone_number_in(body, name)
    if number not in (*account.numbers, *account.telnyx_numbers, MAGIC_SENDER):
        raise ControlRefused(f"{name}: the account does not own {number}")
    return number


async def list_blocks(request: web.Request, emulation: Emulation) -> web.Response:
    blocks = [
        {"account_sid": account_sid, "from": scope, "to": to}
        for account_sid, scope, to in sorted(emulation.store.blocks)
    ]
    return json_response({"blocks": blocks})


async def set_block(request: web.Request, emulation: Emulation) -> web.Response:
    """The recipient opts out of a sender, a number or a messaging service (21610), or in again."""
    body = await read_body(request, "from", "to", "blocked", "account_sid")
    account, scope = _account(body, emulation), text_in(body, "from")
    if not _GROUP.fullmatch(scope):
        if find_phone_number(scope) is None:
            raise ControlRefused("from must be a number, a messaging service or a messaging profile")
        scope = _owned_number(body, "from", account)
    blocked = truth_in(body, "blocked", True)
    pair = {"account_sid": account.sid, "from_number": scope, "to": phone_number_in(body, "to")}
    emulation.store.append({"type": "block", **pair, "blocked": blocked})
    await emulation.store.synced()
    return json_response({**pair, "blocked": blocked}, status=201)


_NUMBER_FIELDS: dict[str, Callable[[Body, str], Any]] = {
    "sms_url": address_in,
    "sms_fallback_url": address_in,
    "segments_per_second": lambda body, name: number_in(body, name, None, 0.001, RATE_MAX),
    "queue_max_seconds": lambda body, name: number_in(body, name, None, 0, DAY_SECONDS),
}


async def set_number(request: web.Request, emulation: Emulation) -> web.Response:
    """Where texts to a number are told, and how fast it sends. What is left out stays."""
    body = await read_body(request, "number", "account_sid", *_NUMBER_FIELDS)
    account = _account(body, emulation)
    number = _owned_number(body, "number", account)
    changed = {name: read(body, name) for name, read in _NUMBER_FIELDS.items() if name in body}
    emulation.store.append({"type": "number", "account_sid": account.sid, "number": number, "set": changed})
    await emulation.store.synced()
    return json_response({"number": number, **changed}, status=201)


async def list_services(request: web.Request, emulation: Emulation) -> web.Response:
    return json_response({"services": [service_view(service) for service in emulation.store.services.values()]})


_SERVICE_FIELDS = (
    *("account_sid", "sid", "name", "numbers", "sticky", "smart_encoding", "advanced_opt_out", "validity_seconds"),
    *("inbound_url", "fallback_url", "status_callback"),
)


async def set_service(request: web.Request, emulation: Emulation) -> web.Response:
    """Keep or replace a messaging service of Twilio's face."""
    body = await read_body(request, *_SERVICE_FIELDS)
    account = _account(body, emulation)
    numbers = phone_numbers_in(body, "numbers")
    if strangers := set(numbers) - set(account.numbers):
        raise ControlRefused(f"the account does not own {', '.join(sorted(strangers))}")
    service = Service(
        sid=text_in(body, "sid", "MG" + uuid.uuid4().hex),
        account_sid=account.sid,
        name=text_in(body, "name", "Emulated service"),
        numbers=numbers,
        sticky=truth_in(body, "sticky", True),
        smart_encoding=truth_in(body, "smart_encoding", False),
        advanced_opt_out=truth_in(body, "advanced_opt_out", False),
        validity_seconds=number_in(body, "validity_seconds", VALIDITY_SECONDS, 1, VALIDITY_SECONDS) or VALIDITY_SECONDS,
        inbound_url=address_in(body, "inbound_url"),
        fallback_url=address_in(body, "fallback_url"),
        status_callback=address_in(body, "status_callback"),
    )
    emulation.store.append(service.to_record())
    await emulation.store.synced()
    return json_response(service_view(service), status=201)


def service_view(service: Service) -> Body:
    view = service.to_record()
    return {**{name: view[name] for name in view if name not in {"type", "own"}}, "numbers": list(service.numbers)}
