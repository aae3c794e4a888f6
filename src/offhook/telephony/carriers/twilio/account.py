"""What an operator enters to connect a Twilio account, and where its API is."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from yarl import URL

from offhook.telephony.carrier import CarrierAccount

API: Final = "https://api.twilio.com"
BASE_URL_PATTERN: Final = r"https://api(\.[a-z0-9-]+){0,2}\.twilio\.com/?"
"""Also with a region, or with an edge and a region: twilio.com/docs/global-infrastructure."""

CREDENTIALS_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "title": "Twilio account",
    "properties": {
        "auth_token": {
            "type": "string",
            "title": "Auth token",
            "description": "The primary one: Twilio signs its webhooks with it.",
            "minLength": 1,
            "maxLength": 200,
            "format": "password",
        },
        "previous_auth_token": {
            "type": "string",
            "title": "Previous auth token",
            "description": "While the token is being rotated: webhooks signed with it are still accepted.",
            "minLength": 1,
            "maxLength": 200,
            "format": "password",
        },
        "api_key_sid": {
            "type": "string",
            "title": "API key",
            "description": "Sends requests instead of the auth token, which then only checks signatures.",
            "pattern": "^SK[0-9a-fA-F]{32}$",
        },
        "api_key_secret": {
            "type": "string",
            "title": "API key's secret",
            "minLength": 1,
            "maxLength": 200,
            "format": "password",
        },
        "shared_key_id": {
            "type": "string",
            "title": "Webhook shared key",
            "description": "The id (webhooks_sharedkey_…), where webhooks are signed with a shared key.",
            "minLength": 1,
            "maxLength": 200,
        },
        "shared_key_secret": {
            "type": "string",
            "title": "Webhook shared key's secret",
            "minLength": 1,
            "maxLength": 200,
            "format": "password",
        },
    },
    "required": ["auth_token"],
    "dependentRequired": {
        "api_key_sid": ["api_key_secret"],
        "api_key_secret": ["api_key_sid"],
        "shared_key_id": ["shared_key_secret"],
        "shared_key_secret": ["shared_key_id"],
    },
    "additionalProperties": False,
}

EXTERNAL_ID_PATTERN: Final = r"^AC[0-9a-fA-F]{32}$"


@dataclass(frozen=True, slots=True)
class Door:
    """What every request of one account needs, made once."""

    messages_url: URL
    origin: str
    headers: Mapping[str, str] = field(repr=False)
    webhook_secrets: tuple[bytes, ...] = field(repr=False)
    shared_key_id: str | None
    shared_key_secret: bytes = field(repr=False)

    def message_url(self, carrier_message_id: str) -> URL:
        """The address of one message."""
        return self._below_messages(carrier_message_id)

    def media_url(self, carrier_message_id: str, media_sid: str | None = None) -> URL:
        """The address of a message's media, or of one of them."""
        return self._below_messages(carrier_message_id, "Media", *([media_sid] if media_sid else []))

    def _below_messages(self, *parts: str) -> URL:
        quoted = "/".join(quote(part, safe="") for part in parts)
        return URL(f"{str(self.messages_url).removesuffix('.json')}/{quoted}.json", encoded=True)


def door_of(account: CarrierAccount) -> Door:
    """Address, header and secrets of an account."""
    given = account.credentials
    user = given.get("api_key_sid") or account.external_account_id
    password = given.get("api_key_secret") or given.get("auth_token", "")
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    origin = (account.base_url or API).rstrip("/")
    secrets = (given.get("auth_token"), given.get("previous_auth_token"))
    return Door(
        messages_url=URL(f"{origin}/2010-04-01/Accounts/{account.external_account_id}/Messages.json", encoded=True),
        origin=origin,
        headers={
            "Authorization": f"Basic {basic}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        },
        webhook_secrets=tuple(secret.encode() for secret in secrets if secret),
        shared_key_id=given.get("shared_key_id") or None,
        shared_key_secret=given.get("shared_key_secret", "").encode(),
    )
