"""Twilio as the contract suite plays it."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qsl, urlencode

import aiohttp
from aiohttp import web
from twilio.request_validator import RequestValidator

from offhook.emulator import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN
from offhook.telephony.carrier import OutboundText, Treatment
from offhook.telephony.carriers.twilio import TwilioCarrier
from telephony.carriers.face import CALLBACK, FROM, STATUS_URL, TO, Customer, Face, Inbound, Refused, Webhook

SID, TOKEN = "AC" + "0" * 32, "12345678901234567890123456789012"
INBOUND_URL = "https://offhook.example/webhooks/carriers/1/inbound-text"


def resource(number: int, **more: Any) -> dict[str, Any]:
    """A message as Twilio answers it."""
    return {
        "sid": message_id(number), "account_sid": SID, "messaging_service_sid": None, "status": "queued",
        "to": TO, "from": FROM, "body": "Grüße & mehr", "date_created": "Sat, 21 Nov 2026 10:00:00 +0000",
        "direction": "outbound-api", "error_code": None, "num_segments": "2", "num_media": "0",
        "price": "-0.00830", "price_unit": "usd", **more,
    }  # fmt: skip


def message_id(number: int) -> str:
    return f"SM{number:032d}"


def read_post(request: web.Request, body: bytes) -> OutboundText:
    pairs = parse_qsl(body.decode(), keep_blank_values=True)
    form = dict(pairs)
    validity = form.get("ValidityPeriod")
    return OutboundText(
        to_number=form["To"],
        from_number=form.get("From"),
        body=form.get("Body", ""),
        status_callback_url=form.get("StatusCallback"),
        messaging_service=form.get("MessagingServiceSid"),
        media_urls=tuple(value for name, value in pairs if name == "MediaUrl"),
        validity_seconds=None if validity is None else int(validity),
    )


def authorized(request: web.Request) -> bool:
    expected = base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
    return request.headers.get("Authorization") == f"Basic {expected}"


def signed(url: str, form: dict[str, str]) -> Webhook:
    return Webhook(
        url,
        {
            "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
            "x-twilio-signature": RequestValidator(TOKEN).compute_signature(url, form),
        },
        urlencode(form).encode(),
    )


def status_webhook(sid: str, word: str, code: str | None) -> Webhook:
    form = {
        "MessageSid": sid, "SmsSid": sid, "AccountSid": SID, "MessageStatus": word, "SmsStatus": word, "From": FROM,
        "To": TO, "ApiVersion": "2010-04-01", "SomethingNew": "",
    }  # fmt: skip
    return signed(f"{STATUS_URL}?{CALLBACK.partition('?')[2]}", form | ({"ErrorCode": code} if code else {}))


def inbound_webhook(text: Inbound) -> Webhook:
    form = {
        "MessageSid": message_id(1), "SmsSid": message_id(1), "SmsMessageSid": message_id(1), "AccountSid": SID,
        "From": TO, "To": FROM, "Body": text.body, "NumMedia": str(len(text.media)), "NumSegments": "1",
        "SmsStatus": "received", "FromCity": "WASHINGTON", "ApiVersion": "2010-04-01",
    }  # fmt: skip
    for index, medium in enumerate(text.media):
        form |= {f"MediaUrl{index}": medium.url, f"MediaContentType{index}": medium.content_type}
    if text.consent is not None:
        form["OptOutType"] = text.consent.upper()
    if text.service is not None:
        form["MessagingServiceSid"] = text.service
    return signed(INBOUND_URL, form)


async def customer(session: aiohttp.ClientSession, url: str) -> Customer:
    """The emulator's default account, with Advanced Opt-Out and a messaging service."""

    async def control(path: str, body: dict[str, Any]) -> None:
        async with session.post(f"{url}/_emulator/{path}", json=body) as response:
            assert response.status == 201, await response.text()

    async def set_inbound_url(inbound_url: str) -> None:
        await control("numbers", {"number": FROM, "sms_url": inbound_url})

    account = {"sid": DEFAULT_ACCOUNT_SID, "auth_token": DEFAULT_AUTH_TOKEN, "advanced_opt_out": True}
    await control("accounts", account)
    service = "MG" + "a" * 32
    await control("services", {"sid": service, "numbers": ["+12025550199"]})
    return Customer(
        external_account_id=DEFAULT_ACCOUNT_SID,
        credentials={"auth_token": DEFAULT_AUTH_TOKEN},
        number=FROM,
        messaging_service=service,
        create_route="messages.create",
        set_inbound_url=set_inbound_url,
    )


FACE = Face(
    name="twilio",
    make=TwilioCarrier,
    external_account_id=SID,
    credentials={"auth_token": TOKEN},
    other_credentials={"auth_token": "f" * 32},
    messaging_service="MG" + "a" * 32,
    not_account_ids=("", "AC123", "SM" + "0" * 32, "AC" + "g" * 32, "AC" + "0" * 33),
    accepted=resource,
    delivered=lambda number: resource(number, status="delivered"),
    read_post=read_post,
    authorized=authorized,
    refusals={
        "opted_out": Refused(400, {"code": 21610}, "21610", Treatment.SUPPRESS),
        "invalid_recipient": Refused(400, {"code": 21211}, "21211", Treatment.FAIL),
        "sender_full": Refused(429, {"code": 21611}, "21611", Treatment.WAIT_SENDER),
        "bad_credentials": Refused(401, {"code": 20003}, "20003", Treatment.STOP_ACCOUNT),
        "unknown": Refused(400, {"code": 99999}, "99999", Treatment.ALERT),
    },
    status_webhook=status_webhook,
    inbound_webhook=inbound_webhook,
    words={"sent": "sent", "delivered": "delivered", "undelivered": "undelivered"},
    message_id=message_id,
    undelivered_code="30005",
    customer=customer,
    callbacks=3,
)
