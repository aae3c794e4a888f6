"""The embedded PostgreSQL as in production (every commit waits for the disk), with a migrated database per side."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg

from benchmarks.cpu import cpu_seconds_of_children
from offhook.core.db.embedded import EmbeddedPostgres, PostgresAddress
from offhook.core.db.migrate import migrate

LOGIN, PASSWORD = "offhook", "loopback"  # no superuser, like the login of a DATABASE_URL
_WRITES = 200

_driver: Any = asyncpg


@dataclass
class Postgres:
    """The running server."""

    server: EmbeddedPostgres
    address: PostgresAddress
    version: str
    """As it says it: `18.4`."""
    flush_microseconds: float
    """The median time of writing 8 KiB and waiting for the disk, where its data is."""

    async def make_database(self, name: str) -> str:
        """A new migrated database; its address for our login."""
        await self._as_superuser(f'create database "{name}" owner {LOGIN}')
        dsn = self.address.dsn(name, LOGIN, PASSWORD)
        await migrate(dsn)
        return dsn

    async def count(self, database: str, query: str) -> int:
        """The number a query yields, seen past row-level security."""
        connection = await _driver.connect(self.address.dsn(database), server_settings={"search_path": "offhook"})
        try:
            return int(await connection.fetchval(query))
        finally:
            await connection.close()

    async def settle(self) -> None:
        """Write everything down, so that no checkpoint of one side's making falls into the other's round."""
        await self._as_superuser("checkpoint")

    def cpu_seconds(self) -> float | None:
        """What its processes have used so far; None where that cannot be read."""
        return None if self.server.pid is None else cpu_seconds_of_children(self.server.pid)

    async def _as_superuser(self, statement: str) -> None:
        connection = await _driver.connect(self.address.dsn())
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@asynccontextmanager
async def running_postgres() -> AsyncGenerator[Postgres]:
    """A server in a temporary directory, removed at the end."""
    directory = _open_directory()
    server = EmbeddedPostgres(directory / "postgres")
    try:
        address = await server.start()
        connection = await _driver.connect(address.dsn())
        try:
            await connection.execute(f"create role {LOGIN} login createrole nosuperuser password '{PASSWORD}'")
            version = str(await connection.fetchval("show server_version"))
        finally:
            await connection.close()
        yield Postgres(server, address, version.split()[0], _flush_microseconds(directory))
    finally:
        await server.stop()
        shutil.rmtree(directory, ignore_errors=True)


def _open_directory() -> Path:
    """A temporary directory that the server, which as root runs as somebody else, may pass through."""
    directory = Path(tempfile.mkdtemp(prefix="offhook-benchmarks-"))
    directory.chmod(0o711)
    return directory


def _flush_microseconds(directory: Path) -> float:
    times: list[float] = []
    descriptor = os.open(directory / "flush", os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        os.write(descriptor, bytes(8192 * _WRITES))
        os.fsync(descriptor)
        os.lseek(descriptor, 0, os.SEEK_SET)
        for _ in range(_WRITES):
            began = time.perf_counter()
            os.write(descriptor, bytes(8192))
            _flush(descriptor)
            times.append(time.perf_counter() - began)
    finally:
        os.close(descriptor)
    return median(times) * 1e6


_flush = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync
