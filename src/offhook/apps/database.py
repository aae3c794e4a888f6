"""Which database a command works with: DATABASE_URL, else the embedded one that `offhook up` runs for this home."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import asyncpg

from offhook.core.db.embedded import PostgresAddress, find_running
from offhook.core.errors import ConfigurationError
from offhook.core.private_files import write_private
from offhook.core.settings import Settings
from offhook.secrets.keyring import KeyRing, load_or_create

LOGIN = "offhook"
DATABASE = "offhook"

_driver: Any = asyncpg


def postgres_home(home: Path) -> Path:
    return home / "postgres"


def _password_file(home: Path) -> Path:
    return home / "database-password"


async def resolve_dsn(settings: Settings) -> str:
    """Raises ConfigurationError that says how to get a database."""
    if settings.database_url is not None:
        return settings.database_url
    address = await find_running(postgres_home(settings.home))
    if address is None or not _password_file(settings.home).exists():
        raise ConfigurationError(
            f"no database: DATABASE_URL is not set, and none runs for {settings.home}. Start one with `offhook up`, "
            "or set DATABASE_URL to a PostgreSQL 16 or newer",
            code="no_database",
        )
    return _own_dsn(address, settings.home)


async def prepare_embedded(address: PostgresAddress, home: Path) -> str:
    """Our login (no superuser) and database on the embedded server; their address. Done again, it changes nothing."""
    password_file = _password_file(home)
    if not password_file.exists():
        write_private(password_file, secrets.token_urlsafe(32))
    password = password_file.read_text()
    connection = await _driver.connect(address.dsn())
    try:
        # The password is url-safe base64 of our own making: it holds no quote.
        verb = "alter" if await connection.fetchval("select 1 from pg_roles where rolname = $1", LOGIN) else "create"
        await connection.execute(f"{verb} role {LOGIN} login createrole nosuperuser password '{password}'")
        if not await connection.fetchval("select 1 from pg_database where datname = $1", DATABASE):
            await connection.execute(f"create database {DATABASE} owner {LOGIN}")
    finally:
        await connection.close()
    return _own_dsn(address, home)


def _own_dsn(address: PostgresAddress, home: Path) -> str:
    return address.dsn(DATABASE, LOGIN, _password_file(home).read_text())


def key_ring(settings: Settings) -> KeyRing:
    """From OFFHOOK_MASTER_KEYS and OFFHOOK_KEY_PEPPER, else from the home's own file, which is made on first use."""
    if settings.master_keys is not None:
        return KeyRing.parse(settings.master_keys, settings.key_pepper or "")
    return load_or_create(settings.home / "keys")
