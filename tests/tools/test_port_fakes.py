"""The fakes keep the same contracts as the real ports."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from fixtures.tool_calls import CALLER, context
from offhook.testing import FakeConsent, FakeMessenger, FakeNumbers, ManualClock, MemoryLedger, MemoryTallies
from offhook.tools.ports import ConversationContext, DestinationVerdict, OwnNumber, TextRequest
from tools import port_contracts as contracts


@pytest.fixture
def conversation() -> ConversationContext:
    return context()


@pytest.fixture
def organization_id() -> uuid.UUID:
    return uuid.uuid4()


class TestFakeMessenger(contracts.MessengerContract):
    @pytest.fixture
    def messenger(self) -> FakeMessenger:
        return FakeMessenger()

    @pytest.fixture
    def make_request(self) -> Callable[[str], TextRequest]:
        return lambda operation_id: TextRequest(operation_id, uuid.uuid4(), None, "tool", CALLER, "hello")


class TestFakeConsent(contracts.ConsentContract):
    @pytest.fixture
    def allowed_number(self) -> str:
        return CALLER

    @pytest.fixture
    def refused_number(self) -> str:
        return "+12025550199"

    @pytest.fixture
    def consent(self, refused_number: str) -> FakeConsent:
        return FakeConsent({refused_number: DestinationVerdict(False, "opted_out", "They asked for no more texts.")})


class TestFakeNumbers(contracts.NumbersContract):
    @pytest.fixture
    def own_number(self) -> OwnNumber:
        return OwnNumber(uuid.uuid4(), "+12025550100")

    @pytest.fixture
    def numbers(self, organization_id: uuid.UUID, own_number: OwnNumber) -> FakeNumbers:
        return FakeNumbers({organization_id: [own_number]})


class TestMemoryLedger(contracts.LedgerContract):
    @pytest.fixture
    def ledger(self) -> MemoryLedger:
        return MemoryLedger(ManualClock())


class TestMemoryTallies(contracts.TalliesContract):
    @pytest.fixture
    def tallies(self) -> MemoryTallies:
        return MemoryTallies()
