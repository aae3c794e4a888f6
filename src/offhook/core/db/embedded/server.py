"""The life of the server: made, started, restarted when it dies, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from offhook.core.db.embedded.address import PostgresAddress, address_at, answers
from offhook.core.db.embedded.binaries import Binaries, EmbeddedPostgresError, locate, reachable_by
from offhook.core.db.embedded.data import make_data
from offhook.core.db.embedded.log import log_since, log_size, open_log
from offhook.core.db.embedded.place import PORT, ROOT_FALLBACK, Place, lock_directory, open_home, record_place, settle
from offhook.core.db.embedded.process import (
    FAST_STOP_SECONDS,
    HARD_STOP_SECONDS,
    Predecessor,
    end,
    find_predecessor,
    spawn,
)

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # The log must not carry what people said: no failed statement, no message or DETAIL of one, which quote values.
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}
"""Always passed on the command line; a caller's `settings` go over them, except where the server listens."""

_OURS_ALONE = ("listen_addresses", "port", "unix_socket_permissions", "unix_socket_directories")
_STILL_HELD = ("pre-existing shared memory block", "is another postmaster", "is another postgres")
_STILL_HELD_SECONDS = 30.0
_POLL_SECONDS = 0.02
_PROGRESS_SECONDS = 5.0
_LONGEST_RESTART_DELAY_SECONDS = 5.0


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
        self._locks: list[int] = []
        self._process: asyncio.subprocess.Process | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._place: Place | None = None
        self._postgres = ""
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
        if self._locks:
            raise RuntimeError("this server was started already")
        try:
            binaries = await asyncio.to_thread(self._prepare)
            if self._chosen.data_major is None:
                self._tell("Making a new database (first start only).")
                await make_data(self._chosen, binaries, durable=self._settings.get("fsync") != "off")
                record_place(self._chosen)
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
            await end(self._process)
            self._process = None
        if self._place is not None and self._place.socket_directory != self._place.run:
            with contextlib.suppress(OSError):
                self._place.socket_directory.rmdir()
        while self._locks:
            os.close(self._locks.pop())

    @property
    def address(self) -> PostgresAddress:
        """How to reach the server. Only after `start`."""
        return address_at(self._chosen.socket_directory, self._chosen.password_file)

    @property
    def pid(self) -> int | None:
        """The postmaster's process id, for a person and for tests; None while there is none."""
        return self._process.pid if self._process and self._process.returncode is None else None

    @property
    def _chosen(self) -> Place:
        if self._place is None:
            raise RuntimeError("the server was not started")
        return self._place

    def _prepare(self) -> Binaries:
        home = open_home(self._home)
        self._locks.append(lock_directory(home))
        place = settle(home, self._root_fallback)
        if place.base != home:
            self._locks.append(lock_directory(place.base))  # it may have been given to another home while we run
            self._tell(f"PostgreSQL's user {place.account.name} may not enter {home}; its data is in {place.base}.")
        found = locate(os.environ.get("OFFHOOK_PG_BIN"), place.data_major)
        binaries = found if place.account.is_us else reachable_by(place.account, found, place.base)
        if place.data_major is not None and not place.password_file.exists():
            raise EmbeddedPostgresError(
                f"{place.password_file} is missing, so nobody can get into the database in {place.data}. Put the file "
                "back; or, if the data may go, set OFFHOOK_HOME to a new directory."
            )
        self._place, self._postgres = place, binaries.program("postgres")
        return binaries

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
            start = log_size(place.log)
            self._process = await spawn(self._command(), place.account, place.base, open_log(place.log), predecessor)
            if await self._ready(self._process):
                return
            said = log_since(place.log, start)
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
        return [self._postgres, "-D", str(place.data), *pairs]

    async def _ready(self, process: asyncio.subprocess.Process) -> bool:
        """Wait until the server answers (True) or is gone (False). There is no limit: recovery takes what it takes."""
        tell_at = time.monotonic() + _PROGRESS_SECONDS
        while process.returncode is None:
            if await answers(self.address):
                return True
            if time.monotonic() > tell_at:
                self._tell("PostgreSQL is still starting; after a crash it first replays its log.")
                tell_at += _PROGRESS_SECONDS
            await asyncio.sleep(_POLL_SECONDS)
        return False

    async def _outlive(self, predecessor: Predecessor) -> None:
        """Wait for the server of an owner that was killed; it is told to stop, since its owner may not have."""
        self._tell("Waiting for the previous PostgreSQL of this directory to stop.")
        for sign, seconds in ((signal.SIGINT, FAST_STOP_SECONDS), (signal.SIGQUIT, HARD_STOP_SECONDS)):
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
            except (EmbeddedPostgresError, OSError) as error:
                self._tell(str(error))
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_RESTART_DELAY_SECONDS)
