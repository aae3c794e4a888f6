"""The PostgreSQL of a machine that has none: our own child, reached through a socket that only we may open.

For laptops, CI and one-box demonstrations: wheels lag behind security releases, so it never listens on TCP.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import asyncpg

from offhook.core.db.pg_binaries import Binaries, EmbeddedPostgresError, locate, reachable_by
from offhook.core.db.pg_place import (
    PORT,
    ROOT_FALLBACK,
    Place,
    Record,
    lock_home,
    make_directory,
    open_home,
    open_log,
    settle,
    write_private,
)
from offhook.core.db.pg_process import Predecessor, find_predecessor, spawn

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "PostgresAddress", "find_running"]

SUPERUSER = "postgres"

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # The log must not carry what people said: no statements, and no DETAIL, which quotes rows.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}
"""Always passed on the command line; a caller's `settings` go over them, except where the server listens."""

_OURS_ALONE = ("listen_addresses", "port", "unix_socket_permissions", "unix_socket_directories")
_FREE_BYTES = 200_000_000  # fresh data takes 39 MB (measured) and the write-ahead log needs room
_FAST_STOP_SECONDS = 30.0
_HARD_STOP_SECONDS = 15.0
_STILL_HELD = ("pre-existing shared memory block", "is another postmaster", "is another postgres")
_STILL_HELD_SECONDS = 30.0
_POLL_SECONDS = 0.02
_PROGRESS_SECONDS = 5.0
_LONGEST_RESTART_DELAY_SECONDS = 5.0
_LOG_LINES = 12


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """Where a server is and how its superuser gets in. The password is in a 0600 file, never in `repr`."""

    socket_directory: Path
    port: int
    user: str
    password_file: Path

    def dsn(self, database: str = "postgres", user: str | None = None, password: str | None = None) -> str:
        """A connection string for asyncpg and libpq; without `user`, the superuser's, with its password."""
        if user is None:
            user, password = self.user, self.password_file.read_text()
        secret = f":{quote(password, safe='')}" if password else ""
        host = quote(str(self.socket_directory), safe="")
        return f"postgresql://{quote(user, safe='')}{secret}@/{quote(database, safe='')}?host={host}&port={self.port}"


async def find_running(home: Path) -> PostgresAddress | None:
    """The server of `home` if one answers there now, whoever runs it; None if nothing does."""
    home = Path(os.path.realpath(home.expanduser()))
    record = Record.read(home)
    if record is None:
        return None
    address = PostgresAddress(record.socket_directory, PORT, SUPERUSER, home / "password")
    return address if await _answers(address) else None


class EmbeddedPostgres:
    """One PostgreSQL server as a child of this process, made on first start and restarted when it dies.

    `home` is a directory of its own, created if need be. `settings` are PostgreSQL's, such as `{"fsync": "off"}`.
    `on_progress` is told, in sentences for a person, what takes long or went wrong. On Linux the server stops when the
    thread that called `start` ends, so call it from the main thread or one that lasts as long as the process.
    """

    def __init__(
        self,
        home: Path,
        *,
        settings: Mapping[str, str] | None = None,
        on_progress: Callable[[str], None] = lambda sentence: None,
        root_fallback: Path = ROOT_FALLBACK,
    ) -> None:
        self._home = home
        self._settings = {**SETTINGS, **{k: v for k, v in (settings or {}).items() if k not in _OURS_ALONE}}
        self._tell = on_progress
        self._root_fallback = root_fallback
        self._lock: int | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._place: Place | None = None
        self._binaries: Binaries | None = None
        self.restarts = 0
        """How often the server died and was started again."""

    async def __aenter__(self) -> PostgresAddress:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> PostgresAddress:
        """Make the data if there is none, start the server, wait until it answers (crash recovery may take long).

        Raises EmbeddedPostgresError, with nothing left running, when it cannot.
        """
        if sys.platform == "win32":
            raise EmbeddedPostgresError(
                "The embedded PostgreSQL does not run on Windows: use WSL, or set DATABASE_URL to a PostgreSQL."
            )
        if self._lock is not None:
            raise RuntimeError("this server was started already")
        try:
            await asyncio.to_thread(self._prepare)
            if self._chosen.data_major is None:
                await self._make_data()
            await self._launch()
        except BaseException:
            await self.stop()
            raise
        self._supervisor = asyncio.create_task(self._supervise(), name="embedded postgres")
        return self.address

    async def stop(self) -> None:
        """End every session, write everything down, stop the server and let go of the home. Safe to call twice."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
            self._supervisor = None
        if self._process is not None:
            await _end(self._process)
            self._process = None
        if self._place is not None and self._place.socket_directory != self._place.run:
            with contextlib.suppress(OSError):
                self._place.socket_directory.rmdir()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def address(self) -> PostgresAddress:
        """How to reach the server. Only after `start`."""
        place = self._chosen
        return PostgresAddress(place.socket_directory, PORT, SUPERUSER, place.password_file)

    @property
    def pid(self) -> int | None:
        """The postmaster's process id, for a person and for tests; None while there is none."""
        return self._process.pid if self._process and self._process.returncode is None else None

    @property
    def _chosen(self) -> Place:
        if self._place is None:
            raise RuntimeError("the server was not started")
        return self._place

    def _prepare(self) -> None:
        home = open_home(self._home)
        self._lock = lock_home(home)
        place = self._place = settle(home, self._root_fallback)
        if place.base != home:
            self._tell(f"PostgreSQL's user {place.account.name} may not enter {home}; its data is in {place.base}.")
        found = locate(os.environ.get("OFFHOOK_PG_BIN"), place.data_major)
        self._binaries = found if place.account.is_us else reachable_by(place.account, found, place.base)
        if place.data_major is not None and not place.password_file.exists():
            raise EmbeddedPostgresError(
                f"{place.password_file} is missing, so nobody can get into the database in {place.data}. Put the file "
                "back; or, if the data may go, remove that directory."
            )

    def _program(self, name: str) -> str:
        assert self._binaries is not None
        return self._binaries.program(name)

    async def _make_data(self) -> None:
        self._tell("Making a new database (first start only).")
        place = self._chosen
        free = shutil.disk_usage(place.base).free
        if free < _FREE_BYTES:
            raise EmbeddedPostgresError(
                f"{place.base} has {free // 1_000_000} MB free; a new database needs {_FREE_BYTES // 1_000_000}. "
                "Make room, or set OFFHOOK_HOME to a directory on another disk."
            )
        password = place.password_file.read_text() if place.password_file.exists() else secrets.token_urlsafe(32)
        write_private(place.password_file, password)
        unfinished, told = place.base / "pg.init", place.base / "initdb.password"
        shutil.rmtree(unfinished, ignore_errors=True)
        make_directory(unfinished, place.account)
        write_private(told, password)
        try:
            if not place.account.is_us:
                os.chown(told, place.account.uid, place.account.gid)
            await self._initdb(unfinished, told)
        finally:
            told.unlink()
        unfinished.rename(place.data)

    async def _initdb(self, directory: Path, password_file: Path) -> None:
        command = [
            self._program("initdb"),
            f"--pgdata={directory}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
        ]
        if self._binaries is not None and self._binaries.major == 16:  # the builtin provider came with 17
            command = [part for part in command if not part.startswith(("--locale-provider", "--builtin-locale"))]
        if self._settings.get("fsync") == "off":
            command.append("--no-sync")
        place, start = self._chosen, _log_size(self._chosen)
        process = await spawn(command, place.account, place.base, open_log(place))
        self._process = process
        code = await process.wait()
        self._process = None
        if code != 0:
            shutil.rmtree(directory, ignore_errors=True)
            raise EmbeddedPostgresError(
                f"PostgreSQL's initdb could not make a database in {directory} (exit status {code}):\n"
                f"{_log_since(place, start)}\nPut right what it names and start again, or set DATABASE_URL."
            )

    async def _launch(self) -> None:
        """Start the server and wait until it answers; with what a predecessor left behind out of the way."""
        place, give_up = self._chosen, time.monotonic() + _STILL_HELD_SECONDS
        while True:
            predecessor = find_predecessor(place.data)
            if predecessor.is_server:
                await self._outlive(predecessor)
                continue
            for leftover in place.socket_directory.glob(".s.PGSQL.*"):
                leftover.unlink()
            start = _log_size(place)
            self._process = await spawn(self._command(), place.account, place.base, open_log(place), predecessor)
            if await self._ready(self._process):
                return
            said = _log_since(place, start)
            if not any(words in said for words in _STILL_HELD) or time.monotonic() > give_up:
                raise EmbeddedPostgresError(
                    f"PostgreSQL did not start (exit status {self._process.returncode}):\n{said}\n"
                    f"Put right what it names and start again. Its whole log is {place.log}."
                )
            await asyncio.sleep(_POLL_SECONDS)

    def _command(self) -> list[str]:
        place = self._chosen
        settings = {**self._settings, "unix_socket_directories": str(place.socket_directory)}
        pairs = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [self._program("postgres"), "-D", str(place.data), *pairs]

    async def _ready(self, process: asyncio.subprocess.Process) -> bool:
        """Wait until the server answers (True) or is gone (False). There is no limit: recovery takes what it takes."""
        tell_at = time.monotonic() + _PROGRESS_SECONDS
        while process.returncode is None:
            if await _answers(self.address):
                return True
            if time.monotonic() > tell_at:
                self._tell("PostgreSQL is still starting; after a crash it first replays its log.")
                tell_at += _PROGRESS_SECONDS
            await asyncio.sleep(_POLL_SECONDS)
        return False

    async def _outlive(self, predecessor: Predecessor) -> None:
        """Wait for the server of an owner that was killed; it is told to stop, since its owner may not have."""
        self._tell("Waiting for the previous PostgreSQL of this directory to stop.")
        for sign, seconds in ((signal.SIGINT, _FAST_STOP_SECONDS), (signal.SIGQUIT, _HARD_STOP_SECONDS)):
            predecessor.send(sign)
            give_up = time.monotonic() + seconds
            while time.monotonic() < give_up:
                if not find_predecessor(self._chosen.data).is_server:
                    return
                await asyncio.sleep(_POLL_SECONDS)
        raise EmbeddedPostgresError(
            f"The previous PostgreSQL of {self._chosen.data} (pid {predecessor.pid}) does not stop. "
            "End that process and start again."
        )

    async def _supervise(self) -> None:
        while self._process is not None:
            code = await self._process.wait()
            self._tell(f"PostgreSQL stopped by itself (exit status {code}); starting it again.")
            await self._relaunch()
            self.restarts += 1
            self._tell("PostgreSQL is back.")

    async def _relaunch(self) -> None:
        delay = _POLL_SECONDS
        while True:
            try:
                return await self._launch()
            except EmbeddedPostgresError as error:
                self._tell(error.detail)
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_RESTART_DELAY_SECONDS)


async def _answers(address: PostgresAddress) -> bool:
    """Whether a server accepts our superuser at this address. Never by process ids: those are reused."""
    try:
        connection = await asyncpg.connect(
            host=str(address.socket_directory),
            port=address.port,
            user=address.user,
            password=address.password_file.read_text(),
            database="postgres",
            timeout=10,
        )
    except (asyncpg.CannotConnectNowError, asyncpg.InterfaceError, OSError, TimeoutError):
        return False
    except asyncpg.InvalidPasswordError as error:
        raise EmbeddedPostgresError(
            f"The database refuses the password in {address.password_file}. Put the file back that was made with the "
            "data; or, if the data may go, stop Offhook and remove the directory."
        ) from error
    except asyncpg.PostgresError as error:
        if isinstance(error, asyncpg.PostgresConnectionError):
            return False
        return True  # it answers, if only to say that it has no connection left
    await connection.close()
    return True


async def _end(process: asyncio.subprocess.Process) -> None:
    """Fast shutdown, then immediate shutdown (which the next start recovers from), then the end."""
    for sign, seconds in (
        (signal.SIGINT, _FAST_STOP_SECONDS),
        (signal.SIGQUIT, _HARD_STOP_SECONDS),
        (signal.SIGKILL, _HARD_STOP_SECONDS),
    ):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(sign)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), seconds)


def _log_size(place: Place) -> int:
    return place.log.stat().st_size if place.log.exists() else 0


def _log_since(place: Place, start: int) -> str:
    with place.log.open("rb") as log:
        log.seek(start)
        return "\n".join(log.read().decode(errors="replace").strip().splitlines()[-_LOG_LINES:])
