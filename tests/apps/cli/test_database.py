from __future__ import annotations

import base64
import uuid
from collections.abc import AsyncGenerator

import pytest

from fixtures.command_line import CommandLine
from fixtures.database import LOGIN, PASSWORD
from fixtures.postgres import DatabaseServer
from offhook.core.db.pool import Database
from offhook.organizations import Authenticator
from offhook.secrets import KeyRing, Sealer

PEPPER = "a pepper for tests, long enough to be one"
OLD, NEW = (f"{name}:{base64.b64encode(bytes([number]) * 32).decode()}" for name, number in (("k1", 1), ("k2", 2)))


@pytest.fixture
def with_database(offhook: CommandLine, database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.setenv("DATABASE_URL", database_dsn)
    monkeypatch.setenv("OFFHOOK_MASTER_KEYS", OLD)
    monkeypatch.setenv("OFFHOOK_KEY_PEPPER", PEPPER)
    return offhook


@pytest.mark.parametrize("words", [["migrate"], ["organizations", "list"], ["keys", "rotate"]])
async def test_without_a_database_it_says_how_to_get_one(offhook: CommandLine, words: list[str]) -> None:
    outcome = await offhook(*words)
    assert (outcome.code, outcome.out) == (1, "")
    assert "offhook up" in outcome.err
    assert "[no_database]" in outcome.err


async def test_a_database_that_is_away_is_said(offhook: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody:a-password@127.0.0.1:9/nothing")
    outcome = await offhook("migrate")
    assert outcome.code == 1
    assert "[database_unavailable]" in outcome.err
    assert "a-password" not in outcome.err


@pytest.fixture
async def empty_database(
    postgres_server: DatabaseServer, migrated_template: str, monkeypatch: pytest.MonkeyPatch, offhook: CommandLine
) -> AsyncGenerator[None]:
    """DATABASE_URL names a database that was never migrated. (The server's roles are there: another one was.)"""
    name = await postgres_server.create_database()
    await postgres_server.execute(f'alter database "{name}" owner to {LOGIN}')
    monkeypatch.setenv("DATABASE_URL", postgres_server.dsn(name, LOGIN, PASSWORD))
    yield
    await postgres_server.drop_database(name)


@pytest.mark.usefixtures("empty_database")
async def test_migrating_names_what_was_applied_and_then_nothing(offhook: CommandLine) -> None:
    outcome = await offhook("migrate")
    assert (outcome.code, outcome.err) == (0, "")
    assert "migration 0001_tenancy.sql" in outcome.out
    assert outcome.out.endswith(" applied\n")
    assert (await offhook("migrate")).out == "nothing to apply: the database is at this version\n"


@pytest.mark.usefixtures("empty_database")
async def test_a_database_that_was_never_migrated_is_told_to_be(offhook: CommandLine) -> None:
    outcome = await offhook("organizations", "list")
    assert outcome.code == 1
    assert "offhook migrate" in outcome.err


async def test_an_organization_comes_with_a_key_that_opens_it(with_database: CommandLine, database: Database) -> None:
    made = (await with_database("organizations", "create", "Spoke & Chain", "--json")).json
    caller = await Authenticator(database, PEPPER.encode()).authenticate(f"Bearer {made['api_key']}")
    assert str(caller.organization_id) == made["organization"]["id"]
    listed = await with_database("organizations", "list")
    assert listed.out == f"{made['organization']['id']}  Spoke & Chain\n"


async def test_the_screen_shows_a_new_key_once_and_says_so(with_database: CommandLine) -> None:
    outcome = await with_database("organizations", "create", "Spoke & Chain")
    assert outcome.code == 0
    assert "offhook_live_" in outcome.out
    assert "cannot be shown again" in outcome.err


@pytest.mark.parametrize("name", ["", " ", "n" * 101, "two\nlines", "\x1b[2J"])
async def test_a_name_that_is_none_is_refused(with_database: CommandLine, name: str) -> None:
    assert (await with_database("organizations", "create", name)).code == 2
    assert (await with_database("organizations", "list", "--json")).json == {"organizations": []}


async def test_a_key_has_the_scopes_asked_for(with_database: CommandLine, database: Database) -> None:
    made = (await with_database("organizations", "create", "Spoke & Chain", "--json")).json
    organization = made["organization"]["id"]
    outcome = await with_database(
        "keys", "create", "--organization", organization, "--name", "worker", "--scope", "worker", "--scope", "read"
    )
    caller = await Authenticator(database, PEPPER.encode()).authenticate(f"Bearer {outcome.out.strip()}")
    assert caller.scopes == {"worker", "read"}


async def test_a_key_for_nobody_or_for_an_unknown_scope_is_refused(with_database: CommandLine) -> None:
    stranger = str(uuid.uuid4())
    outcome = await with_database("keys", "create", "--organization", stranger, "--name", "x")
    assert outcome.code == 1
    assert "[organization_not_found]" in outcome.err
    outcome = await with_database("keys", "create", "--organization", stranger, "--name", "x", "--scope", "root")
    assert outcome.code == 2
    assert "admin, worker, read" in outcome.err


async def test_rotation_brings_every_data_key_under_the_first_master_key(
    with_database: CommandLine, database: Database, organization: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = uuid.uuid4()
    sealed = await Sealer(database, KeyRing.parse(OLD, PEPPER)).seal(organization, "table", row, "field", b"kept")
    monkeypatch.setenv("OFFHOOK_MASTER_KEYS", f"{NEW},{OLD}")
    outcome = await with_database("keys", "rotate")
    assert outcome.out == "1 data keys are now under master key k2; the others were already\n"
    only_new = Sealer(database, KeyRing.parse(NEW, PEPPER))
    assert await only_new.open(organization, "table", row, "field", sealed) == b"kept"
