"""G3: a text handed to the carrier by the adapter, against the same form posted with nothing around it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode

import aiohttp
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client
from yarl import URL

from benchmarks.carrier import BareCarrier, running_carrier
from benchmarks.context import Context
from benchmarks.goal import Better, Figure, Goal, Measurement, Target
from benchmarks.side import ACCOUNT_SID, AUTH_TOKEN
from offhook.telephony.carrier import OutboundText
from offhook.telephony.carriers.twilio import TwilioCarrier

TIME = Target("p50 of a text", "µs", Better.LOWER, 1.12)
SLOWEST = Target("p99 of a text", "µs", Better.LOWER, None)

_TO, _FROM = "+12025550140", "+12025550100"
_BODY = "Your bike is ready. Book your next repair slot here: https://spokeandchain.example/book"
_CALLBACK = f"https://offhook.example/webhooks/carriers/{uuid.UUID(int=1)}/message-status?op={uuid.UUID(int=2)}"

Send = Callable[[], Awaitable[object]]
"""One text, sent and its answer understood."""


def adapter(carrier: BareCarrier, session: aiohttp.ClientSession) -> Send:
    """Ours, as `Sending` uses it."""
    twilio, account = TwilioCarrier(session), carrier.account()

    async def send() -> object:
        return await twilio.send_text(account, OutboundText(_TO, _FROM, _BODY, _CALLBACK))

    return send


def bare(carrier: BareCarrier, session: aiohttp.ClientSession) -> Send:
    """The reference: the same four fields, and the answer read as JSON. No timeout, no statuses told apart."""
    url, auth = carrier.messages_url, aiohttp.BasicAuth(ACCOUNT_SID, AUTH_TOKEN)

    async def send() -> object:
        form = {"To": _TO, "From": _FROM, "Body": _BODY, "StatusCallback": _CALLBACK}
        async with session.post(url, data=form, auth=auth) as response:
            return await response.json(content_type=None)

    return send


def prepared(carrier: BareCarrier, session: aiohttp.ClientSession) -> Send:
    """The floor: bytes made beforehand, the answer read and not looked at."""
    url = URL(carrier.messages_url, encoded=True)
    form = {"To": _TO, "From": _FROM, "Body": _BODY, "StatusCallback": _CALLBACK}
    body = urlencode(form).encode()
    headers = {
        "Authorization": aiohttp.BasicAuth(ACCOUNT_SID, AUTH_TOKEN).encode(),
        "Content-Type": "application/x-www-form-urlencoded",
    }

    async def send() -> object:
        async with session.post(url, data=body, headers=headers) as response:
            return await response.read()

    return send


def sdk(carrier: BareCarrier, http_client: AsyncTwilioHttpClient) -> Send:
    """The peer: the official SDK's async client, shared."""
    client: Any = Client(ACCOUNT_SID, AUTH_TOKEN, http_client=http_client)
    client.api.base_url = carrier.url

    async def send() -> object:
        return await client.messages.create_async(to=_TO, from_=_FROM, body=_BODY, status_callback=_CALLBACK)

    return send


async def _times(send: Send, count: int) -> list[float]:
    """Microseconds of each of `count` texts, one after the other."""
    clock, times = time.perf_counter, list[float]()
    for _ in range(count):
        began = clock()
        await send()
        times.append((clock() - began) * 1e6)
    return times


async def measure(context: Context) -> Measurement:
    async with running_carrier(context) as carrier, AsyncExitStack() as stack:

        async def session(**options: Any) -> aiohttp.ClientSession:
            return await stack.enter_async_context(aiohttp.ClientSession(**options))

        # Ours as telephony/assembly.py makes it: nothing of Twilio's sets a cookie.
        ways = {
            "adapter": adapter(carrier, await session(cookie_jar=aiohttp.DummyCookieJar())),
            "bare form POST": bare(carrier, await session()),
            "Twilio's SDK, create_async, shared client": sdk(
                carrier, await stack.enter_async_context(AsyncTwilioHttpClient())
            ),
            "bytes made beforehand, answer unread": prepared(
                carrier, await session(cookie_jar=aiohttp.DummyCookieJar())
            ),
        }
        return _measurement(await _race(context, ways))


Times = Mapping[str, list[float]]


async def _race(context: Context, ways: Mapping[str, Send]) -> list[Times]:
    """Rounds in which all take turns, a few texts at a time: on a shared machine the speed drifts within a second."""
    turns, texts = context.sized(full=(20, 20), smoke=(2, 10))
    for send in ways.values():
        await _times(send, turns * texts)
    rounds: list[Times] = []
    for _ in range(context.sized(full=11, smoke=2)):
        times: dict[str, list[float]] = {name: [] for name in ways}
        order = list(ways)
        for _ in range(turns):
            for name in order:
                times[name] += await _times(ways[name], texts)
            order = order[1:] + order[:1]
        rounds.append(times)
    return rounds


def _measurement(rounds: Sequence[Times]) -> Measurement:
    ours, reference, peer, _ = rounds[0]
    middle = {name: median(median(times[name]) for times in rounds) for name in rounds[0]}
    return Measurement(
        [
            Figure(TIME, [(median(times[ours]), median(times[reference])) for times in rounds]),
            Figure(SLOWEST, [(_p99(times[ours]), _p99(times[reference])) for times in rounds]),
        ],
        [],
        [
            f"p50 of each way, in turn, in µs: {', '.join(f'{name} {time:.0f}' for name, time in middle.items())}.",
            f"The SDK's async client takes {middle[peer] / middle[reference]:.2f} times as long as the bare POST.",
        ],
    )


def _p99(times: Sequence[float]) -> float:
    return quantiles(times, n=100)[98]


GOAL = Goal(
    number="G3",
    statement="A text sent by the Twilio adapter: form, request, answer, errors told apart",
    reference=(
        "the same form posted with a shared `aiohttp.ClientSession` and the answer read as JSON, to the same bare "
        "server on loopback, which answers at once; one text at a time on asyncio's own loop"
    ),
    measure=measure,
)
