"""Twilio's errors: one table of codes, one exception, one shape on the wire.

Codes and meanings: facts/telephony.md 1.5 and 1.10, which carry their sources.
"""

from __future__ import annotations

import json
from http.client import responses

from aiohttp import web

TABLE: dict[int, tuple[int, str]] = {
    20003: (401, "Authenticate"),
    20004: (405, "Method not allowed"),
    20009: (409, "The message is not in a final state, so it cannot be changed or deleted"),
    20404: (404, "The requested resource was not found"),
    20422: (400, "Invalid parameter"),
    20429: (429, "Too Many Requests"),
    20500: (500, "Internal Server Error"),
    20503: (503, "Service Unavailable"),
    21211: (400, "Invalid 'To' Phone Number"),
    21212: (400, "Invalid 'From' Phone Number"),
    21266: (400, "'To' and 'From' number cannot be the same"),
    21408: (400, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number"),
    21421: (400, "PhoneNumber is not a valid phone number"),
    21422: (400, "PhoneNumber is not available"),
    21502: (400, "Invalid callback url"),
    21602: (400, "Message body is required"),
    21603: (400, "A 'From' phone number or a 'MessagingServiceSid' is required"),
    21604: (400, "A 'To' phone number is required"),
    21606: (400, "The 'From' phone number is not a valid, SMS-capable phone number of your account"),
    21608: (400, "The 'To' phone number is unverified: trial accounts send to verified numbers only"),
    21609: (400, "The 'StatusCallback' is not a valid URL"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (429, "This 'From' number has exceeded the maximum number of queued messages"),
    21612: (400, "The 'To' phone number is not currently reachable using the 'From' phone number via SMS"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21620: (400, "Invalid media URL(s)"),
    21623: (400, "Number of media files exceeds the allowed limit of 10"),
    21703: (400, "The Messaging Service has no phone numbers"),
    30409: (400, "The message is not scheduled, so it cannot be canceled"),
    35111: (400, "A 'SendAt' parameter is required to schedule a message"),
    35114: (400, "'SendAt' must be at least 15 minutes and at most 35 days ahead"),
}

LOGGED: dict[int, str] = {
    11100: "Invalid URL format",
    11200: "HTTP retrieval failure",
    11750: "TwiML response body too large",
    12100: "Document parse failure",
    12200: "Schema validation warning",
    12300: "Invalid Content-Type",
    14103: "Message: invalid body",
    14107: "Message: limit of replies reached",
}
"""What is wrong with a webhook or its TwiML: not answered to anybody, but shown among the events."""


class TwilioError(Exception):
    """The answer is an error. `detail` replaces the table's sentence."""

    def __init__(self, code: int, detail: str | None = None, *, status: int | None = None) -> None:
        table_status, sentence = TABLE.get(code, (400, "Error"))
        self.code = code
        self.status = status if status is not None else table_status
        self.sentence = detail or sentence
        super().__init__(f"{code}: {self.sentence}")


def error_response(error: TwilioError) -> web.Response:
    """`{"code", "message", "more_info", "status"}`, as Twilio answers."""
    body = {
        "code": error.code,
        "message": error.sentence,
        "more_info": f"https://www.twilio.com/docs/errors/{error.code}",
        "status": error.status,
    }
    headers = {"Twilio-Request-Id": "RQ" + "0" * 32}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
    return web.Response(status=error.status, text=json.dumps(body), content_type="application/json", headers=headers)


def error_for_status(status: int) -> TwilioError:
    """The error that goes with a bare HTTP status, for injected faults and for what the web server refuses."""
    code = 20004 if status == 405 else 20000 + status
    sentence = TABLE[code][1] if code in TABLE else responses.get(status, f"HTTP {status}")
    return TwilioError(code, sentence, status=status)
