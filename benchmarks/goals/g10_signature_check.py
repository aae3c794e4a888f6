"""G10: checking a webhook's signature, against the official SDK's validator."""

from __future__ import annotations

import timeit
import uuid
from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

from twilio.request_validator import RequestValidator

from benchmarks.context import Context
from benchmarks.goal import Better, Breakdown, Figure, Goal, Measurement, Target
from offhook.telephony.carrier import CarrierAccount
from offhook.telephony.carriers.twilio import TwilioCarrier
from offhook.telephony.carriers.twilio.signature import form_pairs

TIME = Target("time of a check", "µs", Better.LOWER, 0.35)

_TOKEN = "0123456789abcdef0123456789abcdef"
_ACCOUNT = CarrierAccount(uuid.UUID(int=1), uuid.UUID(int=2), "twilio", "AC" + "b" * 32, None, {"auth_token": _TOKEN})
_validator: Any = RequestValidator  # the SDK ships no types
_SDK = _validator(_TOKEN)
_URL = "https://offhook.example/webhooks/carriers/0192/message-status?op=0193-abc"
# Twelve fields, as a status callback has them.
_FORM = {
    "AccountSid": "AC" + "b" * 32, "ApiVersion": "2010-04-01", "Body": "Grüße & more = fun", "ErrorCode": "",
    "From": "+12025550100", "MessageSid": "SM" + "a" * 32, "MessageStatus": "delivered", "MessagingServiceSid": "",
    "NumMedia": "0", "SmsSid": "SM" + "a" * 32, "SmsStatus": "delivered", "To": "+12025550140",
}  # fmt: skip


def _check(carrier: TwilioCarrier, url: str, body: bytes, signature: str) -> bool:
    headers = {"x-twilio-signature": signature, "content-type": "application/x-www-form-urlencoded"}
    return carrier.verify(_ACCOUNT, url=url, headers=headers, body=body)


def _cases() -> dict[str, tuple[str, Mapping[str, str], str]]:
    """Name → URL, form, signature."""
    signed = cast(str, _SDK.compute_signature(_URL, _FORM))
    with_port = _URL.replace("offhook.example/", "offhook.example:443/")
    return {
        "as it was signed": (_URL, _FORM, signed),
        "signed with the port": (_URL, _FORM, _SDK.compute_signature(with_port, _FORM)),
        "signed without the port": (with_port, _FORM, signed),
        "another port": (_URL.replace("offhook.example/", "offhook.example:8443/"), _FORM, signed),
        "another query": (_URL + "1", _FORM, signed),
        "another scheme": (_URL.replace("https", "http"), _FORM, signed),
        "another value": (_URL, {**_FORM, "MessageStatus": "failed"}, signed),
        "one field more": (_URL, {**_FORM, "Extra": "1"}, signed),
        "no field": (_URL, {}, _SDK.compute_signature(_URL, {})),
        "another signature": (_URL, _FORM, signed[:-2] + "A="),
        "no signature": (_URL, _FORM, ""),
        "another token": (_URL, _FORM, _validator("other").compute_signature(_URL, _FORM)),
    }


def _compare_verdicts(carrier: TwilioCarrier) -> int:
    cases = _cases()
    for name, (url, form, signature) in cases.items():
        ours = _check(carrier, url, urlencode(form).encode(), signature)
        assert ours == _SDK.validate(url, dict(form), signature), f"{name}: the SDK says {not ours}"
    return len(cases)


def _microseconds(call: Callable[[], object], number: int) -> float:
    return timeit.timeit(call, number=number) / number * 1e6


async def measure(context: Context) -> Measurement:
    carrier = TwilioCarrier(cast(Any, None))  # a check sends nothing
    agreed = _compare_verdicts(carrier)
    body = urlencode(_FORM).encode()
    signature = cast(str, _SDK.compute_signature(_URL, _FORM))

    def ours() -> object:
        return _check(carrier, _URL, body, signature)

    def sdk() -> object:
        return _SDK.validate(_URL, _FORM, signature)

    def parse() -> object:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))

    number = context.sized(full=2000, smoke=50)
    for call in (ours, sdk):
        call()
    pairs = [(_microseconds(ours, number), _microseconds(sdk, number)) for _ in range(context.sized(full=15, smoke=2))]
    time = Figure(TIME, pairs)
    form = _microseconds(lambda: form_pairs(body), number)
    return Measurement(
        [time],
        [
            Breakdown("ours", "µs", [("form", form), ("header, text to sign, HMAC", time.ours - form)]),
            Breakdown(
                "reference",
                "µs",
                [
                    ("RequestValidator.validate", time.reference),
                    ("parse_qsl before it (not in the ratio)", _microseconds(parse, number)),
                ],
            ),
        ],
        [f"The same verdict as the SDK's on {agreed} cases, before anything was timed."],
    )


GOAL = Goal(
    number="G10",
    statement="Checking a form webhook's signature, from header and bytes to the verdict",
    reference="`RequestValidator.validate` of the official SDK, handed the form already read",
    measure=measure,
)
