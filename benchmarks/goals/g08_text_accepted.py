"""G8: a text accepted and queued. Both sides commit, for each text, its row and what its lane holds, and a job for the
lane where nobody looks after it yet."""

from __future__ import annotations

import hmac
import json
import uuid
from itertools import cycle, islice
from typing import Any

from benchmarks.bare import Handler
from benchmarks.comparison import Race, front, run_race
from benchmarks.context import Context
from benchmarks.goal import Better, Goal, Measurement, Target
from benchmarks.load import post
from benchmarks.side import SENDERS, Side, make_side, unassigned_numbers
from benchmarks.stages import Stage
from offhook.core.ids import new_id

_TEXT = "Your bike is ready. Book your next repair slot here: https://spokeandchain.example/book"


def requests(side: Side, count: int, first: int) -> list[bytes]:
    """Each text goes to a number that was not texted before, as texts of a day mostly do."""
    recipients = unassigned_numbers()[:-SENDERS]
    headers = {"authorization": f"Bearer {side.key}", "content-type": "application/json"}
    numbered = zip(
        range(first, first + count),
        islice(cycle(recipients), first % len(recipients), None),
        islice(cycle(side.senders), first % len(side.senders), None),
        strict=False,
    )
    return [
        post(
            "/api/messages",
            json.dumps({"to": to, "from": sender, "body": _TEXT, "operation_id": f"repair-{number}"}).encode(),
            headers,
        )
        for number, to, sender in numbered
    ]


_LANE = """
insert into lanes (organization_id, carrier_account_id, sender, backlog_until, pump_at, pump_by)
values ($1, $2, $3, clock_timestamp() + interval '1 second', clock_timestamp(), $4)
on conflict (carrier_account_id, sender) do update
    set backlog_until = greatest(lanes.backlog_until, clock_timestamp()) + interval '1 second',
        pump_at = coalesce(lanes.pump_at, excluded.pump_at),
        pump_by = case when lanes.pump_at is null then excluded.pump_by else lanes.pump_by end
returning id, backlog_until - interval '1 second' as send_at, pump_by = $4 as wants_pump"""
_MESSAGE = """
insert into messages (id, organization_id, direction, origin, operation_id, carrier_account_id, sender, from_number,
    to_number, body, encoding, segments, send_at, status)
values ($1, $2, 'outbound', 'api', $3, $4, $5, $5, $6, $7, 'GSM-7', 1, $8, 'queued')
on conflict (organization_id, operation_id) do nothing"""
_JOB = """
insert into pgqueuer (priority, entrypoint, payload, execute_after, status)
values (0, 'lanes.pump', $1, now(), 'queued')"""


def bare_texts(options: dict[str, Any], pool: Any) -> Handler:
    """The reference: token compared, JSON read and its four fields looked at, two statements in a transaction under
    row-level security, as much of it in one round trip as asyncpg can; a third for the first text of a lane."""
    organization_id, account_id = uuid.UUID(options["organization_id"]), uuid.UUID(options["account_id"])
    expected = f"Bearer {options['key']}".encode()
    begin = f"begin; set local app.organization_id = '{organization_id}'"

    async def handle(scope: dict[str, Any], body: bytes) -> tuple[int, bytes]:
        token = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        if not hmac.compare_digest(token, expected):
            return 401, b""
        text = json.loads(body)
        if not all(isinstance(text.get(name), str) for name in ("to", "from", "body", "operation_id")):
            return 422, b""
        message_id = new_id()
        async with pool.acquire() as connection:
            await connection.execute(begin)
            lane = await connection.fetchrow(_LANE, organization_id, account_id, text["from"], message_id)
            await connection.execute(
                _MESSAGE,
                message_id,
                organization_id,
                text["operation_id"],
                account_id,
                text["from"],
                text["to"],
                text["body"],
                lane["send_at"],
            )
            if lane["wants_pump"]:
                await connection.execute(_JOB, lane["id"].bytes)
            await connection.execute("commit")
        return 202, b'{"message": {"id": "%s", "status": "queued"}}' % str(message_id).encode()

    return handle


async def measure(context: Context) -> Measurement:
    postgres = await context.postgres()
    race = Race(
        requests=requests,
        bare_application="benchmarks.goals.g08_text_accepted:bare_texts",
        throughput=Target("requests per second, 32 connections", "req/s", Better.HIGHER, 1.3),
        alone=Target("p50 alone", "µs", Better.LOWER, 1.25),
        stages=front(
            Stage("API key", "offhook.organizations.auth:Authenticator.authenticate", "routing, answer"),
            Stage("JSON", "offhook.core.http.body:parse_json", "routing, answer"),
            Stage(
                "number, policy, words, sender", "offhook.telephony.messages.intake:Intake.prepare", "routing, answer"
            ),
            statement="offhook.telephony.messages.messaging:place",
        ),
        rows={"messages": "select count(*) from messages"},
        besides=(
            "Ours besides: the recipient's number read and classified against the policy, encoding, segments and cost "
            "counted, and in the same statement a look for an opt-out, a stopped account or sender and an earlier text "
            "of the operation. That is what a text alone takes longer for. Many at a time, ours spends more in the "
            "server process than in PostgreSQL, and the reference the other way round."
        ),
    )
    return await run_race(
        context, race, await make_side(postgres, "texts_ours"), await make_side(postgres, "texts_bare")
    )


GOAL = Goal(
    number="G8",
    statement="A text accepted and queued (`POST /api/messages`), one process",
    reference=(
        "bare ASGI on uvicorn, uvloop, httptools and asyncpg: per text the same statements (lane, message, and a job "
        "for a lane that has none) in one transaction under row-level security, and nothing else"
    ),
    measure=measure,
)
