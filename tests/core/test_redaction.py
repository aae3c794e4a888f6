"""What redaction takes out of a log event, and what it lets through."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.core.phone import parse_e164
from offhook.core.redaction import classify_key, redact_event, redact_text


@pytest.mark.parametrize(
    "text",
    [
        "sent to +12025550123",
        "sent to +1 (202) 555-0123.",
        "sent to 12025550123",
        "sent to (202) 555-0123",
        "sent to 202-555-0123",
        "/Messages.json?To=%2B12025550123&x=1",
        "room call-+12025550123-x",
        "room_12025550123_x",
        "sip:+12025550123@trunk",
        "+\uff11\uff12\uff10\uff12\uff15\uff15\uff15\uff10\uff11\uff12\uff13",
        "Key (to_number)=(+12025550123) already exists",
    ],
)
def test_a_phone_number_in_a_text_is_masked(text: str) -> None:
    redacted = redact_text(text)
    digits = "".join(str(int(char)) for char in redacted if char.isdecimal())
    assert "•••" in redacted
    assert "5550" not in digits


@pytest.mark.parametrize(
    "text",
    [
        "0190f3a2-7c1e-7d3b-9a54-012345678901",
        "SM01234567890123456789012345678901",
        "01a1fdf790817fd99012345678910a1e",
        "2026-11-21T10:15:00.123456Z",
        "2026-11-21 10:15:00",
        "0123456789" * 4,
        "127.0.0.1:54321 took 12.5 ms",
        "error 21610 in 3 of 200",
    ],
)
def test_ids_digests_and_times_are_kept(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer hunter2hunter2",
        "key offhook_live_abc123_hunter2hunter2",
        "postgres://user:hunter2hunter2@localhost/db",
        "password=hunter2hunter2",
        "auth_token: 'hunter2hunter2'",
        "sk-hunter2hunter2hunter2",
        "eyJhbGciOiJIUzI1NiJ9.hunter2hunter2.hunter2",
    ],
)
def test_a_secret_in_a_text_is_taken_out(text: str) -> None:
    assert "hunter2" not in redact_text(text)


@pytest.mark.parametrize(
    ("key", "verdict"),
    [
        ("pii.caller", "drop"),
        ("lk.pii.text", "drop"),
        ("caller_pii", "drop"),
        ("PII", "drop"),
        ("password", "hide"),
        ("auth_token", "hide"),
        ("authToken", "hide"),
        ("X-Twilio-Signature", "hide"),
        ("api_key", "hide"),
        ("database_url", "hide"),
        ("body", "hide"),
        ("message", "hide"),
        ("messageBody", "hide"),
        ("arguments", "hide"),
        ("raw_arguments", "hide"),
        ("output", "hide"),
        ("answer", "hide"),
        ("transcript", "hide"),
        ("message_id", "keep"),
        ("body_bytes", "keep"),
        ("message_status", "keep"),
        ("duration_ms", "keep"),
        ("function", "keep"),
        ("organization_id", "keep"),
        ("input_tokens", "keep"),
        ("pipeline", "keep"),
        ("bodyguard", "keep"),
    ],
)
def test_a_key_decides_what_becomes_of_its_value(key: str, verdict: str) -> None:
    assert classify_key(key) == verdict


def test_nested_values_are_redacted_too() -> None:
    event: dict[str, Any] = {
        "event": "x",
        "context": {"to": ["+12025550123"], "body": "my secret", "pii": {"a": 1}, "n": 3},
        "number": parse_e164("+12025550123"),
        "id": uuid.UUID(int=1),
        "at": datetime(2026, 11, 21, tzinfo=UTC),
        "blob": b"\x00\x01",
        "error": ValueError("no route to +12025550123"),
        "none": None,
    }
    assert redact_event(event) == {
        "event": "x",
        "context": {"to": ["+1202•••0123"], "body": "[redacted]", "n": 3},
        "number": "+1202•••0123",
        "id": "00000000-0000-0000-0000-000000000001",
        "at": "2026-11-21T00:00:00+00:00",
        "blob": "[2 bytes]",
        "error": "no route to +1202•••0123",
        "none": None,
    }


def test_a_key_that_is_a_number_is_masked() -> None:
    assert list(redact_event({"counts": {"+12025550123": 1}})["counts"]) == ["+1202•••0123"]


def test_a_value_that_contains_itself_and_a_huge_one_are_cut() -> None:
    loop: dict[str, Any] = {}
    loop["loop"] = loop
    redacted = redact_event({"loop": loop, "long": "x" * 1_000_000, "many": list(range(1000))})
    assert "[redacted]" in str(redacted["loop"])
    assert len(redacted["long"]) == 2000
    assert len(redacted["many"]) == 50


@given(
    before=st.text("ab +-(.", max_size=5),
    number=st.from_regex(r"\+[1-9][0-9]{9,13}", fullmatch=True),
    after=st.text("ab )-.", max_size=5),
)
def test_no_number_survives_in_full(before: str, number: str, after: str) -> None:
    assert number[1:] not in redact_text(before + number + after)


@given(text=st.text(st.characters(exclude_categories=()), max_size=200))
def test_any_text_is_redacted_to_something_that_encodes(text: str) -> None:
    assert redact_text(text).encode() is not None
