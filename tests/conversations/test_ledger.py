"""The ledger and the tallies over PostgreSQL."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from fixtures.calls import PlainSealer, make_conversation
from offhook.conversations.ledger import PostgresLedger
from offhook.conversations.tallies import PostgresTallies
from offhook.core.db.pool import Database
from offhook.core.errors import Conflict, Effect
from offhook.core.variables import Provenance, Value
from offhook.tools.ports import Begun, Claim, ConversationContext

HASH = b"h" * 32


@pytest.fixture
def ledger(database: Database) -> PostgresLedger:
    return PostgresLedger(database, PlainSealer())


async def begin(ledger: PostgresLedger, context: ConversationContext, **changes: Any) -> Begun:
    wish: dict[str, Any] = {
        "tool_call_id": uuid.uuid4(),
        "tool_id": None,
        "function_name": "send_link",
        "user_turn": 1,
        "repeatable": "no",
        "arguments_hash": HASH,
    }
    return await ledger.begin(context, **(wish | changes))


async def finish(
    ledger: PostgresLedger, context: ConversationContext, call_id: uuid.UUID, answer: Any, **changes: Any
) -> Any:
    outcome: dict[str, Any] = {
        "status": "done",
        "effect": Effect.DONE,
        "error_code": None,
        "error_detail": None,
        "duration_ms": 1.0,
        "stored_values": {},
    }
    return await ledger.finish(context, call_id, answer=answer, **(outcome | changes))


async def test_the_same_id_sent_again_finds_the_first_answer(
    ledger: PostgresLedger, conversation: ConversationContext
) -> None:
    first = await begin(ledger, conversation)
    await finish(ledger, conversation, first.row.id, {"sent": True})
    again = await begin(ledger, conversation, tool_call_id=first.row.id)
    assert (again.mine, again.same_id, again.row.status) == (False, True, "done")
    assert again.row.answer == {"sent": True}


async def test_an_unfinished_call_is_found_as_started(
    ledger: PostgresLedger, conversation: ConversationContext
) -> None:
    first = await begin(ledger, conversation)
    again = await begin(ledger, conversation, tool_call_id=first.row.id)
    assert (again.mine, again.same_id, again.row.status) == (False, True, "started")


async def test_an_equal_wish_finds_what_was_done(ledger: PostgresLedger, conversation: ConversationContext) -> None:
    first = await begin(ledger, conversation)
    await finish(ledger, conversation, first.row.id, {"sent": True})
    twin = await begin(ledger, conversation, user_turn=2)
    assert (twin.mine, twin.same_id, twin.row.id) == (False, False, first.row.id)


async def test_a_person_who_asks_again_in_a_later_turn_gets_it_again(
    ledger: PostgresLedger, conversation: ConversationContext
) -> None:
    first = await begin(ledger, conversation)
    await finish(ledger, conversation, first.row.id, {"sent": True})
    assert not (await begin(ledger, conversation, again=True)).mine
    assert (await begin(ledger, conversation, again=True, user_turn=2)).mine


async def test_what_is_known_to_have_done_nothing_may_be_tried_again(
    ledger: PostgresLedger, conversation: ConversationContext
) -> None:
    first = await begin(ledger, conversation)
    await finish(ledger, conversation, first.row.id, {"error": "no"}, status="failed", effect=Effect.NONE)
    assert (await begin(ledger, conversation)).mine


async def test_an_unknown_outcome_is_not_tried_again(ledger: PostgresLedger, conversation: ConversationContext) -> None:
    first = await begin(ledger, conversation)
    await finish(ledger, conversation, first.row.id, {"error": "?"}, status="failed", effect=Effect.UNKNOWN)
    assert not (await begin(ledger, conversation)).mine


async def test_a_look_up_always_runs(ledger: PostgresLedger, conversation: ConversationContext) -> None:
    first = await begin(ledger, conversation, repeatable="yes")
    await finish(ledger, conversation, first.row.id, {"found": 1})
    assert (await begin(ledger, conversation, repeatable="yes")).mine


async def test_of_two_equal_wishes_at_once_one_runs(ledger: PostgresLedger, conversation: ConversationContext) -> None:
    begun = await asyncio.gather(*(begin(ledger, conversation) for _ in range(8)))
    assert sum(one.mine for one in begun) == 1
    assert len({one.row.id for one in begun}) == 1


async def test_of_two_requests_with_one_id_at_once_one_runs(
    ledger: PostgresLedger, conversation: ConversationContext
) -> None:
    call_id = uuid.uuid4()
    begun = await asyncio.gather(*(begin(ledger, conversation, tool_call_id=call_id) for _ in range(8)))
    assert sum(one.mine for one in begun) == 1


async def test_an_id_is_not_used_for_another_call(ledger: PostgresLedger, conversation: ConversationContext) -> None:
    first = await begin(ledger, conversation)
    with pytest.raises(Conflict, match="another call"):
        await begin(ledger, conversation, tool_call_id=first.row.id, function_name="other")
    with pytest.raises(Conflict, match="other arguments"):
        await begin(ledger, conversation, tool_call_id=first.row.id, arguments_hash=b"x" * 32)


async def test_the_first_outcome_stands(ledger: PostgresLedger, conversation: ConversationContext) -> None:
    first = await begin(ledger, conversation)
    assert await finish(ledger, conversation, first.row.id, {"n": 1}) == {"n": 1}
    assert await finish(ledger, conversation, first.row.id, {"n": 2}) == {"n": 1}


async def test_another_organization_finds_nothing_under_the_same_id(
    ledger: PostgresLedger, conversation: ConversationContext, database: Database, other_organization: uuid.UUID
) -> None:
    first = await begin(ledger, conversation)
    await finish(ledger, conversation, first.row.id, {"secret": True})
    stranger = await make_conversation(database, other_organization)
    theirs = await begin(ledger, stranger, tool_call_id=first.row.id)
    assert theirs.mine
    assert theirs.row.answer is None


async def test_values_that_a_tool_stores_are_kept_with_their_provenance(
    ledger: PostgresLedger, conversation: ConversationContext, database: Database
) -> None:
    first = await begin(ledger, conversation)
    stored = {"order_id": Value(17, Provenance.TOOL_RESULT)}
    await finish(ledger, conversation, first.row.id, {}, stored_values=stored)
    async with database.tenant(conversation.organization_id) as connection:
        kept = await connection.fetchval(
            "select variables from conversations where id = $1", conversation.conversation_id
        )
    assert kept == {"order_id": {"value": 17, "provenance": "TOOL_RESULT"}}


async def test_a_tally_holds_no_more_than_its_limit(database: Database, conversation: ConversationContext) -> None:
    tallies = PostgresTallies(database)
    claims = [tallies.claim(conversation, Claim("set", frozenset({bytes([n])}), 3)) for n in range(8)]
    granted = [new for new in await asyncio.gather(*claims) if new is not None]
    assert len(granted) == 3
    assert await tallies.claim(conversation, Claim("set", granted[0], 3)) == frozenset()
    await tallies.release(conversation, "set", granted[0])
    assert await tallies.claim(conversation, Claim("set", frozenset({b"new"}), 3)) == frozenset({b"new"})
