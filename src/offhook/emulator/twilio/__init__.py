"""Twilio's face: the Messages REST under /2010-04-01/, signed form webhooks."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from aiohttp import web

from offhook.emulator.emulation import Emulation
from offhook.emulator.face import Answer, Attempt, Delivery, Posting
from offhook.emulator.media import MediaRules
from offhook.emulator.records import Callback, Medium, Message
from offhook.emulator.settings import Account, Settings
from offhook.emulator.twilio import inbound, prices, rest, webhooks
from offhook.emulator.twilio.errors import error_for_status, error_response


class TwilioFace:
    name = "twilio"
    fault_routes = rest.route_names()
    media_rules = MediaRules()

    def routes(self) -> list[web.RouteDef]:
        return rest.routes()

    def refusal(self, status: int) -> web.Response:
        return error_response(error_for_status(status))

    def owns_path(self, path: str) -> bool:
        return path.startswith(("/2010-04-01/", "/v1/"))

    def status_callback(self, message: Message, status: str, error_code: int | None, at: float) -> Callback | None:
        return webhooks.status_callback(message, status, error_code)

    def new_sid(self, media_count: int) -> str:
        return ("MM" if media_count else "SM") + uuid.uuid4().hex

    def take(self, emulation: Emulation, message: Message, media: Sequence[Medium], origin: str) -> None:
        inbound.take(emulation, message, media, origin)

    def price(self, message: Message) -> str | None:
        return prices.price(message)

    def deliveries(self, callback: Callback, settings: Settings) -> Sequence[Delivery]:
        urls = (callback.url, callback.fallback_url)
        return [webhooks.delivery_to(url, settings) for url in urls if url]

    def posting(self, callback: Callback, account: Account, attempt: Attempt, seed: bytes, now: float) -> Posting:
        return webhooks.posting(callback, account, attempt)

    async def answered(self, emulation: Emulation, callback: Callback, attempt: Attempt, answer: Answer) -> int | None:
        return await inbound.answered(emulation, callback, attempt, answer)
