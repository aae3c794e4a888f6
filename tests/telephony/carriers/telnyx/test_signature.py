"""Telnyx signs the time, so a webhook that somebody recorded is worth something for five minutes only."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest

from offhook.core.clock import ManualClock
from offhook.telephony.carriers.telnyx import TelnyxCarrier
from telephony.carriers.face import Webhook
from telephony.carriers.telnyx.face import FACE, STATUS_URL, event, payload, signed

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
BODY = event("message.finalized", payload(1, "delivered"))


def verdict(webhook: Webhook, credentials: dict[str, str] | None = None) -> bool:
    carrier = TelnyxCarrier(None, clock=ManualClock(NOW))  # type: ignore[arg-type]
    account = FACE.account()
    if credentials is not None:
        account = dataclasses.replace(account, credentials=credentials)
    return carrier.verify(account, url=webhook.url, headers=webhook.headers, body=webhook.body)


@pytest.mark.parametrize(
    ("seconds", "accepted"), [(0, True), (-299, True), (299, True), (-301, False), (301, False), (-86_400, False)]
)
def test_only_what_was_signed_within_five_minutes_is_accepted(seconds: int, accepted: bool) -> None:
    assert verdict(signed(STATUS_URL, BODY, at=NOW.timestamp() + seconds)) is accepted


@pytest.mark.parametrize(
    "timestamp", ["", "-1", "1e9", "１７９５２６２４００", "9" * 4000, " 1795262400", "1795262400.0", "NaN"]
)
def test_a_time_that_is_none_is_refused(timestamp: str) -> None:
    webhook = signed(STATUS_URL, BODY, at=NOW.timestamp())
    assert not verdict(dataclasses.replace(webhook, headers={**webhook.headers, "telnyx-timestamp": timestamp}))


def test_a_time_other_than_the_signed_one_is_refused() -> None:
    webhook = signed(STATUS_URL, BODY, at=NOW.timestamp() - 400)
    fresh = {**webhook.headers, "telnyx-timestamp": str(int(NOW.timestamp()))}
    assert not verdict(dataclasses.replace(webhook, headers=fresh))


def test_body_and_time_cannot_be_shifted_into_each_other() -> None:
    webhook = signed(STATUS_URL, b"|" + BODY, at=NOW.timestamp())
    assert verdict(webhook)
    assert not verdict(dataclasses.replace(webhook, body=BODY))


@pytest.mark.parametrize("key", ["", "x", "AAAA", "A" * 43 + "=", "é" * 44])
def test_without_a_proper_public_key_nothing_is_accepted(key: str) -> None:
    assert not verdict(signed(STATUS_URL, BODY, at=NOW.timestamp()), {"api_key": "x", "public_key": key})
