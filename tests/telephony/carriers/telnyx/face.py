"""Telnyx as the contract suite plays it."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import aiohttp
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from offhook.telephony.carrier import OutboundText, Treatment
from offhook.telephony.carriers.telnyx import TelnyxCarrier
from telephony.carriers.face import CALLBACK, FROM, STATUS_URL, TO, Customer, Face, Inbound, Refused, Webhook

ORGANIZATION = "b448f9cc-a842-4784-98e9-03c1a5872950"
PROFILE = "4000eba1-a0c0-4563-9925-b25e842a7cb6"
API_KEY = "KEY0123456789"
KEY, OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"1" * 32), Ed25519PrivateKey.from_private_bytes(b"2" * 32)
INBOUND_URL = "https://offhook.example/webhooks/carriers/1/inbound-text"


def public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def message_id(number: int) -> str:
    return f"40385f64-5717-4562-b3fc-{number:012d}"


def payload(number: int, word: str = "queued", **more: Any) -> dict[str, Any]:
    """A message as Telnyx has it in answers and webhooks."""
    return {
        "record_type": "message", "direction": "outbound", "id": message_id(number), "type": "SMS",
        "messaging_profile_id": PROFILE, "organization_id": ORGANIZATION,
        "from": {"phone_number": FROM, "carrier": "TELNYX LLC", "line_type": "VoIP"},
        "to": [{"phone_number": TO, "status": word, "carrier": "T-MOBILE USA, INC.", "line_type": "Wireless"}],
        "cc": [], "text": "Grüße & mehr", "media": [], "encoding": "UCS-2", "parts": 2, "tags": [],
        "webhook_url": CALLBACK, "cost": {"amount": "0.0083", "currency": "USD"},
        "received_at": "2026-11-21T10:00:00.000Z", "sent_at": None, "completed_at": None, "errors": [], **more,
    }  # fmt: skip


def read_post(request: web.Request, body: bytes) -> OutboundText:
    told = json.loads(body)
    assert request.content_type == "application/json"
    assert told.get("use_profile_webhooks") is (False if "webhook_url" in told else None)
    return OutboundText(
        to_number=told["to"],
        from_number=told.get("from"),
        body=told.get("text", ""),
        status_callback_url=told.get("webhook_url"),
        messaging_service=told.get("messaging_profile_id"),
        media_urls=tuple(told.get("media_urls", ())),
        idempotency_key=request.headers.get("Idempotency-Key"),
    )


def authorized(request: web.Request) -> bool:
    return request.headers.get("Authorization") == f"Bearer {API_KEY}"


def signed(url: str, body: bytes, *, at: float | None = None, key: Ed25519PrivateKey = KEY) -> Webhook:
    timestamp = str(int(time.time() if at is None else at))
    signature = key.sign(timestamp.encode() + b"|" + body)
    headers = {
        "content-type": "application/json",
        "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
        "telnyx-timestamp": timestamp,
    }
    return Webhook(url, headers, body)


def event(event_type: str, told: dict[str, Any]) -> bytes:
    data = {"record_type": "event", "id": message_id(9), "event_type": event_type, "payload": told}
    return json.dumps({"data": data, "meta": {"attempt": 1, "delivered_to": STATUS_URL}}).encode()


def status_webhook(sid: str, word: str, code: str | None) -> Webhook:
    errors = [{"code": code, "title": "Undeliverable"}] if code else []
    kind = "message.sent" if word == "sent" else "message.finalized"
    return signed(f"{STATUS_URL}?{CALLBACK.partition('?')[2]}", event(kind, payload(1, word, id=sid, errors=errors)))


def inbound_webhook(text: Inbound) -> Webhook:
    told = payload(
        1, "webhook_delivered", direction="inbound", text=text.body, type="MMS" if text.media else "SMS",
        media=[{"url": m.url, "content_type": m.content_type, "sha256": None, "size": None} for m in text.media],
        autoresponse_type=None if text.consent is None else text.consent.upper(),
        messaging_profile_id=text.service, webhook_url=None,
        **{"from": {"phone_number": TO, "carrier": "T-Mobile", "line_type": "Wireless"}},
        to=[{"phone_number": FROM, "status": "webhook_delivered"}],
    )  # fmt: skip
    return signed(INBOUND_URL, event("message.received", told))


def refused(status: int, code: str, treatment: Treatment) -> Refused:
    return Refused(status, {"errors": [{"code": code, "title": "T", "detail": "D"}]}, code, treatment)


async def customer(session: aiohttp.ClientSession, url: str) -> Customer:
    """The emulator's default account."""
    async with session.get(f"{url}/_emulator/telnyx") as response:
        [told] = (await response.json())["accounts"]
    profile = f"{url}/v2/messaging_profiles/{told['messaging_profile_id']}"

    async def set_inbound_url(inbound_url: str) -> None:
        headers = {"Authorization": f"Bearer {told['api_key']}"}
        async with session.patch(profile, json={"webhook_url": inbound_url}, headers=headers) as response:
            assert response.status == 200, await response.text()

    return Customer(
        external_account_id=ORGANIZATION,
        credentials={"api_key": told["api_key"], "public_key": told["public_key"]},
        number=told["numbers"][0],
        messaging_service=told["messaging_profile_id"],
        create_route="telnyx.messages.create",
        set_inbound_url=set_inbound_url,
    )


FACE = Face(
    name="telnyx",
    make=TelnyxCarrier,
    external_account_id=ORGANIZATION,
    credentials={"api_key": API_KEY, "public_key": public(KEY)},
    other_credentials={"api_key": API_KEY, "public_key": public(OTHER_KEY)},
    messaging_service=PROFILE,
    not_account_ids=("", "AC" + "0" * 32, ORGANIZATION[:-1], ORGANIZATION + "0", "x" * 36),
    accepted=lambda number: {"data": payload(number)},
    delivered=lambda number: {"data": payload(number, "delivered")},
    read_post=read_post,
    authorized=authorized,
    refusals={
        "opted_out": refused(409, "40300", Treatment.SUPPRESS),
        "invalid_recipient": refused(400, "40310", Treatment.FAIL),
        "sender_full": refused(429, "40318", Treatment.WAIT_SENDER),
        "bad_credentials": refused(401, "10009", Treatment.STOP_ACCOUNT),
        "unknown": refused(400, "99999", Treatment.ALERT),
    },
    status_webhook=status_webhook,
    inbound_webhook=inbound_webhook,
    words={"sent": "sent", "delivered": "delivered", "undelivered": "delivery_failed"},
    message_id=message_id,
    undelivered_code="40001",
    customer=customer,
    callbacks=2,
)
