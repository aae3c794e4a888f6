"""Telnyx's webhooks and answers in the forms in which they come."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from offhook.telephony.carrier import (
    INBOUND_TEXT,
    MESSAGE_STATUS,
    CarrierRefused,
    InboundTextEvent,
    MessageStatusEvent,
    OutcomeUnknown,
    Treatment,
)
from offhook.telephony.carriers.telnyx.events import event_of, message_of
from telephony.carriers.answering import answering
from telephony.carriers.face import FROM, OPERATION, TEXT
from telephony.carriers.telnyx.face import FACE, event, payload

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
OTHER = uuid.UUID("01930000-0000-7000-8000-00000000000f")


def status_of(event_type: str, told: dict[str, Any], kind: str = MESSAGE_STATUS) -> MessageStatusEvent | None:
    found = event_of(kind, {"op": str(OTHER)}, event(event_type, told))
    assert found is None or isinstance(found, MessageStatusEvent)
    return found


@pytest.mark.parametrize(
    ("word", "ours"),
    [
        ("queued", "accepted"), ("sending", "accepted"), ("sent", "sent"), ("delivered", "delivered"),
        ("delivery_unconfirmed", "sent"), ("delivery_failed", "undelivered"), ("sending_failed", "failed"),
        ("expired", "failed"), ("cancelled", "canceled"), ("gw_timeout", None), ("", None),
    ],
)  # fmt: skip
def test_a_final_status_is_the_recipients(word: str, ours: str | None) -> None:
    found = status_of("message.finalized", payload(1, word))
    assert (found and found.status) == ours


def test_a_text_that_was_sent_is_sent_though_its_recipient_is_still_queued() -> None:
    found = status_of("message.sent", payload(1, "queued"))
    assert found is not None
    assert found.status == "sent"


def test_an_error_counts_only_where_the_text_failed() -> None:
    errors = [{"code": "40006", "title": "Recipient server unavailable"}]
    failed = status_of("message.finalized", payload(1, "delivery_failed", errors=errors))
    unconfirmed = status_of("message.finalized", payload(1, "delivery_unconfirmed", errors=errors))
    assert failed is not None
    assert unconfirmed is not None
    assert (failed.error_code, unconfirmed.error_code) == ("40006", None)


def test_the_operation_is_taken_from_the_signed_body_and_not_from_the_address() -> None:
    found = status_of("message.finalized", payload(1, "delivered"))
    assert found is not None
    assert found.operation_id == OPERATION
    bare = status_of("message.finalized", payload(1, "delivered", webhook_url="https://offhook.example/x"))
    assert bare is not None
    assert bare.operation_id is None
    untold = status_of("message.finalized", payload(1, "delivered", webhook_url=None))
    assert untold is not None
    assert untold.operation_id == OTHER


def test_a_status_that_comes_to_the_profiles_address_is_a_status_all_the_same() -> None:
    found = status_of("message.finalized", payload(1, "delivered"), INBOUND_TEXT)
    assert found is not None
    assert found.status == "delivered"


@pytest.mark.parametrize("event_type", ["message.read", "call.initiated", "", None, 5])
def test_other_events_mean_nothing(event_type: Any) -> None:
    assert event_of(INBOUND_TEXT, {}, event(event_type, payload(1))) is None


@pytest.mark.parametrize("kind", ["RCS", "WHATSAPP", "", None])
def test_texts_of_other_channels_mean_nothing(kind: str | None) -> None:
    assert event_of(INBOUND_TEXT, {}, event("message.received", payload(1, direction="inbound", type=kind))) is None


def test_media_that_are_none_are_left_out() -> None:
    media = [{"url": "https://a.example/1", "content_type": None}, {"url": None}, "x", {"url": 5}]
    told = payload(1, direction="inbound", type="MMS", text=None, media=media)
    found = event_of(INBOUND_TEXT, {}, event("message.received", told))
    assert isinstance(found, InboundTextEvent)
    assert [(medium.url, medium.content_type) for medium in found.media] == [
        ("https://a.example/1", "application/octet-stream")
    ]
    assert found.body == ""


def test_half_a_pair_of_surrogates_is_made_storable() -> None:
    body = event("message.received", payload(1, direction="inbound", text="x")).replace(b'"x"', b'"a\\ud83db"')
    found = event_of(INBOUND_TEXT, {}, body)
    assert isinstance(found, InboundTextEvent)
    assert found.body == "a\ufffdb"


@pytest.mark.parametrize(
    ("given", "field", "expected"),
    [
        ({"from": FROM}, "from_number", FROM),
        ({"from": None}, "from_number", ""),
        ({"received_at": None}, "created_at", NOW),
        ({"received_at": "yesterday"}, "created_at", NOW),
        ({"received_at": "2026-11-21T11:00:00+01:00"}, "created_at", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ({"cost": None}, "price", None),
        ({"cost": {"amount": "0.0051", "currency": "usd"}}, "price", Decimal("0.0051")),
        ({"cost": {"amount": "Infinity", "currency": "USD"}}, "price", None),
        ({"cost": {"amount": "x", "currency": "USD"}}, "price_currency", None),
        ({"parts": None}, "segments", None),
        ({"media": [{"url": "a"}, {"url": "b"}]}, "media_count", 2),
        ({"to": [{"phone_number": "+1", "status": "new-word"}]}, "status", "accepted"),
        ({"errors": [{"code": "40006"}]}, "error_code", None),
    ],
)
def test_a_message_is_read_leniently(given: dict[str, Any], field: str, expected: object) -> None:
    message = message_of({"data": payload(1, **given)}, NOW)
    assert getattr(message, field) == expected


async def test_a_key_known_from_a_request_with_other_fields_leaves_the_outcome_unknown() -> None:
    content = {"errors": [{"code": "10034", "title": "Idempotency key reused"}]}
    async with answering(FACE, lambda _: web.json_response(content, status=422)) as at:
        with pytest.raises(OutcomeUnknown):
            await at.carrier.send_text(at.account, dataclasses.replace(TEXT, asked_before=True))
        with pytest.raises(CarrierRefused) as refused:  # nobody has used the key before
            await at.carrier.send_text(at.account, TEXT)
    assert refused.value.refusal.treatment is Treatment.ALERT


async def test_the_limits_own_header_tells_how_long_to_wait() -> None:
    content = {"errors": [{"code": "10011"}]}
    headers = {"x-ratelimit-reset": "3"}
    async with answering(FACE, lambda _: web.json_response(content, status=429, headers=headers)) as at:
        with pytest.raises(CarrierRefused) as refused:
            await at.carrier.send_text(at.account, TEXT)
    assert refused.value.refusal.retry_after_seconds == 3
