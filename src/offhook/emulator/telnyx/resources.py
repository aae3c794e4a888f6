"""Messages, numbers, profiles and the balance as Telnyx's API shows them (telnyx-python 4.189, apispec.telnyx.com)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from offhook.emulator.lifecycle import EXPIRED_CODE, expires_at
from offhook.emulator.records import Message
from offhook.emulator.telnyx.errors import delivery_error
from offhook.emulator.telnyx.own import Own
from offhook.emulator.telnyx.profiles import Book, Profile, number_id, organization_id

Resource = dict[str, Any]

STATUSES = {
    "undelivered": "delivery_failed",
    "failed": "sending_failed",
    "unconfirmed": "delivery_unconfirmed",
    "canceled": "cancelled",
    "received": "webhook_delivered",
}
"""Telnyx's words for the store's; the others are the same."""

ENDED = frozenset({"delivered", "undelivered", "failed", "unconfirmed", "canceled"})

SMS_RATE, SMS_FEE = Decimal("0.00400"), Decimal("0.00300")
MMS_RATE, MMS_FEE = Decimal("0.01500"), Decimal("0.00500")
"""USD of a part and of an MMS: of the order of Telnyx's prices, and fictitious."""


def iso(at: float | None) -> str | None:
    """`2019-12-09T21:32:14.148+00:00`, as Telnyx writes times."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def message_resource(message: Message) -> Resource:
    """A message, in or out."""
    own = Own.of(message.own)
    inbound = message.direction == "inbound"
    ended = message.status in ENDED
    waiting = message.status in {"queued", "sending"}
    resource: Resource = {
        "record_type": "message",
        "direction": "inbound" if inbound else "outbound",
        "id": message.sid,
        "type": own.type,
        "organization_id": organization_id(message.account_sid),
        "messaging_profile_id": message.messaging_service_sid,
        "from": {"phone_number": message.from_number, **_line("Wireless" if inbound else "VoIP")},
        "to": [
            {
                "phone_number": message.to,
                "status": STATUSES.get(message.status, message.status),
                **_line("VoIP" if inbound else "Wireless"),
            }
        ],
        "cc": [],
        "text": message.body,
        "subject": own.subject,
        "media": _media(message, own),
        "webhook_url": own.webhook_url,
        "webhook_failover_url": own.webhook_failover_url,
        "encoding": message.encoding,
        "parts": message.segments,
        "tags": list(message.tags),
        **_cost(message, own),
        "tcr_campaign_id": None,
        "tcr_campaign_billable": False,
        "tcr_campaign_registered": None,
        "received_at": iso(message.created_at),
        "sent_at": None if inbound else iso(message.sent_at),
        "completed_at": iso(message.updated_at) if ended else None,
        "valid_until": iso(expires_at(message)) if waiting else None,
        "errors": _errors(message),
    }
    if inbound:
        resource |= {"autoresponse_type": own.autoresponse_type, "is_spam": False}
    elif message.send_at is not None:
        resource["send_at"] = iso(message.send_at)
    return resource


def _line(kind: str) -> Resource:
    return {"carrier": "TELNYX LLC" if kind == "VoIP" else "Emulated Wireless", "line_type": kind}


def _media(message: Message, own: Own) -> list[Resource]:
    if message.direction == "inbound":
        return [dict(medium) for medium in own.media]
    return [{"url": url, "content_type": None, "sha256": None, "size": None} for url in message.media_urls]


def _cost(message: Message, own: Own) -> Resource:
    count = 1 if own.type == "MMS" else message.segments
    rate, fee = (MMS_RATE, MMS_FEE) if own.type == "MMS" else (SMS_RATE * count, SMS_FEE * count)
    return {
        "cost": {"amount": f"{rate + fee:.4f}", "currency": "USD"},
        "cost_breakdown": {
            "rate": {"amount": f"{rate:.5f}", "currency": "USD"},
            "carrier_fee": {"amount": f"{fee:.5f}", "currency": "USD"},
        },
    }


def _errors(message: Message) -> list[Resource]:
    if message.status not in {"undelivered", "failed"}:
        return []
    code = 40014 if message.error_code == EXPIRED_CODE else message.error_code or 0
    return [
        delivery_error(str(code) if 40000 <= code < 50000 else "40008")
    ]  # a code of Telnyx's, whatever a fault said


def number_resource(book: Book, number: str) -> Resource:
    profile = book.find_profile_of(number)
    return {
        "record_type": "phone_number",
        "id": number_id(book.account.sid, number),
        "phone_number": number,
        "country_iso_alpha2": "US",
        "status": "active",
        "phone_number_type": "local",
        "connection_id": None,
        "connection_name": None,
        "customer_reference": None,
        "external_pin": None,
        "messaging_profile_id": profile.id if profile else None,
        "messaging_profile_name": profile.name if profile else None,
        "messaging_campaign_id": None,
        "billing_group_id": None,
        "emergency_enabled": False,
        "deletion_lock_enabled": False,
        "tags": [],
        "purchased_at": iso(0),
        "created_at": iso(0),
        "updated_at": iso(0),
    }


def number_messaging_resource(book: Book, number: str) -> Resource:
    """The messaging settings of a number."""
    profile = book.find_profile_of(number)
    mms = {"domestic_two_way": True, "international_inbound": False, "international_outbound": False}
    sms = {"domestic_two_way": True, "international_inbound": True, "international_outbound": True}
    return {
        "record_type": "messaging_settings",
        "id": number_id(book.account.sid, number),
        "phone_number": number,
        "country_code": "US",
        "type": "long-code",
        "messaging_profile_id": profile.id if profile else None,
        "messaging_product": "A2P",
        "traffic_type": "A2P",
        "eligible_messaging_products": ["A2P"],
        "features": {"sms": sms, "mms": mms},
        "health": None,
        "organization_id": organization_id(book.account.sid),
        "tags": [],
        "created_at": iso(0),
        "updated_at": iso(0),
    }


def profile_resource(profile: Profile) -> Resource:
    pool = {"long_code_weight": 1, "toll_free_weight": 1, "skip_unhealthy": False, "geomatch": False}
    return {
        "record_type": "messaging_profile",
        "id": profile.id,
        "organization_id": organization_id(profile.account_sid),
        "name": profile.name,
        "enabled": profile.enabled,
        "webhook_url": profile.webhook_url,
        "webhook_failover_url": profile.webhook_failover_url,
        "webhook_api_version": "2",
        "whitelisted_destinations": list(profile.whitelisted_destinations),
        "number_pool_settings": pool if profile.number_pool else None,
        "url_shortener_settings": None,
        "alpha_sender": None,
        "daily_spend_limit": None,
        "daily_spend_limit_enabled": False,
        "mms_fall_back_to_sms": False,
        "mms_transcoding": False,
        "mobile_only": False,
        "smart_encoding": False,
        "created_at": iso(profile.created_at),
        "updated_at": iso(profile.updated_at),
    }


def balance_resource() -> Resource:
    amounts = {"balance": "100.00", "available_credit": "100.00", "credit_limit": "0.00", "pending": "0.00"}
    return {"record_type": "balance", **amounts, "currency": "USD"}


PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 20, 250  # telnyx-python 4.189 and Telnyx's OpenAPI description


def page_of(resources: Sequence[Resource], query: Mapping[str, str]) -> Resource:
    """One page in Telnyx's envelope: `page[number]` from 1, `page[size]`."""
    size = min(PAGE_SIZE_MAX, max(1, _whole(query.get("page[size]"), PAGE_SIZE_DEFAULT)))
    number = max(1, _whole(query.get("page[number]"), 1))
    shown = list(resources[(number - 1) * size : number * size])
    meta = {
        "total_pages": -(-len(resources) // size),
        "total_results": len(resources),
        "page_number": number,
        "page_size": size,
    }
    return {"data": shown, "meta": meta}


def _whole(given: str | None, default: int) -> int:
    return int(given) if given and given.isascii() and given.isdigit() and len(given) < 10 else default
