"""Nonsense at the create routes of both faces and at the control API: refused or taken.

Never a failure of the server, nor a torn journal.
"""

from __future__ import annotations

import asyncio
import io
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import aiohttp
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from fixtures.emulators import MESSAGES, basic, running_emulator
from fixtures.telnyx import bearer
from offhook.emulator import Settings, Store
from offhook.emulator.settings import Pace

AT_ONCE = Pace(queued_seconds=0, sending_seconds=0, sent_seconds=0, ended_seconds=0)


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: bytes


characters = st.characters(codec=None)
words = st.text(characters, max_size=40)
phones = st.sampled_from(["+12025550123", "+12025550100", "+13125550100", "+15005550004", "+15005550006", "+1", ""])
urls = st.sampled_from(
    ["http://127.0.0.1:1/a", "http://[::1", "http://a_b/", "//x", "http://127.0.0.1:99999/", "file:/x"]
)
times = st.sampled_from(["2026-11-24T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-W48"])
texts = st.one_of(words, phones, urls, times, st.sampled_from(["x" * 1601, "\x00", "\ud800", "€" * 700]))
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=6,
)
keys = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)

TELNYX_FIELDS = {
    "to": phones, "from": phones, "text": texts, "media_urls": st.lists(urls, max_size=11), "webhook_url": urls,
    "webhook_failover_url": urls, "use_profile_webhooks": st.booleans(), "type": st.sampled_from(["SMS", "MMS"]),
    "subject": texts, "send_at": times, "tags": st.lists(texts, max_size=3), "messaging_profile_id": texts,
    "encoding": st.sampled_from(["auto", "gsm7", "ucs2"]),
}  # fmt: skip
TWILIO_FIELDS = {
    "To": phones, "From": phones, "Body": texts, "MediaUrl": urls, "StatusCallback": urls, "SendAt": times,
    "ScheduleType": st.sampled_from(["fixed", ""]), "MessagingServiceSid": st.sampled_from(["MG" + "0" * 32, "x"]),
    "ValidityPeriod": texts, "SmartEncoded": texts, "MaxPrice": texts, "ContentSid": texts, "Tags": texts,
    "SendAsMms": texts, "RiskCheck": texts, "AddressRetention": texts, "ContentRetention": texts,
}  # fmt: skip


@st.composite
def telnyx_requests(draw: st.DrawFn) -> Request:
    odd = draw(st.dictionaries(st.sampled_from(sorted(TELNYX_FIELDS)), json_values, max_size=1))
    fitting = _some(draw, TELNYX_FIELDS)
    body: Any = {"to": "+12025550123", "from": "+13125550100", "text": "hello", **fitting, **odd}
    path = draw(st.sampled_from(["", "/number_pool", "/long_code", "/schedule"]))
    headers = {**bearer(), "Content-Type": "application/json"}
    if draw(st.booleans()):
        headers["Idempotency-Key"] = draw(st.one_of(st.sampled_from(["a", "b"]), keys))
    return Request(f"/v2/messages{path}", headers, json.dumps(body).encode())


@st.composite
def twilio_requests(draw: st.DrawFn) -> Request:
    form = {"To": "+12025550123", "From": "+12025550100", "Body": "hello"}
    form |= _some(draw, TWILIO_FIELDS)
    pairs = [*form.items(), *draw(st.lists(st.tuples(words, texts), max_size=2))]
    body = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in pairs).encode()
    return Request(MESSAGES, {**basic(), "Content-Type": "application/x-www-form-urlencoded"}, body)


def _some(draw: st.DrawFn, fields: dict[str, st.SearchStrategy[Any]]) -> dict[str, Any]:
    return {name: draw(fields[name]) for name in draw(st.lists(st.sampled_from(sorted(fields)), max_size=3))}


def _quoted(text: str) -> str:
    return quote_plus(text.encode("utf-8", "surrogatepass"))


_json_bytes = json_values.map(lambda value: json.dumps(value).encode())


CONTROL_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "to": phones, "from": phones, "body": texts, "sms_url": urls, "number": phones, "sid": texts, "numbers": texts,
    "auth_token": texts, "segments_per_second": st.floats(), "blocked": st.booleans(), "telnyx_numbers": texts,
    "account_sid": texts, "media": st.lists(st.fixed_dictionaries({"content_type": texts, "data": texts}), max_size=2),
}  # fmt: skip


@st.composite
def control_requests(draw: st.DrawFn) -> Request:
    path = draw(
        st.sampled_from(["phones/+12025550123/send", "phones/x/send", "numbers", "services", "blocks", "accounts"])
    )
    odd = draw(st.dictionaries(st.sampled_from(sorted(CONTROL_FIELDS)), json_values, max_size=2))
    body = {"to": "+13125550100", "from": "+12025550100", "body": "STOP", **_some(draw, CONTROL_FIELDS), **odd}
    return Request(f"/_emulator/{path}", {"Content-Type": "application/json"}, json.dumps(body).encode())


@st.composite
def garbled(draw: st.DrawFn) -> Request:
    """A request with bytes, credentials or a type that make no sense."""
    request = draw(st.one_of(telnyx_requests(), twilio_requests()))
    odd = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30)
    names = draw(st.lists(st.sampled_from(["Authorization", "Content-Type", "Idempotency-Key"]), max_size=2))
    headers = {**request.headers, **{name: draw(odd) for name in names}}
    return Request(request.path, headers, draw(st.one_of(st.just(request.body), st.binary(max_size=200), _json_bytes)))


requests = st.one_of(telnyx_requests(), twilio_requests(), control_requests(), garbled())


async def answers(home: Path, wanted: list[Request]) -> tuple[list[int], dict[str, Any]]:
    """The statuses of the answers, and what is kept when all have been given."""
    async with running_emulator(home, Settings(pace=AT_ONCE)) as emulator, aiohttp.ClientSession() as http:
        statuses: list[int] = []
        for request in wanted:
            url, body = f"{emulator.url}{request.path}", io.BytesIO(request.body)
            async with http.post(url, data=body, headers=request.headers) as answer:
                told = await answer.json(content_type=None)
                assert isinstance(told, dict)
                statuses.append(answer.status)
        async with http.get(emulator.url) as page:
            statuses.append(page.status)
        async with http.get(f"{emulator.url}/_emulator/messages") as view:
            statuses.append(view.status)
    return statuses, dict(emulator.store.messages)


# A failure is told as it is found: to shrink it would start a server for each of hundreds of tries.
@settings(max_examples=12, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.lists(requests, min_size=10, max_size=20))
def test_nonsense_is_refused_or_taken_and_what_is_taken_is_there_again(wanted: list[Request]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        statuses, kept = asyncio.run(answers(home, wanted))
        assert max(statuses) < 500, list(zip(wanted, statuses, strict=False))
        again = Store(home)
        assert dict(again.messages) == kept
        asyncio.run(again.close())
