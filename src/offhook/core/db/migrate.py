"""Numbered SQL migrations: forward only, checksummed, one at a time under an advisory lock.

A database that carries a migration this version does not know, or one whose text has changed since it was applied, is
left alone and the error says what to do.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import asyncpg

from offhook.core.db import jobs
from offhook.core.db.pool import APP_ROLE, CONNECTION_ERRORS, OWNER_ROLE, SCHEMA, SYSTEM_ROLE
from offhook.core.errors import ConfigurationError, Unavailable

MINIMUM_SERVER_VERSION = 160000  # PostgreSQL 16: facts/infrastructure.md 1.4
_LOCK = 0x0FF4_0073  # any constant of our own; advisory locks are per database
_NAME = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")

_driver: Any = asyncpg


@dataclass(frozen=True, slots=True)
class Migration:
    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, hexadecimal."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """All that ship with this version, in order."""
    found: list[Migration] = []
    for entry in resources.files("offhook.migrations").iterdir():
        match = _NAME.match(entry.name)
        if match:
            found.append(Migration(int(match[1]), entry.name, entry.read_text(encoding="utf-8")))
    return sorted(found, key=lambda migration: migration.version)


async def migrate(dsn: str, *, on_progress: Callable[[str], None] = lambda _: None) -> list[str]:
    """Bring the database up to this version. Returns the names of the migrations applied now.

    `dsn`: a login that may create roles and schemas in its database. Raises ConfigurationError, Unavailable.
    """
    connection = await _connect(dsn)
    try:
        _check_server(connection)
        await connection.execute("select pg_advisory_lock($1)", _LOCK)
        await _prepare_roles(connection)
        return await _apply(connection, on_progress)
    finally:
        await connection.close(timeout=5)


async def require_migrated(dsn: str) -> None:
    """For processes that use the database and do not migrate it. Raises ConfigurationError when the server is too old
    or the database lacks a migration, Unavailable when nothing answers."""
    connection = await _connect(dsn)
    try:
        _check_server(connection)
        await connection.execute(f"set role {SYSTEM_ROLE}")
        rows = await connection.fetch(f"select version from {SCHEMA}.schema_migrations")
    except asyncpg.PostgresError as error:
        raise _not_ready(f"it is not prepared ({type(error).__name__})") from error
    finally:
        await connection.close(timeout=5)
    missing = {migration.version for migration in migrations()} - {row["version"] for row in rows}
    if missing:
        raise _not_ready(f"it lacks {len(missing)} migration{'' if len(missing) == 1 else 's'} of this version")


def _not_ready(why: str) -> ConfigurationError:
    return ConfigurationError(
        f"the database is not ready for this Offhook: {why}. Run `offhook migrate`", code="database_not_ready"
    )


async def _connect(dsn: str) -> Any:
    try:
        return await _driver.connect(dsn, timeout=10)
    except (asyncpg.ClientConfigurationError, ValueError) as error:
        raise ConfigurationError(
            "DATABASE_URL is no address of a PostgreSQL: write postgresql://user:password@host:5432/database"
        ) from error
    except socket.gaierror as error:
        raise ConfigurationError("the host in DATABASE_URL is not known: check its name") from error
    except CONNECTION_ERRORS as error:
        raise Unavailable(
            f"the database does not answer ({type(error).__name__}); check DATABASE_URL, or start it with `offhook up`",
            code="database_unavailable",
        ) from error
    except asyncpg.PostgresError as error:
        raise ConfigurationError(f"the database refuses this login: {error}; check DATABASE_URL") from error


def _check_server(connection: Any) -> None:
    version = connection.get_server_version()
    if version.major * 10000 < MINIMUM_SERVER_VERSION:
        raise ConfigurationError(
            f"PostgreSQL {version.major} is too old: Offhook needs 16 or newer; point DATABASE_URL at a newer server"
        )


async def _prepare_roles(connection: Any) -> None:
    """Roles belong to the whole server, so two databases may be making them at once: try again on a clash."""
    for attempt in range(5):
        try:
            for role in (OWNER_ROLE, APP_ROLE, SYSTEM_ROLE):
                exists = await connection.fetchval("select 1 from pg_roles where rolname = $1", role)
                if not exists:
                    await connection.execute(f"create role {role} nologin noinherit")
                await _grant_membership(connection, role)
            return
        except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError, asyncpg.InternalServerError):
            await asyncio.sleep(0.05 * (attempt + 1))
        except asyncpg.InsufficientPrivilegeError as error:
            raise ConfigurationError(
                f"the login of DATABASE_URL may not prepare the role ({error}): give it CREATEROLE, or create "
                f"{OWNER_ROLE}, {APP_ROLE} and {SYSTEM_ROLE} and grant them to it"
            ) from error
    raise Unavailable("the database roles are being changed by somebody else; try again")


async def _grant_membership(connection: Any, role: str) -> None:
    may = await connection.fetchval(
        "select rolsuper or pg_has_role(current_user, $1, 'set') from pg_roles where rolname = current_user", role
    )
    if not may:
        await connection.execute(f"grant {role} to current_user with set true, inherit false")


async def _apply(connection: Any, on_progress: Callable[[str], None]) -> list[str]:
    if not await connection.fetchval("select 1 from pg_namespace where nspname = $1", SCHEMA):
        await connection.execute(f"create schema {SCHEMA} authorization {OWNER_ROLE}")
    await connection.execute(f"set role {OWNER_ROLE}")
    await connection.execute(f"set search_path to {SCHEMA}")
    await connection.execute(
        "create table if not exists schema_migrations ("
        " version int primary key, name text not null, checksum text not null,"
        " applied_at timestamptz not null default now())"
    )
    rows = await connection.fetch("select version, name, checksum from schema_migrations order by version")
    known = migrations()
    _check_history({row["version"]: row for row in rows}, {m.version: m for m in known})
    done: list[str] = []
    for migration in known[len(rows) :]:
        on_progress(f"migration {migration.name}")
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                "insert into schema_migrations (version, name, checksum) values ($1, $2, $3)",
                migration.version,
                migration.name,
                migration.checksum,
            )
        done.append(migration.name)
    await connection.execute(f"grant select on schema_migrations to {APP_ROLE}, {SYSTEM_ROLE}")
    await jobs.install(connection)
    return done


def _check_history(applied: Mapping[int, Any], known: Mapping[int, Migration]) -> None:
    unknown = [row["name"] for version, row in applied.items() if version not in known]
    if unknown:
        raise ConfigurationError(
            f"the database was migrated by a newer Offhook ({unknown[-1]}): start that version or newer"
        )
    for version, row in applied.items():
        if row["checksum"] != known[version].checksum:
            raise ConfigurationError(
                f"{row['name']} was changed after it had been applied here: restore its text, and put the change "
                "into a new migration"
            )
    first_missing = next((version for version in sorted(known) if version not in applied), None)
    if first_missing is not None and any(version > first_missing for version in applied):
        raise ConfigurationError(
            f"{known[first_missing].name} is missing from a database that has later ones: number it after them"
        )
