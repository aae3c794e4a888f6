"""Messages, accounts and numbers in the shapes Twilio's REST API gives them (facts/telephony.md 1.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any

from offhook.emulator.records import Medium, Message
from offhook.emulator.settings import Account

Resource = dict[str, Any]
API_VERSION = "2010-04-01"


def rfc2822(at: float | None) -> str | None:
    """`Fri, 20 Nov 2026 05:06:07 +0000`, whole seconds."""
    return None if at is None else formatdate(int(at)).replace("-0000", "+0000")


def account_uri(account_sid: str) -> str:
    return f"/{API_VERSION}/Accounts/{account_sid}"


def media_uri(message: Message) -> str:
    """The path below which a message's media are, each by its sid."""
    return f"{account_uri(message.account_sid)}/Messages/{message.sid}/Media"


def medium_resource(medium: Medium) -> Resource:
    uri = f"{account_uri(medium.account_sid)}/Messages/{medium.message_sid}/Media/{medium.sid}.json"
    return {
        "sid": medium.sid,
        "account_sid": medium.account_sid,
        "parent_sid": medium.message_sid,
        "content_type": medium.content_type,
        "date_created": rfc2822(medium.created_at),
        "date_updated": rfc2822(medium.created_at),
        "uri": uri,
    }


def is_unassigned(message: Message) -> bool:
    """Whether its messaging service has not picked a sender yet, as far as the API tells (facts/telephony.md 1.1)."""
    return message.messaging_service_sid is not None and message.status in {"accepted", "scheduled"}


def message_resource(message: Message) -> Resource:
    base = f"{account_uri(message.account_sid)}/Messages/{message.sid}"
    unassigned = is_unassigned(message)
    return {
        "sid": message.sid,
        "account_sid": message.account_sid,
        "messaging_service_sid": message.messaging_service_sid,
        "from": None if unassigned else message.from_number,
        "to": message.to,
        "body": message.body,
        "status": message.status,
        "direction": message.direction,
        "num_segments": "0" if unassigned else str(message.segments),
        "num_media": str(message.media_count),
        "price": message.price,
        "price_unit": "USD",
        "error_code": message.error_code,
        "error_message": None if message.error_code is None else f"Delivery ended with error {message.error_code}",
        "api_version": API_VERSION,
        "date_created": rfc2822(message.created_at),
        "date_sent": rfc2822(message.sent_at),
        "date_updated": rfc2822(message.updated_at),
        "uri": f"{base}.json",
        "subresource_uris": {"media": f"{base}/Media.json"},
    }


def account_resource(account: Account) -> Resource:
    base = account_uri(account.sid)
    return {
        "sid": account.sid,
        "owner_account_sid": account.sid,
        "friendly_name": account.name,
        "status": "active",
        "type": "Full" if account.verified is None else "Trial",
        "auth_token": account.auth_token,
        "date_created": rfc2822(0),
        "date_updated": rfc2822(0),
        "uri": f"{base}.json",
        "subresource_uris": {
            "messages": f"{base}/Messages.json",
            "incoming_phone_numbers": f"{base}/IncomingPhoneNumbers.json",
        },
    }


def number_sid(account_sid: str, number: str) -> str:
    """The same for a number every time: `PN` and 32 hex digits."""
    return "PN" + hashlib.sha256(f"{account_sid} {number}".encode()).hexdigest()[:32]


def number_resource(account: Account, number: str, settings: Mapping[str, Any]) -> Resource:
    """`settings` holds what was set for the number: sms_url, sms_fallback_url, friendly_name …"""
    sid = number_sid(account.sid, number)
    return {
        "sid": sid,
        "account_sid": account.sid,
        "phone_number": number,
        "friendly_name": settings.get("friendly_name", number),
        "capabilities": {"voice": False, "sms": True, "mms": True, "fax": False},
        "sms_url": settings.get("sms_url") or "",
        "sms_method": settings.get("sms_method", "POST"),
        "sms_fallback_url": settings.get("sms_fallback_url") or "",
        "sms_fallback_method": "POST",
        "sms_application_sid": "",
        "voice_url": "",
        "voice_method": "POST",
        "status_callback": "",
        "status_callback_method": "POST",
        "address_requirements": "none",
        "api_version": API_VERSION,
        "beta": False,
        "origin": "twilio",
        "status": "in-use",
        "trunk_sid": None,
        "date_created": rfc2822(0),
        "date_updated": rfc2822(0),
        "uri": f"{account_uri(account.sid)}/IncomingPhoneNumbers/{sid}.json",
    }
