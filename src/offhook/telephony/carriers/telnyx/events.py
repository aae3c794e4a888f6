"""From Telnyx's words to ours: messages and webhooks. New fields and kinds of event are ignored.

Shapes: telnyx-python 4.189 (OutboundMessagePayload, MessagingInboundMessagePayload) and
developers.telnyx.com/docs/messaging/messages/receiving-webhooks.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, cast

from yarl import URL

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
from offhook.telephony.carriers.telnyx.errors import first_code

# telnyx-python 4.189. `delivery_unconfirmed` is Telnyx's last word where a network gives no receipt: for us `sent`.
STATUSES: Final[Mapping[str, str]] = {
    "scheduled": "accepted",
    "queued": "accepted",
    "sending": "accepted",
    "sent": "sent",
    "delivery_unconfirmed": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "delivery_failed": "undelivered",
    "sending_failed": "failed",
    "expired": "failed",
    "cancelled": "canceled",
    "received": "received",
    "webhook_delivered": "received",
}
_FAILED: Final = frozenset({"failed", "undelivered"})

_CONSENT: Final[Mapping[str, str]] = {"STOP": "stop", "START": "start", "HELP": "help"}
"""autoresponse_type: Telnyx has answered the text itself (developers.telnyx.com, "Advanced Opt-In/Out Management")."""

_TEXTS: Final = frozenset({"SMS", "MMS"})
"""Other types (RCS, WHATSAPP) are other channels."""

_LONGEST_ID: Final = 64
_LONGEST_ADDRESS: Final = 64
_MOST_MEDIA: Final = 30

Fields = Mapping[str, Any]


def message_of(answer: Fields, now: datetime) -> CarrierMessage:
    """A message as the API answers it. `now` stands in for a time that it does not tell. Raises ValueError."""
    data = _fields(answer.get("data"))
    recipient = _recipient(data)
    text = data.get("text")
    status = STATUSES.get(_word(recipient, "status"), "accepted")
    price, currency = _cost(data)
    return CarrierMessage(
        carrier_message_id=_id(data),
        status=status,
        to_number=_address(recipient) or "",
        from_number=_address(data.get("from")) or "",
        body=text if isinstance(text, str) else "",
        created_at=_time(data.get("received_at")) or now,
        direction="inbound" if data.get("direction") == "inbound" else "outbound",
        error_code=first_code(data) if status in _FAILED else None,
        segments=_parts(data),
        messaging_service=_word(data, "messaging_profile_id") or None,
        media_count=len(_list(data, "media")),
        price=price,
        price_currency=currency,
    )


def event_of(kind: str, query: Mapping[str, str], body: bytes) -> CarrierEvent | None:
    """The event in a webhook; None for what means nothing to us. Raises ValueError if malformed.

    Telnyx posts every kind of event to whichever of our addresses it has, so the body says which it is.
    """
    if kind not in (MESSAGE_STATUS, INBOUND_TEXT):
        return None
    data = _fields(_fields(_json(body)).get("data"))
    payload = _fields(data.get("payload"))
    match data.get("event_type"):
        case "message.sent" | "message.finalized" if payload.get("direction") != "inbound":
            return _status_of(payload, query, data["event_type"])
        case "message.received":
            return _inbound_text_of(payload)
        case _:
            return None


def _status_of(payload: Fields, query: Mapping[str, str], event_type: str) -> MessageStatusEvent | None:
    message_id, word = _id(payload), _word(_recipient(payload), "status")
    status = STATUSES.get(word)
    if status == "accepted" and event_type == "message.sent":
        status = "sent"  # the documentation's own example still says `queued` there
    if status is None:
        return None
    return MessageStatusEvent(
        external_id=f"{message_id}:{event_type}:{word}",
        carrier_message_id=message_id,
        status=status,
        operation_id=_operation(payload, query),
        error_code=first_code(payload) if status in _FAILED else None,
        from_number=_address(payload.get("from")),
    )


def _inbound_text_of(payload: Fields) -> InboundTextEvent | None:
    if _word(payload, "type").upper() not in _TEXTS:
        return None
    message_id = _id(payload)
    from_number, to_number = _address(payload.get("from")), _address(_recipient(payload))
    if from_number is None or to_number is None:
        raise ValueError("a text without its numbers")
    text = payload.get("text")
    return InboundTextEvent(
        external_id=f"{message_id}:received",
        carrier_message_id=message_id,
        from_number=from_number,
        to_number=to_number,
        body=clean_text(text) if isinstance(text, str) else "",
        media=_media(payload),
        consent=_CONSENT.get(_word(payload, "autoresponse_type").upper()),
        messaging_service=_word(payload, "messaging_profile_id") or None,
    )


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _fields(value: object) -> Fields:
    if not isinstance(value, dict):
        raise ValueError("an object is missing")
    return cast("Fields", value)


def _list(fields: Fields, name: str) -> list[Any]:
    value = fields.get(name)
    return cast("list[Any]", value) if isinstance(value, list) else []


def _word(fields: Fields, name: str) -> str:
    """A short text that may be missing, null or of another type."""
    value = fields.get(name)
    return clean_text(value)[:_LONGEST_ID] if isinstance(value, str) else ""


def _id(fields: Fields) -> str:
    value = fields.get("id")
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID or not is_clean(value):
        raise ValueError("a message without its id")
    return value


def _recipient(fields: Fields) -> Fields:
    """The one recipient: we send no group texts, and of an inbound one the first is taken."""
    recipients = _list(fields, "to")
    if not recipients:
        raise ValueError("a message without its recipient")
    return _fields(recipients[0])


def _address(value: object) -> str | None:
    """A number, or what stands for one: `{"phone_number": …}`, or the bare text as older records have it."""
    match value:
        case str(number) | {"phone_number": str(number)}:
            return clean_text(number)[:_LONGEST_ADDRESS] or None
        case _:
            return None


def _media(payload: Fields) -> tuple[InboundMedium, ...]:
    found: list[InboundMedium] = []
    for item in _list(payload, "media")[:_MOST_MEDIA]:
        match item:
            case {"url": str(url)} if url:
                content_type = _word(cast("Fields", item), "content_type") or "application/octet-stream"
                found.append(InboundMedium(clean_text(url), content_type))
            case _:
                pass
    return tuple(found)


def _parts(data: Fields) -> int | None:
    parts = data.get("parts")
    return parts if isinstance(parts, int) and parts > 0 else None


def _cost(data: Fields) -> tuple[Decimal, str] | tuple[None, None]:
    """What it cost; null until Telnyx knows."""
    match data.get("cost"):
        case {"amount": str(amount), "currency": str(currency)}:
            price = price_in(amount)
            return (None, None) if price is None else (price, clean_text(currency)[:8].upper())
        case _:
            return None, None


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _operation(payload: Fields, query: Mapping[str, str]) -> uuid.UUID | None:
    """From the address as Telnyx has it in the signed body; the one that was posted to is not signed."""
    told = payload.get("webhook_url")
    try:
        return operation_in(URL(told).query.get("op") if isinstance(told, str) else query.get("op"))
    except ValueError:
        return None
