"""Media of messages over REST: list, fetch, content, delete."""

from __future__ import annotations

from aiohttp import web

from offhook.emulator.emulation import EMULATION, Emulation
from offhook.emulator.records import Medium
from offhook.emulator.settings import Account
from offhook.emulator.twilio.doors import Row, json_response, not_found, opens
from offhook.emulator.twilio.errors import TwilioError, error_response
from offhook.emulator.twilio.messages import message_named
from offhook.emulator.twilio.resources import account_uri, media_uri, medium_resource

_BASE = f"{account_uri('{account_sid}')}/Messages/{{sid}}/Media"
CONTENT_NAME = "media.content"


def table() -> list[Row]:
    return [
        ("GET", f"{_BASE}.json", "media.list", _list),
        ("GET", f"{_BASE}/{{medium_sid}}.json", "media.fetch", _fetch),
        ("DELETE", f"{_BASE}/{{medium_sid}}.json", "media.delete", _delete),
    ]


def content_route() -> web.RouteDef:
    """The address that an inbound text's webhook tells: it wants credentials only where the account says so."""
    return web.get(f"{_BASE}/{{medium_sid}}", _content_or_fault)


def _medium(request: web.Request, emulation: Emulation, account: Account) -> Medium:
    medium = emulation.store.media.get(request.match_info["medium_sid"])
    if medium is None or (medium.account_sid, medium.message_sid) != (account.sid, request.match_info["sid"]):
        raise not_found(request)
    return medium


async def _list(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    """All of them on one page: a message has ten at most."""
    message = message_named(request, emulation, account)
    media = [medium_resource(medium) for medium in emulation.store.media_of(message.sid)]
    uri = f"{media_uri(message)}.json"
    envelope = {"page": 0, "page_size": 50, "start": 0, "end": max(0, len(media) - 1), "uri": uri}
    links = {"first_page_uri": uri, "next_page_uri": None, "previous_page_uri": None}
    return json_response({"media_list": media, **envelope, **links})


async def _fetch(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    return json_response(medium_resource(_medium(request, emulation, account)))


async def _delete(request: web.Request, emulation: Emulation, account: Account) -> web.Response:
    emulation.delete_medium(_medium(request, emulation, account))
    await emulation.store.synced()
    return web.Response(status=204)


async def _content_or_fault(request: web.Request) -> web.StreamResponse:
    emulation = request.app[EMULATION]
    await request.read()
    return await emulation.door.pass_through(request, emulation.faces["twilio"], CONTENT_NAME, None, _content)


async def _content(request: web.Request) -> web.StreamResponse:
    """Twilio answers with a redirect to its storage, which takes no credentials; so do we."""
    emulation = request.app[EMULATION]
    try:
        account = emulation.store.accounts.get(request.match_info["account_sid"])
        if account is None or (account.media_auth and not opens(request, account)):
            raise TwilioError(20003)
        medium = _medium(request, emulation, account)
    except TwilioError as error:
        return error_response(error)
    return web.Response(status=307, headers={"Location": f"{request.url.origin()}/_emulator/media/{medium.sid}"})
