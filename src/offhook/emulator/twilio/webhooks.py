"""Twilio's webhooks: what they tell, where they go, and how they are signed (facts/telephony.md 1.4 and 4)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode

from offhook.emulator.face import Attempt, Delivery, Posting
from offhook.emulator.records import Callback, Medium, Message
from offhook.emulator.settings import Account, Settings
from offhook.emulator.store import Record
from offhook.emulator.twilio.errors import LOGGED
from offhook.emulator.twilio.resources import API_VERSION, media_uri
from offhook.emulator.twilio.signature import sign

_NO_PATH = re.compile(r"^(https?://[^/?]+)(?=\?|$)", re.IGNORECASE)

RETRY_POLICIES = frozenset({"4xx", "5xx", "ct", "rt", "all"})
"""What `#rp=` in a URL may name; unconfirmed (facts/telephony.md 4)."""


def status_callback(message: Message, status: str, error_code: int | None = None) -> Callback | None:
    """The callback that tells this status, or None for a message that asked for none."""
    if message.status_callback is None:
        return None
    fields = {
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "AccountSid": message.account_sid,
        "MessageStatus": status,
        "SmsStatus": status,
        "From": message.from_number,
        "To": message.to,
        "ApiVersion": API_VERSION,
    }
    if message.messaging_service_sid:
        fields["MessagingServiceSid"] = message.messaging_service_sid
    if error_code is not None:
        fields["ErrorCode"] = str(error_code)
    return _callback(message, message.status_callback, fields, "status")


def inbound_callback(
    message: Message,
    media: Sequence[Medium],
    url: str,
    fallback_url: str | None,
    opt_out_type: str | None,
    origin: str,
) -> Callback:
    """The webhook that tells a text from a handset; media have addresses of the REST, which may want credentials."""
    fields = {
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "SmsMessageSid": message.sid,
        "AccountSid": message.account_sid,
        "From": message.from_number,
        "To": message.to,
        "Body": message.body,
        "NumMedia": str(len(media)),
        "NumSegments": str(message.segments),
        "SmsStatus": "received",
        "ApiVersion": API_VERSION,
        **_place("From", message.from_number),
        **_place("To", message.to),
    }
    for position, medium in enumerate(media):
        fields[f"MediaUrl{position}"] = f"{origin}{media_uri(message)}/{medium.sid}"
        fields[f"MediaContentType{position}"] = medium.content_type
    if message.messaging_service_sid:
        fields["MessagingServiceSid"] = message.messaging_service_sid
    if opt_out_type:
        fields["OptOutType"] = opt_out_type
    return _callback(message, url, fields, "inbound", fallback_url)


def _place(whose: str, number: str) -> dict[str, str]:
    """A number's place, as far as it is known here: the country of +1 202 555 01xx."""
    known = {"City": "", "State": "", "Zip": "", "Country": "US" if number.startswith("+1") else ""}
    return {f"{whose}{part}": value for part, value in known.items()}


def error_record(code: int, detail: str, message_sid: str | None, url: str) -> Record:
    """What Twilio's error log would show: an event of the emulator, and nothing more."""
    sentence = f"{LOGGED[code]}: {detail}" if code in LOGGED else detail
    return {"type": "error", "code": code, "sentence": sentence, "sid": message_sid, "url": url}


def _callback(
    message: Message, url: str, fields: dict[str, str], kind: str, fallback_url: str | None = None
) -> Callback:
    return Callback(
        id=str(uuid.uuid4()),
        account_sid=message.account_sid,
        url=url,
        fields=fields,
        kind=kind,
        message_sid=message.sid,
        to=message.to,
        fallback_url=fallback_url,
    )


def posting(callback: Callback, account: Account, attempt: Attempt) -> Posting:
    fields = dict(callback.fields)
    if attempt.error_code is not None:  # facts/telephony.md 4: a fallback is told what went wrong, and where
        fields |= {"ErrorCode": str(attempt.error_code), "ErrorUrl": attempt.error_url or ""}
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "User-Agent": "offhook-emulator",
        "I-Twilio-Idempotency-Token": callback.id,
        "X-Twilio-Signature": sign(account.auth_token, attempt.url, fields),
    }
    return Posting(urlencode(fields).encode(), headers)


def delivery_to(url: str, settings: Settings) -> Delivery:
    """Twilio's defaults, overridden by the URL's fragment (facts/telephony.md 4)."""
    bare, _, fragment = url.partition("#")
    bare = _NO_PATH.sub(
        r"\1/", bare
    )  # what is requested is signed; unconfirmed, as its fragment (facts/telephony.md 4)
    given = dict(parse_qsl(fragment))
    retries = int(given["rc"]) if given.get("rc", "") in set("012345") - {""} else settings.callback_retries
    return Delivery(
        url=bare,
        connect_seconds=_milliseconds(given.get("ct"), 10_000, settings.callback_connect_seconds),
        read_seconds=_milliseconds(given.get("rt"), 15_000, settings.callback_read_seconds),
        total_seconds=_milliseconds(given.get("tt"), 15_000, settings.callback_total_seconds),
        pauses=(settings.callback_retry_pause_seconds,) * retries,
        retry_on=(RETRY_POLICIES & {*given.get("rp", "").split(",")}) or frozenset({"ct"}),
    )


def _milliseconds(given: str | None, maximum: int, default: float) -> float:
    if given is None or not given.isascii() or not given.isdigit() or not 100 <= int(given) <= maximum:
        return default
    return int(given) / 1000
