"""A text from a handset to one of an account's numbers. What the webhook answers is not carried out."""

from __future__ import annotations

import uuid

from offhook.emulator.callbacks import API_VERSION, callback_record
from offhook.emulator.emulation import Emulation
from offhook.emulator.records import Message
from offhook.emulator.segments import segmentation
from offhook.emulator.settings import Account
from offhook.emulator.submission import BODY_MAX_CHARACTERS, is_phone_number


class InboundRefused(Exception):
    """The text cannot be taken; the text of the error says why."""


def send_from_phone(emulation: Emulation, *, phone: str, to: str, body: str, account_sid: str | None) -> Message:
    """Keep the text and tell it to the number's SmsUrl, if it has one. Raises `InboundRefused`."""
    if not is_phone_number(phone):
        raise InboundRefused("the phone must be a number such as +12025550123")
    if not 0 < len(body) <= BODY_MAX_CHARACTERS:
        raise InboundRefused(f"a text has 1 to {BODY_MAX_CHARACTERS} characters")
    account = _owner(emulation, to, account_sid)
    now, counted = emulation.clock.time(), segmentation(body)
    message = Message(
        sid="SM" + uuid.uuid4().hex,
        account_sid=account.sid,
        to=to,
        from_number=phone,
        body=body,
        status="received",
        direction="inbound",
        created_at=now,
        updated_at=now,
        sent_at=now,
        segments=counted.segments,
        encoding=counted.encoding,
    )
    record = {"type": "message", **message.to_record()}
    url = emulation.store.number_settings.get((account.sid, to), {}).get("sms_url")
    if not url:
        emulation.store.append(record)
        return message
    webhook = callback_record(account.sid, url, _webhook_fields(message))
    emulation.store.append(record, webhook)
    emulation.callbacks.start(webhook)
    return message


def _owner(emulation: Emulation, number: str, account_sid: str | None) -> Account:
    for account in emulation.store.accounts.values():
        if number in account.numbers and account_sid in {None, account.sid}:
            return account
    raise InboundRefused("no account owns the number in `to`")


def _webhook_fields(message: Message) -> dict[str, str]:
    """Fields of Twilio's inbound webhook: facts/telephony.md 4."""
    return {
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "SmsMessageSid": message.sid,
        "AccountSid": message.account_sid,
        "From": message.from_number,
        "To": message.to,
        "Body": message.body,
        "NumMedia": "0",
        "NumSegments": str(message.segments),
        "SmsStatus": "received",
        "ApiVersion": API_VERSION,
    }
