"""Messaging services over Twilio's messaging REST, /v1/Services: define one, put numbers in it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from offhook.emulator.emulation import Emulation
from offhook.emulator.records import Service
from offhook.emulator.settings import Account
from offhook.emulator.store import Store
from offhook.emulator.twilio.doors import Row, form_of, json_response, not_found, number_named
from offhook.emulator.twilio.errors import TwilioError
from offhook.emulator.twilio.resources import Resource, number_sid
from offhook.emulator.twilio.submission import Form, validity_seconds, web_address

_BASE = "/v1/Services"
_EPOCH = datetime.fromtimestamp(0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def table() -> list[Row]:
    return [
        ("POST", _BASE, "services.create", _create),
        ("GET", _BASE, "services.list", _list),
        ("GET", f"{_BASE}/{{sid}}", "services.fetch", _fetch),
        ("POST", f"{_BASE}/{{sid}}", "services.update", _update),
        ("DELETE", f"{_BASE}/{{sid}}", "services.delete", _delete),
        ("POST", f"{_BASE}/{{sid}}/PhoneNumbers", "services.numbers.create", _add_number),
        ("GET", f"{_BASE}/{{sid}}/PhoneNumbers", "services.numbers.list", _list_numbers),
        ("GET", f"{_BASE}/{{sid}}/PhoneNumbers/{{number_sid}}", "services.numbers.fetch", _fetch_number),
        ("DELETE", f"{_BASE}/{{sid}}/PhoneNumbers/{{number_sid}}", "services.numbers.delete", _remove_number),
    ]


def services_of(store: Store, account: Account) -> list[Service]:
    return [s for s in store.services.values() if s.account_sid == account.sid and s.face == "twilio"]


def without_number(service: Service, number: str) -> Service:
    return replace(service, numbers=tuple(one for one in service.numbers if one != number))


def _service(request: web.Request, emulation: Emulation, account: Account) -> Service:
    for service in services_of(emulation.store, account):
        if service.sid == request.match_info["sid"]:
            return service
    raise not_found(request)


def _resource(service: Service) -> Resource:
    url = f"https://messaging.twilio.com{_BASE}/{service.sid}"
    return {
        "sid": service.sid,
        "account_sid": service.account_sid,
        "friendly_name": service.name,
        "inbound_request_url": service.inbound_url,
        "inbound_method": "POST",
        "fallback_url": service.fallback_url,
        "fallback_method": "POST",
        "status_callback": service.status_callback,
        "sticky_sender": service.sticky,
        "smart_encoding": service.smart_encoding,
        "validity_period": int(service.validity_seconds),
        "use_inbound_webhook_on_number": service.inbound_url is None,
        "usecase": "undeclared",
        "us_app_to_person_registered": False,
        "date_created": _EPOCH,
        "date_updated": _EPOCH,
        "url": url,
        "links": {"phone_numbers": f"{url}/PhoneNumbers"},
    }


def _truth(text: str) -> bool:
    return text.lower() == "true"


_FIELDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "FriendlyName": ("name", str),
    "InboundRequestUrl": ("inbound_url", web_address),
    "FallbackUrl": ("fallback_url", web_address),
    "StatusCallback": ("status_callback", web_address),
    "StickySender": ("sticky", _truth),
    "SmartEncoding": ("smart_encoding", _truth),
    "ValidityPeriod": ("validity_seconds", validity_seconds),
}
"""Twilio's parameter to ours. Others are ignored."""


def _changes(form: Form) -> dict[str, Any]:
    return {ours: read(form[theirs][0]) for theirs, (ours, read) in _FIELDS.items() if theirs in form}


async def _keep(emulation: Emulation, service: Service, status: int = 200) -> web.Response:
    emulation.store.append(service.to_record())
    await emulation.store.synced()
    return json_response(_resource(service), status=status)


async def _create(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    form = await form_of(request)
    if not form.get("FriendlyName", ("",))[0]:
        raise TwilioError(20422, "'FriendlyName' is required")
    blank = Service("MG" + uuid.uuid4().hex, account.sid, smart_encoding=True)  # on by default for a new service
    return await _keep(emulation, replace(blank, **_changes(form)), status=201)


async def _list(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    services = [_resource(service) for service in services_of(emulation.store, account)]
    return json_response({"services": services, "meta": _meta(_BASE, "services")})


async def _fetch(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    return json_response(_resource(_service(request, emulation, account)))


async def _update(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    service = _service(request, emulation, account)
    return await _keep(emulation, replace(service, **_changes(await form_of(request))))


async def _delete(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    service = _service(request, emulation, account)
    emulation.store.append({"type": "service_deleted", "sid": service.sid})
    await emulation.store.synced()
    return web.Response(status=204)


def _member(service: Service, number: str) -> Resource:
    sid = number_sid(service.account_sid, number)
    return {
        "sid": sid,
        "account_sid": service.account_sid,
        "service_sid": service.sid,
        "phone_number": number,
        "country_code": "US" if number.startswith("+1") else None,
        "capabilities": ["SMS", "MMS"],
        "date_created": _EPOCH,
        "date_updated": _EPOCH,
        "url": f"https://messaging.twilio.com{_BASE}/{service.sid}/PhoneNumbers/{sid}",
    }


async def _add_number(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    service = _service(request, emulation, account)
    wanted = (await form_of(request)).get("PhoneNumberSid", ("",))[0]
    number = number_named(request, wanted, account.sid, account.numbers)
    if number not in service.numbers:
        emulation.store.append(replace(service, numbers=(*service.numbers, number)).to_record())
        await emulation.store.synced()
    return json_response(_member(service, number), status=201)


async def _list_numbers(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    service = _service(request, emulation, account)
    members = [_member(service, number) for number in service.numbers]
    return json_response({"phone_numbers": members, "meta": _meta(f"{_BASE}/{service.sid}", "phone_numbers")})


def _named_number(request: web.Request, service: Service) -> str:
    return number_named(request, request.match_info["number_sid"], service.account_sid, service.numbers)


async def _fetch_number(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    service = _service(request, emulation, account)
    return json_response(_member(service, _named_number(request, service)))


async def _remove_number(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    service = _service(request, emulation, account)
    emulation.store.append(without_number(service, _named_number(request, service)).to_record())
    await emulation.store.synced()
    return web.Response(status=204)


def _meta(path: str, key: str) -> Resource:
    """One page has all."""
    url = f"https://messaging.twilio.com{path}"
    links = {"first_page_url": url, "previous_page_url": None, "next_page_url": None, "url": url}
    return {"page": 0, "page_size": 1000, "key": key, **links}
