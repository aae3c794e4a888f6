"""The REST routes under /v2/: who asks, what for, and Telnyx's answer."""

from __future__ import annotations

import hmac
import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from aiohttp import web

from offhook.emulator.door import ARRIVED_AT
from offhook.emulator.emulation import EMULATION, Emulation
from offhook.emulator.records import Message
from offhook.emulator.telnyx.errors import TelnyxError, error_response
from offhook.emulator.telnyx.fields import Fields
from offhook.emulator.telnyx.idempotency import Key
from offhook.emulator.telnyx.profiles import Book, Profile, assigning, keeping, number_id
from offhook.emulator.telnyx.resources import (
    balance_resource,
    message_resource,
    number_messaging_resource,
    number_resource,
    page_of,
    profile_resource,
)
from offhook.emulator.telnyx.signature import MISSING, can_sign, public_key
from offhook.emulator.telnyx.submission import Submission, judge

FETCHABLE_SECONDS = 10 * 86_400  # telnyx-python 4.189, messages.retrieve: not older than 10 days
CANCEL_SECONDS = 60  # same place, messages.cancel_scheduled: `send_at` more than a minute from now

Route = Callable[[web.Request, Emulation, Book], Awaitable[web.Response]]


def routes() -> list[web.RouteDef]:
    return [web.route(method, path, _guarded(name, route)) for method, path, name, route in _table()]


def route_names() -> tuple[str, ...]:
    """As faults use them."""
    return tuple(name for _, _, name, _ in _table())


def _table() -> list[tuple[str, str, str, Route]]:
    return [
        ("POST", "/v2/messages", "telnyx.messages.create", _sending()),
        ("POST", "/v2/messages/number_pool", "telnyx.messages.number_pool", _sending("messaging_profile_id")),
        ("POST", "/v2/messages/long_code", "telnyx.messages.long_code", _sending("from")),
        ("POST", "/v2/messages/schedule", "telnyx.messages.schedule", _sending("send_at")),
        ("GET", "/v2/messages/{id}", "telnyx.messages.fetch", _fetch_message),
        ("DELETE", "/v2/messages/{id}", "telnyx.messages.cancel", _cancel_message),
        ("GET", "/v2/phone_numbers", "telnyx.numbers.list", _list_numbers),
        ("GET", "/v2/phone_numbers/{id}", "telnyx.numbers.fetch", _fetch_number),
        ("GET", "/v2/phone_numbers/{id}/messaging", "telnyx.numbers.messaging", _fetch_number_messaging),
        ("PATCH", "/v2/phone_numbers/{id}/messaging", "telnyx.numbers.assign", _assign_number),
        ("GET", "/v2/messaging_profiles", "telnyx.profiles.list", _list_profiles),
        ("POST", "/v2/messaging_profiles", "telnyx.profiles.create", _create_profile),
        ("GET", "/v2/messaging_profiles/{id}", "telnyx.profiles.fetch", _fetch_profile),
        ("PATCH", "/v2/messaging_profiles/{id}", "telnyx.profiles.update", _update_profile),
        ("GET", "/v2/messaging_profiles/{id}/phone_numbers", "telnyx.profiles.numbers", _list_profile_numbers),
        ("GET", "/v2/balance", "telnyx.balance.fetch", _fetch_balance),
        ("GET", "/v2/public_key", "telnyx.public_key.fetch", _fetch_public_key),
    ]


def _guarded(name: str, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The route behind the faults in force, then authentication, then Telnyx's errors."""

    async def answer(request: web.Request) -> web.StreamResponse:
        emulation = request.app[EMULATION]
        try:
            return await route(request, emulation, _authenticated(request, emulation))
        except TelnyxError as error:
            return error_response(error)

    async def handle(request: web.Request) -> web.StreamResponse:
        # The body is read before anything goes wrong, so that a request can be carried out after its connection broke.
        emulation, to = request.app[EMULATION], await _recipient(request)
        return await emulation.door.pass_through(request, emulation.faces["telnyx"], name, to, answer)

    return handle


async def _recipient(request: web.Request) -> str | None:
    """Whom a request to send names, for faults that are limited to one."""
    raw = await request.read()
    try:
        return Fields.of(raw).text("to") if raw else None
    except TelnyxError:
        return None


def _authenticated(request: web.Request, emulation: Emulation) -> Book:
    if not can_sign():
        raise TelnyxError("10007", MISSING, status=503)
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    given = key.strip().encode("utf-8", "surrogateescape")
    for account in emulation.store.accounts.values():
        expected = account.telnyx_api_key
        if scheme.lower() == "bearer" and expected and hmac.compare_digest(expected.encode(), given):
            return Book(emulation.store, account)
    raise TelnyxError("10009")


async def _fields(request: web.Request) -> Fields:
    if request.content_type != "application/json":
        raise TelnyxError("10014")
    return Fields.of(await request.read())


def _json(body: dict[str, Any]) -> web.Response:
    return _answer(json.dumps(body))


def _answer(body: str) -> web.Response:
    return web.Response(text=body, content_type="application/json", headers={"x-request-id": str(uuid.uuid4())})


def _sending(*requires: str) -> Route:
    """A route that sends, and what it asks for beside `to`. All but the scheduling one know idempotency keys."""

    async def send(request: web.Request, emulation: Emulation, book: Book) -> web.Response:
        fields, now = await _fields(request), emulation.clock.time()
        key = None if "send_at" in requires else Key(request, await request.read(), book.account.sid)
        answer = None if key is None else key.find_answer(emulation.store, now=now)
        if answer is None:
            message = _with_ending(emulation, judge(Submission(fields, book, now, frozenset(requires))))
            message = replace(message, arrived_at=request[ARRIVED_AT])
            answer = json.dumps({"data": message_resource(message)})
            kept = () if key is None else key.records(answer, now=now)
            emulation.write(*emulation.lifecycle.records_of(message), *kept)
        await emulation.store.synced()
        return _answer(answer)

    return send


def _with_ending(emulation: Emulation, message: Message) -> Message:
    """A text whose receipt never comes ends all the same: `delivery_unconfirmed`."""
    message = emulation.with_ending(message)
    return replace(message, ending="unconfirmed") if message.ending == "sent" else message


def _message(request: web.Request, emulation: Emulation, book: Book) -> Message:
    message = emulation.store.messages.get(request.match_info["id"])
    if message is None or message.face != "telnyx" or message.account_sid != book.account.sid:
        raise TelnyxError("10005")
    if emulation.clock.time() - message.created_at > FETCHABLE_SECONDS:
        raise TelnyxError("10005")
    return message


async def _fetch_message(request: web.Request, emulation: Emulation, book: Book) -> web.Response:
    return _json({"data": message_resource(_message(request, emulation, book))})


async def _cancel_message(request: web.Request, emulation: Emulation, book: Book) -> web.Response:
    """Answers the message itself, without `data` around it (telnyx-python 4.189)."""
    message = _message(request, emulation, book)
    too_late = message.send_at is None or message.send_at - emulation.clock.time() <= CANCEL_SECONDS
    if message.status != "scheduled" or too_late:
        raise TelnyxError("10015", "Only a scheduled message more than a minute before its time can be cancelled.")
    emulation.lifecycle.move(message, "canceled")
    await emulation.store.synced()
    return _json(message_resource(emulation.store.messages[message.sid]))


async def _list_numbers(request: web.Request, emulation: Emulation, book: Book) -> web.Response:
    """`filter[phone_number]`: at least three digits, found anywhere; what is no digit finds nothing."""
    wanted = request.query.get("filter[phone_number]")
    if wanted is not None and not (len(wanted) >= 3 and wanted.isascii() and wanted.isdigit()):
        return _json(page_of([], request.query))
    numbers = [number_resource(book, number) for number in book.numbers if wanted is None or wanted in number]
    return _json(page_of(numbers, request.query))


def _number(request: web.Request, book: Book) -> str:
    """The number that the path names, by its id or itself."""
    named = request.match_info["id"]
    for number in book.numbers:
        if named in {number, number_id(book.account.sid, number)}:
            return number
    raise TelnyxError("10005")


async def _fetch_number(request: web.Request, emulation: Emulation, book: Book) -> web.Response:
    return _json({"data": number_resource(book, _number(request, book))})


async def _fetch_number_messaging(request: web.Request, emulation: Emulation, book: Book) -> web.Response:
    return _json({"data": number_messaging_resource(book, _number(request, book))})


async def _assign_number(request: web.Request, emulation: Emulation, book: Book) -> web.Response:
    """`messaging_profile_id` puts the number on a profile, "" takes it off; null or nothing leaves it."""
    number, fields = _number(request, book), await _fields(request)
    profile_id = fields.text("messaging_profile_id")
    if profile_id is not None and book.find_profile(profile_id) is None:
        raise TelnyxError("10006", "The messaging profile does not exist.", pointer="/messaging_profile_id")
    if fields.body.get("messaging_profile_id") is not None:
        emulation.write(assigning(book.account.sid, number, profile_id or ""))
        await emulation.store.synced()
    return _json({"data": number_messaging_resource(book, number)})


async def _list_profiles(request: web.Request, emulation: Emulation, book: Book) -> web.Response:
    return _json(page_of([profile_resource(profile) for profile in book.profiles()], request.query))


def _profile(request: web.Request, book: Book) -> Profile:
    profile = book.find_profile(request.match_info["id"])
    if profile is None:
        raise TelnyxError("10005")
    return profile


async def _fetch_profile(request: web.Request, emulation: Emulation, book: Book) -> web.Response:
    return _json({"data": profile_resource(_profile(request, book))})


async def _list_profile_numbers(request: web.Request, emulation: Emulation, book: Book) -> web.Response:
    numbers = book.numbers_of(_profile(request, book))
    return _json(page_of([number_messaging_resource(book, number) for number in numbers], request.query))


async def _create_profile(request: web.Request, emulation: Emulation, book: Book) -> web.Response:
    fields = await _fields(request)
    fields.require("name")
    if not fields.texts("whitelisted_destinations"):
        raise TelnyxError("40331", pointer="/whitelisted_destinations")
    blank = Profile(id=str(uuid.uuid4()), account_sid=book.account.sid, name="", number_pool=False)
    return await _kept(emulation, book, _changed(blank, fields))


async def _update_profile(request: web.Request, emulation: Emulation, book: Book) -> web.Response:
    profile = _profile(request, book)
    return await _kept(emulation, book, _changed(profile, await _fields(request)))


async def _kept(emulation: Emulation, book: Book, profile: Profile) -> web.Response:
    emulation.write(keeping(profile, at=emulation.clock.time()))
    await emulation.store.synced()
    kept = book.find_profile(profile.id)
    assert kept is not None
    return _json({"data": profile_resource(kept)})


def _changed(profile: Profile, fields: Fields) -> Profile:
    """The profile with what the request gives; null takes an address or the pool away. Other fields are ignored."""
    given = fields.body
    pool = given.get("number_pool_settings")
    if pool is not None and not isinstance(pool, dict):
        raise TelnyxError("10015", "'number_pool_settings' must be an object.", pointer="/number_pool_settings")
    addresses = {name: fields.web_address(name) for name in ("webhook_url", "webhook_failover_url") if name in given}
    return replace(
        profile,
        name=fields.text("name") or profile.name,
        enabled=fields.truth("enabled", profile.enabled),
        whitelisted_destinations=fields.texts("whitelisted_destinations") or profile.whitelisted_destinations,
        number_pool=pool is not None if "number_pool_settings" in given else profile.number_pool,
        **addresses,
    )


async def _fetch_balance(request: web.Request, emulation: Emulation, book: Book) -> web.Response:
    return _json({"data": balance_resource()})


async def _fetch_public_key(request: web.Request, emulation: Emulation, book: Book) -> web.Response:
    key = public_key(emulation.store.seed(book.account.sid))
    await emulation.store.synced()
    return _json({"data": {"record_type": "public_key", "public": key}})
