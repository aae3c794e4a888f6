"""Telnyx's face: messages under /v2/, webhooks in JSON signed with Ed25519."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

from aiohttp import web

from offhook.emulator.emulation import EMULATION, Emulation
from offhook.emulator.face import Answer, Attempt, Delivery, Posting
from offhook.emulator.media import MediaRules
from offhook.emulator.records import Callback, Medium, Message
from offhook.emulator.settings import Account, Settings
from offhook.emulator.telnyx import inbound, rest, webhooks
from offhook.emulator.telnyx.errors import error_for_status, error_response
from offhook.emulator.telnyx.profiles import default_profile, organization_id
from offhook.emulator.telnyx.signature import can_sign, public_key

MEDIA_MAX_BYTES = 1_000_000
"""All media of an MMS together may have less than 1 MB (telnyx-python 4.189, `media_urls`)."""


class TelnyxFace:
    name = "telnyx"
    fault_routes = rest.route_names()
    media_rules = MediaRules(
        image_max_bytes=MEDIA_MAX_BYTES,
        other_max_bytes=MEDIA_MAX_BYTES,
        total_max_bytes=MEDIA_MAX_BYTES,
        unreachable_code=40317,
        type_code=40317,
        size_code=40317,
    )

    def routes(self) -> list[web.RouteDef]:
        return [*rest.routes(), web.get("/_emulator/telnyx", _accounts)]

    def refusal(self, status: int) -> web.Response:
        return error_response(error_for_status(status))

    def owns_path(self, path: str) -> bool:
        return path.startswith("/v2/")

    def new_sid(self, media_count: int) -> str:
        return str(uuid.uuid4())

    def status_callback(self, message: Message, status: str, error_code: int | None, at: float) -> Callback | None:
        return webhooks.delivery_update(message, status, error_code, at)

    def take(self, emulation: Emulation, message: Message, media: Sequence[Medium], origin: str) -> None:
        inbound.take(emulation, message, media, origin)

    def price(self, message: Message) -> str | None:
        """Telnyx tells a cost in its answers and webhooks, and none later."""
        return None

    def deliveries(self, callback: Callback, settings: Settings) -> Sequence[Delivery]:
        return webhooks.deliveries(callback, settings)

    def posting(self, callback: Callback, account: Account, attempt: Attempt, seed: bytes, now: float) -> Posting:
        return webhooks.posting(callback, attempt, seed)

    async def answered(self, emulation: Emulation, callback: Callback, attempt: Attempt, answer: Answer) -> int | None:
        """What a webhook answers means nothing but that it was taken; the code is only a sign that it was not."""
        if answer.outcome == "2xx":
            return None
        await emulation.keep(webhooks.error_record(answer.told, callback.message_sid, attempt.url))
        return 10007


async def _accounts(request: web.Request) -> web.Response:
    """Every account as this face's customers need it: key, public key, default profile and numbers."""
    store = request.app[EMULATION].store
    accounts = [
        {
            "sid": account.sid,
            "organization_id": organization_id(account.sid),
            "api_key": account.telnyx_api_key,
            "public_key": public_key(store.seed(account.sid)) if can_sign() else None,
            "messaging_profile_id": default_profile(account.sid).id,
            "numbers": list(account.telnyx_numbers),
        }
        for account in tuple(store.accounts.values())
        if account.telnyx_api_key is not None
    ]
    await store.synced()
    return web.Response(text=json.dumps({"accounts": accounts}), content_type="application/json")
