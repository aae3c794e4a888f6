"""Migrations: once, in order, never twice, and never over a history that does not match."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from fixtures.database import LOGIN, PASSWORD
from fixtures.postgres import DatabaseServer
from offhook.core.db.migrate import migrate, migrations, require_migrated
from offhook.core.errors import ConfigurationError, Unavailable


async def test_a_second_run_applies_nothing(database_dsn: str) -> None:
    assert await migrate(database_dsn) == []


async def test_two_processes_that_migrate_at_once_apply_each_migration_once(postgres_server: DatabaseServer) -> None:
    name = await postgres_server.create_database()
    await postgres_server.execute(f'alter database "{name}" owner to {LOGIN}')
    dsn = postgres_server.dsn(name, LOGIN, PASSWORD)
    first, second = await asyncio.gather(migrate(dsn), migrate(dsn))
    assert sorted(first + second) == [migration.name for migration in migrations()]


async def _as_owner(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn, server_settings={"role": "offhook_owner", "search_path": "offhook"})
    await connection.execute(statement)
    await connection.close()


async def test_a_changed_migration_is_named_and_nothing_is_applied(database_dsn: str) -> None:
    await _as_owner(database_dsn, "update schema_migrations set checksum = 'other' where version = 2")
    with pytest.raises(ConfigurationError, match=r"0002_agents_and_tools\.sql was changed"):
        await migrate(database_dsn)


async def test_a_database_of_a_newer_version_is_left_alone(database_dsn: str) -> None:
    await _as_owner(
        database_dsn, "insert into schema_migrations (version, name, checksum) values (9999, '9999_later.sql', 'x')"
    )
    with pytest.raises(ConfigurationError, match="newer Offhook"):
        await migrate(database_dsn)


async def test_no_server_is_a_clear_error() -> None:
    with pytest.raises(Unavailable, match="DATABASE_URL"):
        await migrate("postgresql://nobody@127.0.0.1:1/nothing")


def test_versions_are_unique_and_ordered() -> None:
    versions = [migration.version for migration in migrations()]
    assert versions == sorted(set(versions))
    assert versions


async def test_a_process_that_only_uses_the_database_asks_whether_it_is_migrated(
    postgres_server: DatabaseServer, database_dsn: str
) -> None:
    await require_migrated(database_dsn)
    await _as_owner(database_dsn, "delete from schema_migrations where version = 5")
    with pytest.raises(ConfigurationError, match=r"lacks 1 migration of this version\. Run `offhook migrate`"):
        await require_migrated(database_dsn)
    empty = await postgres_server.create_database()
    with pytest.raises(ConfigurationError, match="not prepared"):
        await require_migrated(postgres_server.dsn(empty, LOGIN, PASSWORD))


@pytest.mark.parametrize(
    ("dsn", "said"),
    [
        ("mysql://somebody@127.0.0.1/x", "no address of a PostgreSQL"),
        ("nonsense", "no address of a PostgreSQL"),
    ],
)
async def test_an_address_that_is_none_is_told_as_such(dsn: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        await migrate(dsn)
