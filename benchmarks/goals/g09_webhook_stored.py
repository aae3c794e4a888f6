"""G9: a carrier's signed webhook verified and stored, with the job that will handle it."""

from __future__ import annotations

import hmac
import json
import uuid
from base64 import b64encode
from typing import Any
from urllib.parse import parse_qsl, urlencode

from benchmarks.bare import Handler
from benchmarks.comparison import Race, front, run_race
from benchmarks.context import Context
from benchmarks.goal import Better, Goal, Measurement, Target
from benchmarks.load import post
from benchmarks.side import ACCOUNT_SID, AUTH_TOKEN, PUBLIC_URL, Side, make_side
from benchmarks.stages import Stage
from offhook.core.ids import new_id

_FORM_TYPE = "application/x-www-form-urlencoded"


def requests(side: Side, count: int, first: int) -> list[bytes]:
    """Status callbacks of texts, each another text's, signed as Twilio signs (facts/telephony.md section 4)."""
    return [_callback(side, number) for number in range(first, first + count)]


def _callback(side: Side, number: int) -> bytes:
    sid = f"SM{number:032x}"
    form = {
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": "2010-04-01",
        "From": "+12025550100",
        "MessageSid": sid,
        "MessageStatus": "delivered",
        "RawDlrDoneDate": "2611211046",
        "SmsSid": sid,
        "SmsStatus": "delivered",
        "To": "+12025550140",
    }
    path = f"/webhooks/carriers/{side.account_id}/message-status?op={uuid.UUID(int=number)}"
    signed = PUBLIC_URL + path + "".join(name + form[name] for name in sorted(form))
    signature = b64encode(hmac.digest(AUTH_TOKEN.encode(), signed.encode(), "sha1")).decode()
    headers = {"content-type": _FORM_TYPE, "x-twilio-signature": signature}
    return post(path, urlencode(form).encode(), headers)


_EVENT = """
insert into carrier_events (id, organization_id, carrier_account_id, external_id, kind, payload)
values ($1, $2, $3, $4, 'message-status', $5)
on conflict (carrier_account_id, external_id) do nothing"""
_JOB = "insert into pgqueuer (priority, entrypoint, payload, status) values (0, 'carrier_events.handle', $1, 'queued')"


def bare_webhooks(options: dict[str, Any], pool: Any) -> Handler:
    """The reference: form read by the standard library, signature checked, two statements in a transaction under
    row-level security."""
    organization_id, account_id = uuid.UUID(options["organization_id"]), uuid.UUID(options["account_id"])
    begin = f"begin; set local app.organization_id = '{organization_id}'"
    token = AUTH_TOKEN.encode()

    async def handle(scope: dict[str, Any], body: bytes) -> tuple[int, bytes]:
        url = f"{PUBLIC_URL}{scope['path']}?{scope['query_string'].decode()}"
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        signed = url + "".join(name + form[name] for name in sorted(form))
        given = next((value for name, value in scope["headers"] if name == b"x-twilio-signature"), b"")
        if not hmac.compare_digest(given, b64encode(hmac.digest(token, signed.encode(), "sha1"))):
            return 403, b""
        sid, status = form["MessageSid"], form["MessageStatus"]
        event_id = new_id()
        payload = {
            "carrier_message_id": sid,
            "status": status,
            "operation_id": dict(parse_qsl(scope["query_string"].decode()))["op"],
            "error_code": form.get("ErrorCode"),
        }
        async with pool.acquire() as connection:
            await connection.execute(begin)
            stored = await connection.execute(
                _EVENT, event_id, organization_id, account_id, f"{sid}:{status}", json.dumps(payload)
            )
            if stored.endswith("1"):
                await connection.execute(_JOB, event_id.bytes)
            await connection.execute("commit")
        return 204, b""

    return handle


async def measure(context: Context) -> Measurement:
    postgres = await context.postgres()
    race = Race(
        requests=requests,
        bare_application="benchmarks.goals.g09_webhook_stored:bare_webhooks",
        throughput=Target("requests per second, 32 connections", "req/s", Better.HIGHER, 1.25),
        alone=Target("p50 alone", "µs", Better.LOWER, None),
        stages=front(
            Stage("account", "offhook.telephony.accounts:Accounts.find_open", "routing, answer"),
            Stage("signature", "offhook.telephony.carriers.twilio.client:TwilioCarrier.verify", "routing, answer"),
            Stage("event", "offhook.telephony.carriers.twilio.client:TwilioCarrier.parse_event", "routing, answer"),
            statement="offhook.telephony.carrier_events:store",
        ),
        rows={"events": "select count(*) from carrier_events", "jobs": "select count(*) from pgqueuer"},
    )
    return await run_race(
        context, race, await make_side(postgres, "webhooks_ours"), await make_side(postgres, "webhooks_bare")
    )


GOAL = Goal(
    number="G9",
    statement="A carrier's signed status callback verified and stored, one process",
    reference=(
        "bare ASGI on uvicorn, uvloop, httptools and asyncpg: form parsed, HMAC compared, and per event the same two "
        "statements (event, job) in one transaction under row-level security"
    ),
    measure=measure,
)
