"""What an operator enters to connect a Telnyx account, and where its API is.

An account is a Telnyx organization: its id stands in every message and webhook as `organization_id`, and
`GET /v2/whoami` tells it. The API key and the public key that webhooks are checked with belong to it as well, while a
messaging profile is only a part of it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from yarl import URL

from offhook.telephony.carrier import CarrierAccount

API: Final = "https://api.telnyx.com"
BASE_URL_PATTERN: Final = r"https://api\.telnyx\.com/?"

CREDENTIALS_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "title": "Telnyx account",
    "properties": {
        "api_key": {
            "type": "string",
            "title": "API key",
            "description": "From the portal, under API keys (KEY…).",
            "pattern": "^[!-~]{1,200}$",
            "format": "password",
        },
        "public_key": {
            "type": "string",
            "title": "Public key",
            "description": "From the portal, under Keys & Credentials: webhooks are checked with it.",
            "pattern": "^[A-Za-z0-9+/]{43}=$",
        },
    },
    "required": ["api_key", "public_key"],
    "additionalProperties": False,
}

EXTERNAL_ID_PATTERN: Final = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"


@dataclass(frozen=True, slots=True)
class Door:
    """What every request of one account needs, made once."""

    messages_url: URL
    origin: URL
    headers: Mapping[str, str] = field(repr=False)
    public_key: Ed25519PublicKey | None
    """None where what was entered is no key: then no webhook is accepted."""

    def message_url(self, carrier_message_id: str) -> URL:
        """The address of one message."""
        return URL(f"{self.messages_url}/{quote(carrier_message_id, safe='')}", encoded=True)


def door_of(account: CarrierAccount) -> Door:
    """Address, header and key of an account."""
    origin = (account.base_url or API).rstrip("/")
    return Door(
        messages_url=URL(f"{origin}/v2/messages", encoded=True),
        origin=URL(origin).origin(),
        headers={
            "Authorization": f"Bearer {account.credentials.get('api_key', '')}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        },
        public_key=_key_of(account.credentials.get("public_key", "")),
    )


def _key_of(text: str) -> Ed25519PublicKey | None:
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return None
