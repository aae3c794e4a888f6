"""Twilio's face: the Messages REST under /2010-04-01/, signed form webhooks."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from offhook.emulator.emulation import Emulation
from offhook.emulator.face import Answer, Attempt, Delivery, Posting
from offhook.emulator.records import Callback, Message
from offhook.emulator.settings import Account, Settings
from offhook.emulator.twilio import rest, webhooks
from offhook.emulator.twilio.errors import error_for_status, error_response


class TwilioFace:
    name = "twilio"
    fault_routes = rest.route_names()

    def routes(self) -> list[web.RouteDef]:
        return rest.routes()

    def refusal(self, status: int) -> web.Response:
        return error_response(error_for_status(status))

    def owns_path(self, path: str) -> bool:
        return path.startswith("/2010-04-01/")

    def status_callback(self, message: Message, status: str, error_code: int | None) -> Callback | None:
        return webhooks.status_callback(message, status, error_code)

    def take(self, emulation: Emulation, message: Message, origin: str) -> None:
        records = [{"type": "message", **message.to_record()}]
        url = emulation.store.number_settings.get((message.account_sid, message.to), {}).get("sms_url")
        if url:
            records.append(webhooks.inbound_callback(message, url).to_record())
        emulation.write(*records)

    def deliveries(self, callback: Callback, settings: Settings) -> Sequence[Delivery]:
        urls = (callback.url, callback.fallback_url)
        return [webhooks.delivery_to(url, settings) for url in urls if url]

    def posting(self, callback: Callback, account: Account, attempt: Attempt, seed: bytes, now: float) -> Posting:
        return webhooks.posting(callback, account, attempt)

    def answered(self, emulation: Emulation, callback: Callback, attempt: Attempt, answer: Answer) -> int | None:
        return None if answer.outcome == "2xx" else 11200
