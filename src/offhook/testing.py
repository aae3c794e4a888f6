"""Fakes of the ports, for tests of tool types: in memory, and held to the same contract as the real ones.

messenger = FakeMessenger()
road = Road(fake_ports(messenger=messenger), MemoryLedger(clock), clock, MemoryTallies())
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from offhook.core.clock import Clock, ManualClock
from offhook.core.errors import Effect
from offhook.core.segments import count
from offhook.core.texts import TextOptions
from offhook.core.variables import Value
from offhook.tools.policy import SAME_CALL_WINDOW_SECONDS
from offhook.tools.ports import (
    Begun,
    Claim,
    Consent,
    ConversationContext,
    DestinationVerdict,
    Messenger,
    Numbers,
    OwnNumber,
    Ports,
    TextEstimate,
    TextReceipt,
    TextRequest,
    ToolCallRow,
)

__all__ = [
    "FakeConsent",
    "FakeMessenger",
    "FakeNumbers",
    "ManualClock",
    "MemoryLedger",
    "MemoryTallies",
    "fake_ports",
]


@dataclass
class FakeMessenger:
    """Takes every text. `faults` by recipient: an exception to raise, or a receipt's changed members."""

    faults: dict[str, Exception | Mapping[str, Any]] = field(default_factory=dict[str, "Exception | Mapping[str, Any]"])
    requests: list[TextRequest] = field(default_factory=list[TextRequest])
    """Every request, repeated ones too."""
    receipts: dict[str, TextReceipt] = field(default_factory=dict[str, TextReceipt])
    """By operation id: the texts placed, each once."""

    async def text(self, request: TextRequest) -> TextReceipt:
        self.requests.append(request)
        if (known := self.receipts.get(request.operation_id)) is not None:
            return known
        fault = self.faults.get(request.to_number, {})
        if isinstance(fault, Exception):
            raise fault
        receipt = TextReceipt(
            message_id=uuid.uuid5(uuid.NAMESPACE_OID, request.operation_id),
            to_number=request.to_number,
            status="sent",
            effect=Effect.DONE,
            carrier_message_id=f"SM{len(self.receipts):032d}",
            segments=count(request.body).segments,
            send_at=datetime(2026, 11, 21, 10, 0, tzinfo=UTC),
        )
        self.receipts[request.operation_id] = replace(receipt, **fault)
        return self.receipts[request.operation_id]

    async def estimate(
        self, organization_id: uuid.UUID, body: str, from_number: str | None, options: TextOptions
    ) -> TextEstimate:
        counted = count(body)
        cost = counted.segments * Decimal("0.01")
        return TextEstimate(counted.encoding, counted.segments, 1, cost, "USD", "made up")


@dataclass
class FakeConsent:
    """Allows every number but those in `refused`: number -> verdict."""

    refused: dict[str, DestinationVerdict] = field(default_factory=dict[str, DestinationVerdict])

    async def check(self, organization_id: uuid.UUID, number: str) -> DestinationVerdict:
        return self.refused.get(number, DestinationVerdict(allowed=True))


@dataclass
class FakeNumbers:
    """Numbers by organization."""

    own: dict[uuid.UUID, list[OwnNumber]] = field(default_factory=dict[uuid.UUID, "list[OwnNumber]"])

    async def find(self, organization_id: uuid.UUID, phone_number_id: uuid.UUID) -> OwnNumber | None:
        mine = self.own.get(organization_id, [])
        return next((item for item in mine if item.phone_number_id == phone_number_id), None)

    async def find_by_number(self, organization_id: uuid.UUID, number: str) -> OwnNumber | None:
        return next((item for item in self.own.get(organization_id, []) if item.number == number), None)

    async def find_only(self, organization_id: uuid.UUID) -> OwnNumber | None:
        mine = self.own.get(organization_id, [])
        return mine[0] if len(mine) == 1 else None


def fake_ports(
    *, messenger: Messenger | None = None, consent: Consent | None = None, numbers: Numbers | None = None
) -> Ports:
    """Ports of fakes; those not given take everything and own nothing."""
    return Ports(messenger or FakeMessenger(), consent or FakeConsent(), numbers or FakeNumbers())


@dataclass
class _Row:
    row: ToolCallRow
    conversation_id: uuid.UUID
    arguments_hash: bytes


@dataclass
class MemoryLedger:
    """The Ledger port in memory. `rows` by organization and tool call."""

    clock: Clock
    rows: dict[tuple[uuid.UUID, uuid.UUID], _Row] = field(default_factory=dict[tuple[uuid.UUID, uuid.UUID], _Row])

    async def begin(
        self,
        context: ConversationContext,
        *,
        tool_call_id: uuid.UUID,
        tool_id: uuid.UUID | None,
        function_name: str,
        user_turn: int,
        repeatable: str,
        arguments_hash: bytes,
        again: bool = False,
    ) -> Begun:
        standing = self.rows.get((context.organization_id, tool_call_id))
        if standing is not None:
            return Begun(mine=False, row=standing.row, same_id=True)
        mine = ToolCallRow(tool_call_id, function_name, user_turn, "started", None, self.clock.now(), None)
        if repeatable != "yes":
            for entry in reversed(self.rows.values()):
                same = (entry.conversation_id, entry.row.function_name, entry.arguments_hash)
                if same == (context.conversation_id, function_name, arguments_hash) and self._counts(
                    entry, mine, again
                ):
                    return Begun(mine=False, row=entry.row)
        self.rows[context.organization_id, tool_call_id] = _Row(mine, context.conversation_id, arguments_hash)
        return Begun(mine=True, row=mine)

    def _counts(self, entry: _Row, mine: ToolCallRow, again: bool) -> bool:
        acted = entry.row.status == "started" or entry.row.effect in (Effect.DONE, Effect.UNKNOWN)
        recent = mine.started_at - entry.row.started_at <= timedelta(seconds=SAME_CALL_WINDOW_SECONDS)
        return acted and (entry.row.user_turn == mine.user_turn or (recent and not again))

    async def finish(
        self,
        context: ConversationContext,
        tool_call_id: uuid.UUID,
        *,
        status: str,
        effect: Effect,
        answer: Mapping[str, Any],
        error_code: str | None,
        error_detail: str | None,
        duration_ms: float,
        stored_values: Mapping[str, Value],
    ) -> Mapping[str, Any]:
        entry = self.rows[context.organization_id, tool_call_id]
        if entry.row.answer is None:
            entry.row = replace(entry.row, status=status, effect=effect, answer=dict(answer), error_detail=error_detail)
        return entry.row.answer or {}


@dataclass
class MemoryTallies:
    """The Tallies port in memory."""

    sets: dict[tuple[uuid.UUID, str], set[bytes]] = field(default_factory=dict[tuple[uuid.UUID, str], "set[bytes]"])

    async def claim(self, context: ConversationContext, claim: Claim) -> frozenset[bytes] | None:
        held = self.sets.setdefault((context.conversation_id, claim.name), set())
        new = claim.items - held
        if new and len(held | new) > claim.limit:
            return None
        held |= new
        return frozenset(new)

    async def release(self, context: ConversationContext, name: str, items: frozenset[bytes]) -> None:
        self.sets.get((context.conversation_id, name), set()).difference_update(items)
