"""Messages, media, faults and events for people and programs that watch. Times in ISO 8601, UTC."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from offhook.emulator.control.bodies import Body
from offhook.emulator.records import Fault, Message
from offhook.emulator.smart_encoding import smart_encoded
from offhook.emulator.store import Event, Store


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shown_body(message: Message) -> str:
    """The text as the handset shows it: with smart encoding that is not what was asked for."""
    return smart_encoded(message.body) if message.own.get("smart_encoded") else message.body


def message_view(store: Store, message: Message) -> Body:
    media = [
        {"sid": m.sid, "content_type": m.content_type, "size_bytes": m.size_bytes, "path": f"/_emulator/media/{m.sid}"}
        for m in store.media_of(message.sid)
    ]
    return {
        "seq": message.seq,
        "sid": message.sid,
        "face": message.face,
        "account_sid": message.account_sid,
        "messaging_service_sid": message.messaging_service_sid,
        "from": message.from_number,
        "to": message.to,
        "body": message.body,
        "shown_body": shown_body(message),
        "status": message.status,
        "direction": message.direction,
        "segments": message.segments,
        "encoding": message.encoding,
        "error_code": message.error_code,
        "price": message.price,
        "tags": list(message.tags),
        "media_urls": list(message.media_urls),
        "media": media,
        "arrived_at": iso(message.created_at if message.arrived_at is None else message.arrived_at),
        "created_at": iso(message.created_at),
        "sent_at": None if message.sent_at is None else iso(message.sent_at),
        "updated_at": iso(message.updated_at),
    }


def fault_view(fault: Fault) -> Body:
    return {**asdict(fault), "until": None if fault.until is None else iso(fault.until)}


def event_view(store: Store, event: Event) -> Body:
    message = store.messages.get(event.sid) if event.sid else None
    view: Body = {"seq": event.seq, "at": iso(event.at), "type": event.type, "sid": event.sid}
    if event.type.startswith("message."):
        view["status"] = event.detail.get("status", message.status if message else None)
        view["message"] = message_view(store, message) if message else None
    if event.type == "callback.ended":
        view["outcome"] = event.detail.get("outcome")
    if event.type == "parameter.ignored":
        view["parameters"] = event.detail["parameters"]
    if event.type == "error.raised":
        view |= {name: event.detail[name] for name in ("code", "sentence", "url")}
    return view
