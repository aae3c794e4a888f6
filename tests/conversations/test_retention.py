"""What is not kept: hours pass by moving the rows' times into the past."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

import pytest

from fixtures.calls import PlainSealer, make_conversation
from offhook.conversations import queries
from offhook.conversations.ledger import PostgresLedger
from offhook.conversations.retention import SWEEP_SECONDS, Retention
from offhook.conversations.service import Conversations
from offhook.core.clock import ManualClock
from offhook.core.db.pool import Database
from offhook.core.errors import Effect
from offhook.tools.ports import ConversationContext


@pytest.fixture
def retention(database: Database) -> Retention:
    return Retention(database, ManualClock(), batch=2)


async def answered(database: Database, context: ConversationContext, **answer: Any) -> uuid.UUID:
    """A finished tool call of the conversation."""
    call_id, ledger = uuid.uuid4(), PostgresLedger(database, PlainSealer())
    await ledger.begin(
        context,
        tool_call_id=call_id,
        tool_id=None,
        function_name="look_up",
        user_turn=1,
        repeatable="yes",
        arguments_hash=b"h" * 32,
    )
    await ledger.finish(
        context,
        call_id,
        status="done",
        effect=Effect.NONE,
        answer=answer,
        error_code=None,
        error_detail=None,
        duration_ms=1.0,
        stored_values={},
    )
    return call_id


async def hours_pass(database: Database, hours: float) -> None:
    async with database.system("a test moves time") as connection:
        for table, columns in (
            ("conversations", ("opened_at", "closed_at")),
            ("tool_calls", ("started_at", "answer_expires_at")),
            ("voice_calls", ("opened_at", "closed_at")),
        ):
            moved = ", ".join(f"{name} = {name} - make_interval(hours => $1)" for name in columns)
            await connection.execute(f"update {table} set {moved}", hours)


async def answers(database: Database) -> dict[uuid.UUID, bytes | None]:
    async with database.system("a test looks") as connection:
        return {row["id"]: row["answer"] for row in await connection.fetch("select id, answer from tool_calls")}


async def close_reason(database: Database, context: ConversationContext) -> str | None:
    async with database.tenant(context.organization_id) as connection:
        row = await queries.find_conversation(connection, context.organization_id, context.conversation_id)
    assert row is not None
    return row["close_reason"]


async def close(database: Database, context: ConversationContext) -> None:
    await Conversations(database, ManualClock()).close(context.organization_id, context.conversation_id, "ended")


async def test_answers_are_forgotten_when_their_time_is_over_and_not_before(
    database: Database, conversation: ConversationContext, retention: Retention
) -> None:
    for number in range(5):
        await answered(database, conversation, n=number)
    await close(database, conversation)
    await hours_pass(database, 5)
    assert await retention.sweep() == (0, 0)
    assert None not in (await answers(database)).values()
    await hours_pass(database, 1)
    assert await retention.sweep() == (0, 5)
    assert set((await answers(database)).values()) == {None}
    assert await retention.sweep() == (0, 0)


async def test_an_answer_written_after_its_conversation_closed_is_forgotten_too(
    database: Database, conversation: ConversationContext, retention: Retention
) -> None:
    await close(database, conversation)
    await answered(database, conversation, late=True)
    assert await retention.sweep() == (0, 0)
    await hours_pass(database, 6)
    assert await retention.sweep() == (0, 1)


async def test_a_forgotten_answer_is_not_run_again(
    database: Database, conversation: ConversationContext, retention: Retention
) -> None:
    call_id = await answered(database, conversation, n=1)
    await close(database, conversation)
    await hours_pass(database, 7)
    await retention.sweep()
    begun = await PostgresLedger(database, PlainSealer()).begin(
        conversation,
        tool_call_id=call_id,
        tool_id=None,
        function_name="look_up",
        user_turn=1,
        repeatable="yes",
        arguments_hash=b"h" * 32,
    )
    assert (begun.mine, begun.row.status, begun.row.answer) == (False, "done", None)


async def test_conversations_that_nobody_closed_end_after_a_day_without_a_tool_call(
    database: Database, organization: uuid.UUID, other_organization: uuid.UUID, retention: Retention
) -> None:
    vanished = [await make_conversation(database, owner) for owner in (organization, other_organization, organization)]
    await answered(database, vanished[0], n=1)
    async with database.tenant(organization) as connection:
        await queries.open_voice_call(
            connection,
            organization_id=organization,
            room_name="call-1",
            room_sid="RM_1",
            client_phone=None,
            our_number=None,
            participant_identity=None,
            carrier_call_id=None,
            conversation_id=vanished[0].conversation_id,
        )
    await hours_pass(database, 25)
    active, fresh = await make_conversation(database, organization), await make_conversation(database, organization)
    async with database.tenant(organization) as connection:
        await connection.execute(
            "update conversations set opened_at = now() - interval '3 days' where id = $1", active.conversation_id
        )
    await answered(database, active, n=2)
    assert await retention.sweep() == (3, 0)
    assert [await close_reason(database, item) for item in vanished] == ["abandoned"] * 3
    assert [await close_reason(database, item) for item in (active, fresh)] == [None, None]
    async with database.tenant(organization) as connection:
        call = await queries.find_voice_call(connection, organization, "call-1")
    assert call is not None
    assert call["status"] == "closed"
    await hours_pass(database, 6)
    assert await retention.sweep() == (0, 1)


async def test_what_was_closed_keeps_its_reason(
    database: Database, conversation: ConversationContext, retention: Retention
) -> None:
    await close(database, conversation)
    await hours_pass(database, 48)
    assert await retention.sweep() == (0, 0)
    assert await close_reason(database, conversation) == "ended"


async def test_keys_of_requests_are_forgotten_when_nobody_can_use_them_any_more(
    database: Database, organization: uuid.UUID, retention: Retention
) -> None:
    async with database.tenant(organization) as connection:
        for number, left in enumerate(("-1 hour", "-1 second", "-1 day", "1 hour")):
            await connection.execute(
                "insert into idempotency_keys (organization_id, key_hash, id, request_hash, expires_at)"
                f" values ($1, $2, $3, 'r', now() + interval '{left}')",
                organization,
                bytes([number]),
                uuid.uuid4(),
            )
    await retention.sweep()
    async with database.tenant(organization) as connection:
        assert await connection.fetchval("select array_agg(key_hash) from idempotency_keys") == [bytes([3])]


async def test_the_sweep_comes_again_and_survives_a_database_that_is_away(
    database: Database, conversation: ConversationContext
) -> None:
    clock = ManualClock()
    running = asyncio.create_task(Retention(database, clock).run())

    async def rest() -> None:
        deadline = time.monotonic() + 10
        while not clock.sleepers:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)

    await rest()
    await hours_pass(database, 25)
    await database.close()
    await clock.advance(SWEEP_SECONDS)
    await rest()
    await database.open()
    assert await close_reason(database, conversation) is None
    await clock.advance(SWEEP_SECONDS)
    await rest()
    assert await close_reason(database, conversation) == "abandoned"
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_what_was_handled_and_noted_down_long_ago_is_forgotten(
    database: Database, organization: uuid.UUID, retention: Retention
) -> None:
    account = uuid.uuid4()
    async with database.tenant(organization) as connection:
        await connection.execute(
            "insert into carrier_accounts (id, organization_id, carrier, external_account_id, credentials)"
            " values ($1, $2, 'twilio', 'AC1', '')",
            account,
            organization,
        )
    async with database.system("a test") as connection:
        await connection.execute(
            "insert into carrier_events"
            " (id, organization_id, carrier_account_id, external_id, kind, payload, handled_at)"
            " select gen_random_uuid(), $1, $2, n, 'message-status', '{}',"
            "  case when n < 7 then now() - make_interval(days => 27 + n) end from generate_series(0, 7) as n",
            organization,
            account,
        )
        await connection.execute(
            "insert into pgqueuer_log (job_id, status, priority, entrypoint, created, aggregated)"
            " select n, 'successful', 0, 'work', now() - make_interval(days => 3 + n), n < 7"
            " from generate_series(0, 7) as n"
        )
        await connection.execute(
            "insert into pgqueuer_statistics (count, status, priority, entrypoint, created)"
            " select 1, 'successful', 0, 'work', now() - make_interval(days => 27 + n) from generate_series(0, 7) as n"
        )
    await retention.sweep()
    async with database.system("a test") as connection:
        left = {
            table: await connection.fetchval(f"select count(*) from {table}")
            for table in ("carrier_events", "pgqueuer_log", "pgqueuer_statistics")
        }
    # Neither what has not been handled, nor what has not been counted yet.
    assert left == {"carrier_events": 3 + 1, "pgqueuer_log": 4 + 1, "pgqueuer_statistics": 3}
