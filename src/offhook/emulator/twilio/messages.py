"""Messages over REST: create, list, fetch, cancel, redact, delete."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from offhook.emulator.door import ARRIVED_AT
from offhook.emulator.emulation import Emulation
from offhook.emulator.records import TERMINAL, Message
from offhook.emulator.settings import Account
from offhook.emulator.twilio.doors import Row, form_of, json_response, not_found
from offhook.emulator.twilio.errors import TwilioError
from offhook.emulator.twilio.listing import page_of_messages
from offhook.emulator.twilio.parameters import ignored_parameters
from offhook.emulator.twilio.resources import account_uri, message_resource
from offhook.emulator.twilio.submission import Submission, judge

_BASE = f"{account_uri('{account_sid}')}/Messages"


def table() -> list[Row]:
    return [
        ("POST", f"{_BASE}.json", "messages.create", _create),
        ("GET", f"{_BASE}.json", "messages.list", _list),
        ("GET", f"{_BASE}/{{sid}}.json", "messages.fetch", _fetch),
        ("POST", f"{_BASE}/{{sid}}.json", "messages.update", _update),
        ("DELETE", f"{_BASE}/{{sid}}.json", "messages.delete", _delete),
    ]


async def _create(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    form = await form_of(request)
    message = judge(Submission(form, account, emulation.store, emulation.clock.time()))
    message = replace(emulation.with_ending(message), arrived_at=request[ARRIVED_AT])
    ignored = ignored_parameters(form)
    told = ({"type": "ignored", "sid": message.sid, "parameters": ignored},) if ignored else ()
    emulation.write(*emulation.lifecycle.records_of(message), *told)
    await emulation.store.synced()
    return json_response(message_resource(message), status=201)


async def _list(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    return json_response(page_of_messages(emulation.store, account.sid, dict(request.query)))


def message_named(request: web.Request, emulation: Emulation, account: Account) -> Message:
    """The message of the path. Raises `TwilioError`."""
    message = emulation.store.messages.get(request.match_info["sid"])
    if message is None or message.account_sid != account.sid or message.face != "twilio":
        raise not_found(request)
    return message


async def _fetch(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    return json_response(message_resource(message_named(request, emulation, account)))


async def _update(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    """`Status=canceled` for a scheduled message, `Body=` (empty) to redact one that has ended."""
    message = message_named(request, emulation, account)
    form = await form_of(request)
    if form.get("Status") == ("canceled",):
        if message.status != "scheduled":
            raise TwilioError(30409)
        emulation.lifecycle.move(message, "canceled")
    elif form.get("Body") == ("",):
        if not _has_ended(message):
            raise TwilioError(20009)
        emulation.store.append({"type": "redact", "sid": message.sid})
    else:
        raise TwilioError(20422, "Only Status=canceled or an empty Body can be set")
    await emulation.store.synced()
    return json_response(message_resource(emulation.store.messages[message.sid]))


async def _delete(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    message = message_named(request, emulation, account)
    if not _has_ended(message):
        raise TwilioError(20009)
    emulation.delete_message(message)
    await emulation.store.synced()
    return web.Response(status=204)


def _has_ended(message: Message) -> bool:
    return message.status in TERMINAL or message.status == message.ending
