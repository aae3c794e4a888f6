"""What every implementation of a port promises: the fakes in `offhook.testing` and the real ones alike.

A test class inherits one of these and gives the fixtures that it names.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from offhook.core.errors import Effect
from offhook.core.texts import PLAIN
from offhook.tools.ports import (
    Begun,
    Claim,
    Consent,
    ConversationContext,
    Ledger,
    Messenger,
    Numbers,
    Tallies,
    TextRequest,
)

HASH, OTHER_HASH = b"1" * 32, b"2" * 32


class MessengerContract:
    """Fixtures: `messenger`, `make_request` (a TextRequest that can be sent, with the given operation id)."""

    async def test_a_text_placed_twice_with_one_operation_id_is_one_text(
        self, messenger: Messenger, make_request: Callable[[str], TextRequest]
    ) -> None:
        request = make_request("operation-1")
        first, second = await messenger.text(request), await messenger.text(request)
        assert first.message_id == second.message_id

    async def test_two_operations_are_two_texts(
        self, messenger: Messenger, make_request: Callable[[str], TextRequest]
    ) -> None:
        first = await messenger.text(make_request("operation-1"))
        second = await messenger.text(make_request("operation-2"))
        assert first.message_id != second.message_id

    async def test_a_receipt_names_recipient_segments_and_effect(
        self, messenger: Messenger, make_request: Callable[[str], TextRequest]
    ) -> None:
        request = make_request("operation-1")
        receipt = await messenger.text(request)
        assert receipt.to_number == request.to_number
        assert receipt.segments >= 1
        assert isinstance(receipt.effect, Effect)

    async def test_an_estimate_counts_and_places_nothing(
        self, messenger: Messenger, make_request: Callable[[str], TextRequest]
    ) -> None:
        request = make_request("operation-1")
        told = await messenger.estimate(request.organization_id, request.body, request.from_number, PLAIN)
        assert (told.parts, told.segments) == (1, 1)
        assert (told.cost is None) == (told.currency is None) == (told.price_source is None)


class ConsentContract:
    """Fixtures: `consent`, `organization_id`, `allowed_number`, `refused_number`."""

    async def test_an_ordinary_number_is_allowed(
        self, consent: Consent, organization_id: uuid.UUID, allowed_number: str
    ) -> None:
        assert (await consent.check(organization_id, allowed_number)).allowed

    async def test_a_refusal_has_a_code_and_a_sentence_for_the_model(
        self, consent: Consent, organization_id: uuid.UUID, refused_number: str
    ) -> None:
        verdict = await consent.check(organization_id, refused_number)
        assert not verdict.allowed
        assert verdict.code
        assert verdict.sentence.endswith(".")
        assert refused_number not in verdict.sentence


class NumbersContract:
    """Fixtures: `numbers`, `organization_id`, `own_number` (an OwnNumber of it)."""

    async def test_an_own_number_is_found_by_id_and_by_number(
        self, numbers: Numbers, organization_id: uuid.UUID, own_number: Any
    ) -> None:
        assert await numbers.find(organization_id, own_number.phone_number_id) == own_number
        assert await numbers.find_by_number(organization_id, own_number.number) == own_number
        assert await numbers.find_only(organization_id) == own_number

    async def test_another_organizations_number_is_not_found(self, numbers: Numbers, own_number: Any) -> None:
        assert await numbers.find(uuid.uuid4(), own_number.phone_number_id) is None
        assert await numbers.find_by_number(uuid.uuid4(), own_number.number) is None
        assert await numbers.find_only(uuid.uuid4()) is None


class LedgerContract:
    """Fixtures: `ledger`, `conversation` (a ConversationContext that exists)."""

    async def _begin(self, ledger: Ledger, conversation: ConversationContext, **changes: Any) -> Begun:
        given: dict[str, Any] = {
            "tool_call_id": uuid.uuid4(),
            "tool_id": None,
            "function_name": "send_link",
            "user_turn": 1,
            "repeatable": "no",
            "arguments_hash": HASH,
        }
        return await ledger.begin(conversation, **{**given, **changes})

    async def _finish(
        self, ledger: Ledger, conversation: ConversationContext, call_id: uuid.UUID, effect: Effect, **answer: Any
    ) -> Any:
        status = "done" if effect is Effect.DONE else "failed"
        return await ledger.finish(
            conversation,
            call_id,
            status=status,
            effect=effect,
            answer=answer,
            error_code=None,
            error_detail=None if effect is Effect.DONE else f"for {effect}",
            duration_ms=1.0,
            stored_values={},
        )

    async def test_a_new_call_is_mine(self, ledger: Ledger, conversation: ConversationContext) -> None:
        begun = await self._begin(ledger, conversation)
        assert (begun.mine, begun.same_id, begun.row.status) == (True, False, "started")

    async def test_the_same_id_finds_itself(self, ledger: Ledger, conversation: ConversationContext) -> None:
        call_id = uuid.uuid4()
        await self._begin(ledger, conversation, tool_call_id=call_id)
        begun = await self._begin(ledger, conversation, tool_call_id=call_id)
        assert (begun.mine, begun.same_id, begun.row.id, begun.row.status) == (False, True, call_id, "started")

    async def test_the_first_answer_stands(self, ledger: Ledger, conversation: ConversationContext) -> None:
        call_id = (await self._begin(ledger, conversation)).row.id
        assert await self._finish(ledger, conversation, call_id, Effect.DONE, n=1) == {"n": 1}
        assert await self._finish(ledger, conversation, call_id, Effect.NONE, n=2) == {"n": 1}
        begun = await self._begin(ledger, conversation, tool_call_id=call_id)
        assert (begun.row.status, begun.row.effect, begun.row.answer) == ("done", Effect.DONE, {"n": 1})

    async def test_why_it_failed_is_kept_for_the_operator(
        self, ledger: Ledger, conversation: ConversationContext
    ) -> None:
        call_id = (await self._begin(ledger, conversation)).row.id
        await self._finish(ledger, conversation, call_id, Effect.NONE)
        await self._finish(ledger, conversation, call_id, Effect.UNKNOWN)
        assert (await self._begin(ledger, conversation, tool_call_id=call_id)).row.error_detail == "for none"

    async def test_an_equal_call_finds_the_first_while_it_runs_and_after(
        self, ledger: Ledger, conversation: ConversationContext
    ) -> None:
        first = (await self._begin(ledger, conversation)).row.id
        begun = await self._begin(ledger, conversation)
        assert (begun.mine, begun.same_id, begun.row.id) == (False, False, first)
        await self._finish(ledger, conversation, first, Effect.UNKNOWN)
        assert (await self._begin(ledger, conversation, user_turn=2)).row.id == first

    async def test_what_did_nothing_does_not_stand_in_the_way(
        self, ledger: Ledger, conversation: ConversationContext
    ) -> None:
        first = (await self._begin(ledger, conversation)).row.id
        await self._finish(ledger, conversation, first, Effect.NONE)
        assert (await self._begin(ledger, conversation)).mine

    async def test_another_function_other_arguments_and_a_lookup_are_no_repeat(
        self, ledger: Ledger, conversation: ConversationContext
    ) -> None:
        await self._begin(ledger, conversation)
        assert (await self._begin(ledger, conversation, function_name="other")).mine
        assert (await self._begin(ledger, conversation, arguments_hash=OTHER_HASH)).mine
        assert (await self._begin(ledger, conversation, repeatable="yes")).mine

    async def test_again_counts_only_in_another_turn(self, ledger: Ledger, conversation: ConversationContext) -> None:
        first = (await self._begin(ledger, conversation)).row.id
        await self._finish(ledger, conversation, first, Effect.DONE)
        assert not (await self._begin(ledger, conversation, again=True)).mine
        assert (await self._begin(ledger, conversation, again=True, user_turn=2)).mine

    async def test_of_equal_calls_at_once_one_is_mine(self, ledger: Ledger, conversation: ConversationContext) -> None:
        wishes: list[Awaitable[Begun]] = [self._begin(ledger, conversation) for _ in range(8)]
        begun = await asyncio.gather(*wishes)
        assert [item.mine for item in begun].count(True) == 1


class TalliesContract:
    """Fixtures: `tallies`, `conversation`."""

    async def test_a_set_takes_items_up_to_its_limit(self, tallies: Tallies, conversation: ConversationContext) -> None:
        assert await tallies.claim(conversation, Claim("n", frozenset({b"a"}), 2)) == {b"a"}
        assert await tallies.claim(conversation, Claim("n", frozenset({b"a", b"b"}), 2)) == {b"b"}
        assert await tallies.claim(conversation, Claim("n", frozenset({b"c"}), 2)) is None
        assert await tallies.claim(conversation, Claim("n", frozenset({b"a"}), 2)) == frozenset()
        assert await tallies.claim(conversation, Claim("other", frozenset({b"c"}), 2)) == {b"c"}

    async def test_what_is_released_is_free_again(self, tallies: Tallies, conversation: ConversationContext) -> None:
        await tallies.claim(conversation, Claim("n", frozenset({b"a"}), 1))
        await tallies.release(conversation, "n", frozenset({b"a"}))
        assert await tallies.claim(conversation, Claim("n", frozenset({b"b"}), 1)) == {b"b"}

    async def test_of_claims_at_once_only_as_many_win_as_the_limit_allows(
        self, tallies: Tallies, conversation: ConversationContext
    ) -> None:
        claims = [Claim("n", frozenset({bytes([index])}), 3) for index in range(8)]
        won = await asyncio.gather(*(tallies.claim(conversation, claim) for claim in claims))
        assert len([items for items in won if items]) == 3
