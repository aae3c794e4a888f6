"""From Twilio's words to ours: message resources and webhooks. New fields of Twilio's are ignored."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from offhook.core.text import clean_text
from offhook.telephony.carrier import MESSAGE_STATUS, CarrierEvent, CarrierMessage, MessageStatusEvent
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


def message_of(resource: Mapping[str, Any]) -> CarrierMessage:
    """A message resource. Raises ValueError if it is none."""
    try:
        sid, status, body = resource["sid"], resource["status"], resource.get("body") or ""
        to_number, from_number = resource["to"], resource.get("from") or ""
        created_at = read_date(resource["date_created"])
        code, segments = resource.get("error_code"), resource.get("num_segments")
        if not (isinstance(sid, str) and isinstance(to_number, str) and isinstance(body, str) and sid):
            raise ValueError("a message resource whose fields have the wrong types")
        return CarrierMessage(
            carrier_message_id=sid,
            status=STATUSES.get(status, "accepted"),
            to_number=to_number,
            from_number=from_number,
            body=body,
            created_at=created_at,
            direction="inbound" if resource.get("direction") == "inbound" else "outbound",
            error_code=None if code is None else str(code),
            segments=int(segments) if segments else None,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a message resource") from error


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
    if kind != MESSAGE_STATUS:
        return None
    pairs = form_pairs(body)
    if pairs is None:
        raise ValueError("the form is not UTF-8")
    form = dict(pairs)
    sid = clean_text(form.get("MessageSid") or form.get("SmsSid") or "")
    word = form.get("MessageStatus") or form.get("SmsStatus") or ""
    if not sid or not word or len(sid) > 64:
        raise ValueError("a status callback without MessageSid or MessageStatus")
    status = STATUSES.get(word)
    if status is None:
        return None
    code = clean_text(form.get("ErrorCode") or "")[:20]
    return MessageStatusEvent(
        external_id=f"{sid}:{word}",
        carrier_message_id=sid,
        status=status,
        operation_id=_operation(query.get("op")),
        error_code=code or None,
    )


def _operation(text: str | None) -> uuid.UUID | None:
    if not text:
        return None
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
