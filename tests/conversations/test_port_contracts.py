"""The ledger and the tallies over PostgreSQL keep the contracts that the fakes keep."""

from __future__ import annotations

import pytest

from fixtures.calls import PlainSealer
from offhook.conversations.ledger import PostgresLedger
from offhook.conversations.tallies import PostgresTallies
from offhook.core.db.pool import Database
from tools import port_contracts as contracts


class TestPostgresLedger(contracts.LedgerContract):
    @pytest.fixture
    def ledger(self, database: Database) -> PostgresLedger:
        return PostgresLedger(database, PlainSealer())


class TestPostgresTallies(contracts.TalliesContract):
    @pytest.fixture
    def tallies(self, database: Database) -> PostgresTallies:
        return PostgresTallies(database)
