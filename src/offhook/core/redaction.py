"""What logs may carry: a pass over every event that takes out secrets, payloads and phone numbers.

Three nets, from exact to coarse: the names of keys (payloads and secrets go by their key), the shapes of
secrets inside strings, and anything that reads like a phone number. Ids, hashes and times are let through.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, cast
from uuid import UUID

from offhook.core.phone import PhoneNumber, mask
from offhook.core.text import clean_text, shorten

REDACTED: Final = "[redacted]"

PII_SEGMENT: Final = "pii"
"""A key with this segment (`pii.caller`, `lk_pii_text`) is dropped whole."""

SECRET_SEGMENTS: Final = frozenset(
    {"password", "passwd", "passphrase", "secret", "secrets", "token", "authorization", "cookie"}
    | {"credential", "credentials", "signature", "pepper", "dsn"}
)
SECRET_KEYS: Final = frozenset({"api_key", "apikey", "master_key", "master_keys", "private_key", "database_url"})

PAYLOAD_SEGMENTS: Final = frozenset(
    {"args", "arguments", "answer", "body", "content", "form", "headers", "input", "message", "messages", "output"}
    | {"params", "payload", "prompt", "query", "raw", "result", "text", "transcript", "value", "values", "variables"}
)
"""What a caller said, a model wrote or a tool answered. `message_id` and its like are ids: see ID_SEGMENTS."""

ID_SEGMENTS: Final = frozenset(
    {"id", "ids", "sid", "count", "bytes", "ms", "seconds", "code", "status", "tokens", "type", "kind"}
)
"""A key that ends so holds no payload, although another of its segments names one (`message_id`, `body_bytes`)."""

OWN_KEYS: Final = frozenset({"level", "logger_name", "timestamp"})
"""Written by the logging itself, so their values need no look."""

MAX_STRING: Final = 2_000
MAX_TRACEBACK: Final = 16_000
MAX_DEPTH: Final = 5
MAX_ITEMS: Final = 50

_KEPT = (
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"  # UUID
    r"|\b[A-Z]{2}[0-9a-f]{32}\b"  # Twilio's ids
    r"|\b[0-9a-f]{32,64}\b"  # request ids, digests
    r"|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?"  # times
)
_HARMLESS: Final = re.compile(r"(?!offhook_)[a-z_.]{0,64}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
"""Words and UUIDs, most of what is logged: seen at once, the other patterns cost fifty times as much."""

_SEPARATORS = r"[\s().\-/\u2010-\u2015]"
_NUMBER = (
    rf"(?:\+|%2[bB]){_SEPARATORS}?\d(?:{_SEPARATORS}{{0,2}}\d){{6,}}"
    r"|\d{10,}"
    r"|(?<!\d)\(?\d{3}\)?[\s.\-]{1,2}\d{3}[\s.\-]\d{4}(?!\d)"
)
_NUMBERS: Final = re.compile(rf"(?P<kept>{_KEPT})|(?P<number>{_NUMBER})")

_SECRETS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"\b(offhook_[a-z]+_[A-Za-z0-9]+)_[A-Za-z0-9_\-]+"), rf"\1_{REDACTED}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=\-]{8,}"), rf"\1 {REDACTED}"),
    (re.compile(r"\b(sk|pk|rk)[-_][A-Za-z0-9_\-]{16,}"), REDACTED),
    (re.compile(r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]*"), REDACTED),
    (re.compile(r"(://[^\s:/@]{0,64}):[^\s/@]{1,256}@"), rf"\1:{REDACTED}@"),
    (
        re.compile(r"(?i)\b(password|passwd|secret|token|api_?key|auth_token)(\s*[=:]\s*)[\"']?[^\s\"',;&]{4,}"),
        rf"\1\2{REDACTED}",
    ),
)
"""Offhook's keys (their id stays), Authorization headers, vendors' keys, JWTs, URLs with a password, assignments."""


def redact_text(text: str, limit: int = MAX_STRING) -> str:
    """`text` without secrets, with phone numbers masked, at most `limit` characters."""
    if _HARMLESS.fullmatch(text) is not None:
        return text
    cleaned = shorten(clean_text(text), limit)
    for pattern, replacement in _SECRETS:
        cleaned = pattern.sub(replacement, cleaned)
    return _NUMBERS.sub(_mask_match, cleaned)


def _mask_match(match: re.Match[str]) -> str:
    return match["kept"] or mask(match["number"])


def redact_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """A log event that may be written. Nothing in the result is an object of the program's."""
    return _redact_mapping(event, 0)


def _redact_mapping(mapping: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    redacted: dict[str, Any] = {}
    for raw_key, value in list(mapping.items())[:MAX_ITEMS]:
        key = str(raw_key)
        if depth == 0 and key in OWN_KEYS:
            redacted[key] = value
            continue
        verdict = classify_key(key)
        if verdict == "drop":
            continue
        shown = REDACTED if verdict == "hide" and value is not None else _redact_value(key, value, depth)
        redacted[_shown_key(key)] = shown
    return redacted


@lru_cache(maxsize=2048)
def _shown_key(key: str) -> str:
    return redact_text(key, 100)


@lru_cache(maxsize=2048)
def classify_key(key: str) -> str:
    """`drop`, `hide` or `keep`: what becomes of a value under this key."""
    lowered = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", key).lower().replace("-", "_").replace(".", "_")
    segments = lowered.split("_")
    if PII_SEGMENT in segments:
        return "drop"
    if lowered in SECRET_KEYS or not SECRET_SEGMENTS.isdisjoint(segments):
        return "hide"
    if not PAYLOAD_SEGMENTS.isdisjoint(segments) and segments[-1] not in ID_SEGMENTS:
        return "hide"
    return "keep"


def _redact_value(key: str, value: object, depth: int) -> object:
    match value:
        case str():
            return redact_text(value, MAX_TRACEBACK if key == "exception" else MAX_STRING)
        case None | bool() | int() | float():
            return value
        case PhoneNumber():
            return mask(value)
        case UUID():
            return str(value)
        case datetime():
            return value.isoformat()
        case bytes() | bytearray():
            return f"[{len(value)} bytes]"
        case Mapping() | list() | tuple() | set() | frozenset() if depth >= MAX_DEPTH:
            return REDACTED
        case Mapping():
            return _redact_mapping(cast("Mapping[Any, Any]", value), depth + 1)
        case list() | tuple() | set() | frozenset():
            items = list(cast("list[object]", value))[:MAX_ITEMS]
            return [_redact_value(key, item, depth + 1) for item in items]
        case _:
            return redact_text(str(value))
