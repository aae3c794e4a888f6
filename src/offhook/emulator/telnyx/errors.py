"""Telnyx's errors: one table of codes, one exception, one shape on the wire.

Codes, titles and details: developers.telnyx.com "API error codes" and "Messaging Error Code Reference", and Telnyx's
support article 6505121. The documentation gives no HTTP status for most of them: docs/reference/emulator-telnyx.md says
which statuses have been seen and which are unconfirmed.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from aiohttp import web

TABLE: dict[str, tuple[int, str, str]] = {
    "10003": (422, "Invalid URL", "The URL provided was invalid, malformed, or too long."),
    "10004": (422, "Missing required parameter", "A required parameter was missing."),
    "10005": (404, "Resource not found", "The requested resource or URL could not be found."),
    "10006": (400, "Invalid ID", "The resource ID provided was invalid."),
    "10007": (500, "Unexpected error", "An unexpected error occurred."),
    "10009": (
        401,
        "Authentication failed",
        "The required authentication headers were either invalid or not included in the request.",
    ),
    "10011": (429, "Too many requests", "You have exceeded the maximum number of allowed requests."),
    "10014": (415, "Unsupported Media Type", "The request failed because the server does not support the media type."),
    "10015": (400, "Bad Request", "The request failed because it was not well-formed."),
    "10023": (400, "Invalid JSON", "The supplied JSON is not valid."),
    "40300": (409, "Blocked due to STOP message", "Messages cannot be sent due to an existing block rule."),
    "40302": (400, "Message too large", "The message would be sent in more than 10 parts."),
    "40304": (
        400,
        "Invalid combination of message content arguments",
        "SMS needs text and takes no media; MMS needs media_urls or a subject.",
    ),
    "40305": (
        400,
        "Invalid 'from' address",
        "The 'from' address should be string containing a valid number associated with the sending messaging profile.",
    ),
    "40309": (400, "Invalid destination region", "The destination region is not whitelisted in the messaging profile."),
    "40310": (400, "Invalid 'to' address", "The 'to' address should be a valid phone number in +E.164 format."),
    "40312": (400, "Messaging profile is disabled", "The messaging profile is disabled."),
    "40316": (400, "No content provided for message", "The message has neither text nor media."),
    "40317": (400, "Invalid MMS content", "An MMS takes at most 10 media URLs."),
    "40318": (429, "Message queue full", "The queue of this sender is full."),
    "40321": (
        400,
        "No usable numbers on messaging profile",
        "The messaging profile's pool has no number to send from.",
    ),
    "40331": (400, "Missing whitelisted destinations", "A messaging profile needs whitelisted_destinations."),
}

DELIVERY_TITLES = {
    "40001": "Not routable",
    "40002": "Blocked as spam - temporary",
    "40003": "Blocked as spam - permanent",
    "40004": "Rejected by destination",
    "40005": "Message expired during transmission",
    "40006": "Recipient server unavailable",
    "40008": "Undeliverable",
    "40009": "Invalid message body",
    "40010": "Unregistered 10DLC message",
    "40011": "Too many requests",
    "40012": "Invalid messaging destination number",
    "40013": "Invalid messaging source number",
    "40014": "Message expired in queue",
    "40015": "Blocked as spam - internal",
    "40016": "T-Mobile 10DLC sending limit reached",
    "40017": "AT&T 10DLC spam message rejected",
    "40018": "AT&T 10DLC sending limit reached",
    "40100": "Number not messaging enabled",
}
"""Codes that come in a message's `errors` once it was taken."""


class TelnyxError(Exception):
    """The answer is an error. `detail` replaces the table's; `pointer` is the JSON pointer of what is wrong."""

    def __init__(
        self, code: str, detail: str | None = None, *, pointer: str | None = None, status: int | None = None
    ) -> None:
        table_status, self.title, sentence = TABLE[code]
        self.code = code
        self.status = table_status if status is None else status
        self.detail = detail or sentence
        self.pointer = pointer
        super().__init__(f"{code}: {self.title}")


def delivery_error(code: str) -> dict[str, Any]:
    """One of a message's `errors`."""
    title = TABLE[code][1] if code in TABLE else DELIVERY_TITLES.get(code, "Undeliverable")
    return {"code": code, "title": title, "detail": title, "meta": _meta(code)}


def _meta(code: str) -> dict[str, str]:
    return {"url": f"https://developers.telnyx.com/docs/overview/errors/{code}"}


def error_response(error: TelnyxError) -> web.Response:
    """`{"errors": [{"code", "title", "detail", "meta", "source"?}]}`, as Telnyx answers."""
    headers = {"x-request-id": str(uuid.uuid4())}
    if error.status == 429:
        headers |= {"x-ratelimit-limit": "50", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}
    entry: dict[str, Any] = {
        "code": error.code,
        "title": error.title,
        "detail": error.detail,
        "meta": _meta(error.code),
    }
    if error.pointer is not None:
        entry["source"] = {"pointer": error.pointer}
    body = json.dumps({"errors": [entry]})
    return web.Response(status=error.status, text=body, content_type="application/json", headers=headers)


def error_for_status(status: int) -> TelnyxError:
    """The error that goes with a bare HTTP status, for injected faults and for what the web server refuses."""
    codes = {400: "10015", 401: "10009", 404: "10005", 405: "10005", 413: "10015", 429: "10011"}
    return TelnyxError(codes.get(status, "10007"), status=status)
