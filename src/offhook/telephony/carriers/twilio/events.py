"""From Twilio's words to ours: message resources and webhooks. New fields of Twilio's are ignored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from offhook.core.text import clean_text, is_clean
from offhook.telephony.carrier import (
    INBOUND_TEXT,
    MESSAGE_STATUS,
    CarrierEvent,
    CarrierMessage,
    InboundMedium,
    InboundTextEvent,
    MessageStatusEvent,
    operation_in,
    price_in,
)
from offhook.telephony.carriers.twilio.signature import form_pairs

# facts/telephony.md 1.3. `queued` and `sending` are Twilio's own queue: for us the carrier has the text.
STATUSES: Final[Mapping[str, str]] = {
    "accepted": "accepted",
    "scheduled": "accepted",
    "queued": "accepted",
    "sending": "accepted",
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "partially_delivered": "delivered",
    "undelivered": "undelivered",
    "failed": "failed",
    "canceled": "canceled",
    "receiving": "received",
    "received": "received",
}

_MONTHS: Final[Mapping[str, int]] = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_CREATED_STEP: Final = timedelta(seconds=1)
"""`date_created` is cut to whole seconds."""

_TRIAL: Final = "Sent from your Twilio trial account - "
"""What Twilio puts before the words of a text from a trial account (its documentation of the free trial; not seen by
us), so that we find our own words in its list."""

_LONGEST_ID: Final = 64
_LONGEST_ADDRESS: Final = 64
_MOST_MEDIA: Final = 30  # Twilio's own limit is 10; more in one webhook is nonsense

_CONSENT: Final[Mapping[str, str]] = {"STOP": "stop", "START": "start", "HELP": "help"}
"""OptOutType, which an Advanced Opt-Out service sets: Twilio has answered then (facts/telephony.md section 4)."""


def message_of(resource: Mapping[str, Any]) -> CarrierMessage:
    """A message resource. Raises ValueError if it is none."""
    try:
        sid, status, body = resource["sid"], resource["status"], resource.get("body") or ""
        to_number, from_number = resource["to"], resource.get("from") or ""
        created_at = read_date(resource["date_created"])
        code, price = resource.get("error_code"), price_in(resource.get("price"))
        if not (isinstance(sid, str) and isinstance(to_number, str) and isinstance(body, str) and _is_id(sid)):
            raise ValueError("a message resource whose fields have the wrong types")
        return CarrierMessage(
            carrier_message_id=sid,
            status=STATUSES.get(status, "accepted"),
            to_number=to_number,
            from_number=from_number,
            body=body.removeprefix(_TRIAL),
            created_at=created_at,
            direction="inbound" if resource.get("direction") == "inbound" else "outbound",
            error_code=None if code is None else str(code),
            # "0" while a messaging service has not picked a sender: facts/telephony.md 1.1.
            segments=_count(resource.get("num_segments")) or None,
            messaging_service=resource.get("messaging_service_sid"),
            media_count=_count(resource.get("num_media")),
            price=price,
            price_currency=None if price is None else str(resource.get("price_unit") or "USD").upper(),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a message resource") from error


def _count(text: object) -> int:
    """Twilio spells numbers as strings."""
    return int(text) if isinstance(text, str) and text.isdecimal() and len(text) < 10 else 0


def read_date(text: str) -> datetime:
    """`Fri, 24 May 2026 17:44:46 +0000` as aware UTC, quickly; other RFC 2822 spellings the long way."""
    if len(text) == 31 and text.endswith("+0000"):
        return datetime(
            int(text[12:16]),
            _MONTHS[text[8:11]],
            int(text[5:7]),
            int(text[17:19]),
            int(text[20:22]),
            int(text[23:25]),
            tzinfo=UTC,
        )
    return parsedate_to_datetime(text).astimezone(UTC)


def is_older(message: CarrierMessage, since: datetime) -> bool:
    """Whether the message was made before `since`, allowing for the seconds that Twilio cuts off."""
    return message.created_at + _CREATED_STEP < since


def event_of(kind: str, query: Mapping[str, str], body: bytes) -> CarrierEvent | None:
    """The event in a webhook of that kind; None for what means nothing to us. Raises ValueError if malformed."""
    read = _READERS.get(kind)
    if read is None:
        return None
    pairs = form_pairs(body)
    if pairs is None:
        raise ValueError("the form is not UTF-8")
    return read(dict(pairs), query)


def _status_of(form: Mapping[str, str], query: Mapping[str, str]) -> MessageStatusEvent | None:
    sid = _id_in(form)
    word = form.get("MessageStatus") or form.get("SmsStatus")
    if not word:
        raise ValueError("a status callback without MessageStatus")
    status = STATUSES.get(word)
    if status is None:
        return None
    return MessageStatusEvent(
        external_id=f"{sid}:{word}",
        carrier_message_id=sid,
        status=status,
        operation_id=operation_in(query.get("op")),
        error_code=clean_text(form.get("ErrorCode") or "")[:20] or None,
        from_number=_address_in(form, "From"),
    )


def _inbound_text_of(form: Mapping[str, str], query: Mapping[str, str]) -> InboundTextEvent | None:
    sid = _id_in(form)
    from_number, to_number = _address_in(form, "From"), _address_in(form, "To")
    if from_number is None or to_number is None:
        raise ValueError("a text without From or To")
    if ":" in from_number:  # another channel's address: whatsapp:+…, messenger:…
        return None
    return InboundTextEvent(
        external_id=f"{sid}:received",
        carrier_message_id=sid,
        from_number=from_number,
        to_number=to_number,
        body=clean_text(form.get("Body") or ""),
        media=_media_in(form),
        consent=_CONSENT.get((form.get("OptOutType") or "").upper()),
        messaging_service=clean_text(form.get("MessagingServiceSid") or "")[:_LONGEST_ID] or None,
    )


_READERS: Final = {MESSAGE_STATUS: _status_of, INBOUND_TEXT: _inbound_text_of}


def _is_id(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_ID and is_clean(text)


def _id_in(form: Mapping[str, str]) -> str:
    sid = form.get("MessageSid") or form.get("SmsSid") or form.get("SmsMessageSid") or ""
    if not _is_id(sid):
        raise ValueError("a webhook about a message without MessageSid")
    return sid


def _address_in(form: Mapping[str, str], name: str) -> str | None:
    """A number, or what stands for one: a short code, a name, another channel's address."""
    return clean_text(form.get(name) or "")[:_LONGEST_ADDRESS] or None


def _media_in(form: Mapping[str, str]) -> tuple[InboundMedium, ...]:
    """Counted by the addresses themselves: NumMedia may be missing or wrong."""
    found: list[InboundMedium] = []
    for index in range(_MOST_MEDIA):
        url = form.get(f"MediaUrl{index}")
        if not url:
            break
        content_type = form.get(f"MediaContentType{index}") or "application/octet-stream"
        found.append(InboundMedium(clean_text(url), clean_text(content_type)[:100]))
    return tuple(found)
