"""Copies, moves and losses of an embedded server's directories: data is never shared and never quietly made anew."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from fixtures.postgres import open_directory
from offhook.core.db.embedded import EmbeddedPostgres, EmbeddedPostgresError, data_elsewhere, find_running

QUICK = {"fsync": "off"}

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root's data is ever outside of the home")


@pytest.fixture
def directory() -> Iterator[Path]:
    with open_directory() as made:
        yield made


@pytest.fixture
def closed(directory: Path) -> Path:
    """Where the server's user may not enter, if we are root."""
    made = directory / "closed"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def fallback(directory: Path) -> Path:
    return directory / "fallback"


def server(home: Path, fallback: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(home, settings=QUICK, root_fallback=fallback)


async def make(home: Path, fallback: Path) -> None:
    async with server(home, fallback) as address:
        connection = await asyncpg.connect(address.dsn())
        await connection.execute("create table t as select 42 as x")
        await connection.close()


async def kept(home: Path, fallback: Path) -> object:
    async with server(home, fallback) as address:
        connection = await asyncpg.connect(address.dsn())
        try:
            return await connection.fetchval("select x from t")
        finally:
            await connection.close()


def copy(source: Path, target: Path) -> None:
    """With owners, as `tar` of root does."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


async def test_data_inside_the_home_moves_with_it(directory: Path, fallback: Path) -> None:
    await make(directory / "postgres", fallback)
    (directory / "postgres").rename(directory / "moved")
    assert await kept(directory / "moved", fallback) == 42
    assert data_elsewhere(directory / "moved") is None


async def test_a_copy_of_a_running_home_with_its_socket_elsewhere_is_a_server_of_its_own(
    directory: Path, fallback: Path
) -> None:
    home = directory / ("long" * 30) / "postgres"
    home.parent.mkdir(mode=0o711)
    await make(home, fallback)
    twin = home.with_name("twin")
    copy(home, twin)
    async with server(home, fallback) as address:
        shutil.copy(home / "server.json", twin / "server.json")
        assert await find_running(twin) is None
        async with server(twin, fallback) as other:
            assert other.socket_directory != address.socket_directory
            assert await find_running(home) == address


async def test_data_that_is_gone_is_not_made_anew(directory: Path, fallback: Path) -> None:
    home = directory / "postgres"
    await make(home, fallback)
    (home / "pg").rename(directory / "elsewhere")
    with pytest.raises(EmbeddedPostgresError, match=rf"is missing: .*server.json says .* in {home}/pg.*back-up.md"):
        await server(home, fallback).start()
    assert not (home / "pg").exists()
    (directory / "elsewhere").rename(home / "pg")
    assert await kept(home, fallback) == 42


@as_root
async def test_a_directory_outside_of_the_home_that_is_gone_is_named(closed: Path, fallback: Path) -> None:
    home = closed / "postgres"
    await make(home, fallback)
    base = data_elsewhere(home)
    assert base is not None
    base.rename(closed / "away")
    with pytest.raises(EmbeddedPostgresError, match=rf"is missing: .*server.json says .* in {base}/pg"):
        await server(home, fallback).start()
    assert not base.exists()
    (closed / "away").rename(base)
    assert await kept(home, fallback) == 42


@as_root
async def test_a_copied_home_is_kept_off_the_data_of_its_original(closed: Path, fallback: Path) -> None:
    home, twin = closed / "postgres", closed / "twin"
    await make(home, fallback)
    copy(home, twin)
    refusal = rf"{twin} was copied or moved: its database is in {data_elsewhere(home)} and belongs to {home}\."
    with pytest.raises(EmbeddedPostgresError, match=refusal):
        await server(twin, fallback).start()
    async with server(home, fallback):
        with pytest.raises(EmbeddedPostgresError, match=refusal):
            await find_running(twin)
    assert await kept(home, fallback) == 42


@as_root
async def test_a_copy_with_its_data_inside_is_a_database_of_its_own(
    directory: Path, closed: Path, fallback: Path
) -> None:
    home, twin = closed / "postgres", directory / "twin"
    await make(home, fallback)
    base = data_elsewhere(home)
    assert base is not None
    copy(home, twin)
    copy(base / "pg", twin / "pg")
    async with server(home, fallback):
        assert await kept(twin, fallback) == 42
    assert data_elsewhere(twin) is None


@as_root
async def test_a_moved_home_gets_its_data_when_the_data_is_told_so(closed: Path, fallback: Path) -> None:
    home, moved = closed / "postgres", closed / "moved"
    await make(home, fallback)
    base = data_elsewhere(home)
    assert base is not None
    home.rename(moved)
    with pytest.raises(EmbeddedPostgresError, match=rf"write {moved} into the file {base}/home"):
        await server(moved, fallback).start()
    (base / "home").write_text(f"{moved}\n")
    assert await kept(moved, fallback) == 42
