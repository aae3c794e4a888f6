"""G4: twenty tool calls at once, each waiting 100 ms for the carrier: together, and without stalling the loop."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

import aiohttp

from benchmarks.carrier import BareCarrier, running_carrier
from benchmarks.context import Context
from benchmarks.gateway import running_gateway
from benchmarks.goal import Better, Figure, Goal, Measurement, Target
from benchmarks.side import ACCOUNT_SID, AUTH_TOKEN, make_side
from offhook.core.clock import SystemClock
from offhook.core.declarations import Declarations
from offhook.core.errors import Effect
from offhook.core.variables import Provenance, Value
from offhook.telephony.carrier import OutboundText
from offhook.telephony.carriers.twilio import TwilioCarrier
from offhook.testing import FakeConsent, FakeMessenger, FakeNumbers, MemoryLedger, MemoryTallies
from offhook.tools.execution import Road
from offhook.tools.functions import BoundFunction, release_functions
from offhook.tools.ports import ConversationContext, Ports, TextReceipt, TextRequest
from offhook.tools.saving import preview

CALLS = 20
ANSWERS_IN_SECONDS = 0.1

WALL = Target("wall, the road and the adapter", "ms", Better.LOWER, 1.05)
STALL = Target("longest loop stall, the road and the adapter", "ms", Better.LOWER, 2.0, at_most=5.0)
WHOLE_WALL = Target("wall, PostgreSQL included", "ms", Better.LOWER, None)
WHOLE_STALL = Target("longest loop stall, PostgreSQL included", "ms", Better.LOWER, None)

_TO, _FROM = "+12025550140", "+12025550100"
_TEXT = "Your bike is ready. Book your next repair slot here: https://spokeandchain.example/book"
_TICK_SECONDS = 0.001
_WARM_UP = 3
"""Rounds before the first that counts."""
_FORM: dict[str, Any] = {
    "type": "sms",
    "label": "Booking link",
    "description": "Texts the booking link to the caller.",
    "from": {"type": "called_number"},
    "text": {"mode": "fixed", "value": _TEXT},
    "recipients": {"mode": "fixed", "value": ["{{caller_phone_number}}"]},
}

CallOnce = Callable[[int], Awaitable[None]]
"""Makes the call of the given number; raises if it did not text."""


def sms_function() -> BoundFunction:
    """An sms tool as a release of an agent holds it."""
    stored = preview(_FORM, "Send link", Declarations())[0]
    row: dict[str, Any] = {
        "id": uuid.uuid4(),
        "name": "Send link",
        "type": "sms",
        "function_schema": stored.function_schema,
        "static_config": stored.static_config,
        "disabled_functions": [],
    }
    return BoundFunction(release_functions([row])[0])


def caller() -> ConversationContext:
    """Somebody on the phone, in a conversation of their own."""
    return ConversationContext(
        organization_id=uuid.UUID(int=1),
        conversation_id=uuid.uuid4(),
        agent_id=uuid.UUID(int=2),
        channel="phone",
        person_number=_TO,
        our_number=_FROM,
        values={
            "caller_phone_number": Value(_TO, Provenance.SIGNALLING),
            "called_phone_number": Value(_FROM, Provenance.SIGNALLING),
        },
    )


def bare(carrier: BareCarrier, session: aiohttp.ClientSession) -> CallOnce:
    """The reference: each call is one POST on a shared session."""
    url, auth = carrier.messages_url, aiohttp.BasicAuth(ACCOUNT_SID, AUTH_TOKEN)

    async def call(number: int) -> None:
        async with session.post(url, data={"To": _TO, "From": _FROM, "Body": _TEXT}, auth=auth) as response:
            assert (await response.json(content_type=None))["sid"]

    return call


class DirectMessenger(FakeMessenger):
    """The Messenger port with nothing behind it but the adapter."""

    def __init__(self, carrier: BareCarrier, twilio: TwilioCarrier) -> None:
        super().__init__()
        self._account, self._twilio = carrier.account(), twilio

    async def text(self, request: TextRequest) -> TextReceipt:
        text = OutboundText(request.to_number, request.from_number, request.body, None)
        sent = await self._twilio.send_text(self._account, text)
        return TextReceipt(
            message_id=uuid.uuid4(),
            to_number=request.to_number,
            status=sent.status,
            effect=Effect.DONE,
            carrier_message_id=sent.carrier_message_id,
            segments=1,
            send_at=sent.created_at,
        )


def road_alone(carrier: BareCarrier, session: aiohttp.ClientSession, calls: int) -> CallOnce:
    """The one road, ledger and tallies in memory."""
    clock = SystemClock()
    ports = Ports(DirectMessenger(carrier, TwilioCarrier(session)), FakeConsent(), FakeNumbers())
    function = sms_function()
    # A ledger for each: the one in memory looks through all its rows at every call, as PostgreSQL does not.
    roads = [Road(ports, MemoryLedger(clock), clock, MemoryTallies()) for _ in range(calls)]
    contexts = [caller() for _ in range(calls)]

    async def call(number: int) -> None:
        result = await roads[number].run(
            contexts[number], function, tool_call_id=uuid.uuid4(), arguments={}, user_turn=1
        )
        assert result.status == "done", result.answer

    return call


@dataclass
class _Loop:
    """How the event loop went on meanwhile: a task that wants to run every millisecond."""

    longest_stall: float = 0.0
    """Seconds that it came too late, at worst."""

    async def watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _TICK_SECONDS
            await asyncio.sleep(_TICK_SECONDS)
            self.longest_stall = max(self.longest_stall, loop.time() - due)


async def _at_once(call: CallOnce, first: int) -> tuple[float, float]:
    """Milliseconds until all were answered, and the longest stall of the loop meanwhile."""
    watched = _Loop()
    watching = asyncio.create_task(watched.watch())
    await asyncio.sleep(0)
    began = time.perf_counter()
    await asyncio.gather(*(call(first + number) for number in range(CALLS)))
    wall = time.perf_counter() - began
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    return wall * 1e3, watched.longest_stall * 1e3


async def measure(context: Context) -> Measurement:
    postgres = await context.postgres()
    rounds = context.sized(full=25, smoke=1)
    async with AsyncExitStack() as stack:
        carrier = await stack.enter_async_context(running_carrier(context, answers_in_seconds=ANSWERS_IN_SECONDS))
        context.processors.give_others(carrier.served.pid)
        stack.enter_context(context.processors.measured_here())
        reference = await stack.enter_async_context(aiohttp.ClientSession())
        ours = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        side = await make_side(postgres, "calls_at_once", carrier_url=carrier.url)
        calls = CALLS * (rounds + _WARM_UP)
        gateway = await stack.enter_async_context(running_gateway(side, _FORM, calls))
        ways = [bare(carrier, reference), road_alone(carrier, ours, calls), gateway.call]
        taken = await _take_turns(ways, rounds)
    return _measurement(*taken)


async def _take_turns(ways: Sequence[CallOnce], rounds: int) -> list[list[tuple[float, float]]]:
    """Per way and round: wall and longest stall."""
    taken: list[list[tuple[float, float]]] = [[] for _ in ways]
    for number in range(-_WARM_UP, rounds):
        for which in range(len(ways)):
            now = (which + number) % len(ways)
            found = await _at_once(ways[now], (number + _WARM_UP) * CALLS)
            if number >= 0:
                taken[now].append(found)
    return taken


def _measurement(
    reference: Sequence[tuple[float, float]], road: Sequence[tuple[float, float]], whole: Sequence[tuple[float, float]]
) -> Measurement:
    targets = ((WALL, STALL, road), (WHOLE_WALL, WHOLE_STALL, whole))
    figures: list[Figure] = []
    for wall, stall, ours in targets:
        figures.append(Figure(wall, [(mine[0], other[0]) for mine, other in zip(ours, reference, strict=True)]))
        figures.append(Figure(stall, [(mine[1], other[1]) for mine, other in zip(ours, reference, strict=True)]))
    return Measurement(figures, [], [_INSIDE])


_INSIDE = (
    "Inside the road: arguments validated, fixed values and variables bound, recipients planned, all guards, intent "
    "and outcome kept in memory, the text sent by the Twilio adapter. PostgreSQL included: the gateway as it is wired; "
    "besides, per call, intent and outcome in the ledger, the text's row and lane, its attempt and what came of it, "
    "each committed, with PostgreSQL on the other processor. The road by itself, with no "
    "request behind it, stalls the loop far less than the whole; why the whole stalls it longer than the reference is "
    "not traced."
)


GOAL = Goal(
    number="G4",
    statement=f"{CALLS} tool calls at once (an `sms` tool), to a server that answers in 100 ms",
    reference=(
        "as many form POSTs at once on a shared `aiohttp.ClientSession`; both on asyncio's own loop, and a stall is "
        "how much too late a task ran that wanted to every millisecond"
    ),
    measure=measure,
)
