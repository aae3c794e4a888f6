"""Accounts, their numbers, messaging services and blocks."""

from __future__ import annotations

import uuid
from typing import Any, cast

from aiohttp import web

from offhook.emulator.control.bodies import (
    Body,
    ControlRefused,
    address_in,
    json_response,
    number_in,
    optional_text_in,
    read_body,
    text_in,
    texts_in,
    truth_in,
)
from offhook.emulator.emulation import Emulation
from offhook.emulator.records import VALIDITY_SECONDS, Service
from offhook.emulator.settings import DEFAULT_NUMBERS, DEFAULT_TELNYX_NUMBERS, Account

RATE_MAX = 1000.0
DAY_SECONDS = 86_400.0


def _account_sid(body: Body, emulation: Emulation) -> str:
    sid = optional_text_in(body, "account_sid") or emulation.settings.accounts[0].sid
    if sid not in emulation.store.accounts:
        raise ControlRefused("there is no account with that account_sid")
    return sid


async def add_account(request: web.Request, emulation: Emulation) -> web.Response:
    """Keep or replace an account."""
    body = await read_body(request)
    keys = body.get("keys", {})
    if not isinstance(keys, dict):
        raise ControlRefused("keys must be an object")
    account = Account(
        text_in(body, "sid"),
        text_in(body, "auth_token"),
        text_in(body, "name", "Emulated account"),
        keys={str(key): str(secret) for key, secret in cast("dict[object, object]", keys).items()},
        numbers=texts_in(body, "numbers", DEFAULT_NUMBERS),
        verified=None if body.get("verified") is None else texts_in(body, "verified", ()),
        media_auth=truth_in(body, "media_auth", True),
        advanced_opt_out=truth_in(body, "advanced_opt_out", False),
        telnyx_api_key=optional_text_in(body, "telnyx_api_key"),
        telnyx_numbers=texts_in(body, "telnyx_numbers", DEFAULT_TELNYX_NUMBERS),
    )
    emulation.store.add_account(account)
    await emulation.store.synced()
    return json_response({"sid": account.sid, "numbers": list(account.numbers)}, status=201)


async def set_block(request: web.Request, emulation: Emulation) -> web.Response:
    """The recipient opts out of a sender, a number or a messaging service (21610), or in again."""
    body = await read_body(request)
    blocked = body.get("blocked", True) is True
    pair = {
        "account_sid": _account_sid(body, emulation),
        "from_number": text_in(body, "from"),
        "to": text_in(body, "to"),
    }
    emulation.store.append({"type": "block", **pair, "blocked": blocked})
    await emulation.store.synced()
    return json_response({**pair, "blocked": blocked}, status=201)


async def set_number(request: web.Request, emulation: Emulation) -> web.Response:
    """Where texts to a number are told, and how fast it sends. What is left out stays."""
    body = await read_body(request)
    changed: dict[str, Any] = {name: address_in(body, name) for name in ("sms_url", "sms_fallback_url")}
    changed["segments_per_second"] = number_in(body, "segments_per_second", None, 0.001, RATE_MAX)
    changed["queue_max_seconds"] = number_in(body, "queue_max_seconds", None, 0, DAY_SECONDS)
    changed = {name: value for name, value in changed.items() if name in body}
    if changed.get("queue_max_seconds", 0) is None:
        del changed["queue_max_seconds"]
    record = {"account_sid": _account_sid(body, emulation), "number": text_in(body, "number"), "set": changed}
    emulation.store.append({"type": "number", **record})
    await emulation.store.synced()
    return json_response({"number": record["number"], **changed}, status=201)


async def list_services(request: web.Request, emulation: Emulation) -> web.Response:
    return json_response({"services": [service_view(service) for service in emulation.store.services.values()]})


async def set_service(request: web.Request, emulation: Emulation) -> web.Response:
    """Keep or replace a messaging service of Twilio's face."""
    body = await read_body(request)
    account = emulation.store.accounts[_account_sid(body, emulation)]
    numbers = texts_in(body, "numbers", ())
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
