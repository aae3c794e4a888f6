"""Making PostgreSQL's data directory: whole, or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from offhook.core.db.embedded.address import SUPERUSER
from offhook.core.db.embedded.binaries import Binaries, EmbeddedPostgresError
from offhook.core.db.embedded.log import log_since, log_size, open_log
from offhook.core.db.embedded.place import Place
from offhook.core.db.embedded.private import make_directory
from offhook.core.db.embedded.process import end, spawn
from offhook.core.private_files import sync_directory, write_private

_FREE_BYTES = 200_000_000  # fresh data takes 39 MB (measured), and the write-ahead log needs room
_BUILTIN_LOCALE_SINCE = 17
_INITDB = (
    f"--username={SUPERUSER}",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--no-instructions",
)
_BUILTIN_LOCALE = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")


async def make_data(place: Place, binaries: Binaries, *, durable: bool) -> None:
    """Run initdb beside the final place and rename; the superuser's password goes to the place's 0600 file.

    Raises EmbeddedPostgresError with the end of what initdb said.
    """
    free = shutil.disk_usage(place.base).free
    if free < _FREE_BYTES:
        raise EmbeddedPostgresError(
            f"{place.base} has {free // 1_000_000} MB free; a new database needs {_FREE_BYTES // 1_000_000}. "
            "Make room, or set OFFHOOK_HOME to a directory on another disk."
        )
    password = place.password_file.read_text() if place.password_file.exists() else secrets.token_urlsafe(32)
    write_private(place.password_file, password)
    _clear_abandoned(place)
    # A name of its own: the initdb of an owner that was just killed may still be clearing up behind itself.
    unfinished, told = place.base / f"pg.init.{secrets.token_hex(4)}", place.base / "initdb.password"
    make_directory(unfinished, place.account)
    write_private(told, password)
    try:
        if not place.account.is_us:
            os.chown(told, place.account.uid, place.account.gid)
        await _initdb(place, binaries, unfinished, told, durable)
    finally:
        told.unlink()
    unfinished.rename(place.data)
    sync_directory(place.base)
    _clear_abandoned(place)  # once more: by now the initdb of a killed owner has ended, and left its directory empty


def _clear_abandoned(place: Place) -> None:
    for abandoned in place.base.glob("pg.init.*"):
        shutil.rmtree(abandoned, ignore_errors=True)


async def _initdb(place: Place, binaries: Binaries, directory: Path, password_file: Path, durable: bool) -> None:
    command = [binaries.program("initdb"), f"--pgdata={directory}", f"--pwfile={password_file}", *_INITDB]
    if binaries.major >= _BUILTIN_LOCALE_SINCE:
        command += _BUILTIN_LOCALE
    if not durable:
        command.append("--no-sync")
    start = log_size(place.log)
    process = await spawn(command, place.account, place.base, open_log(place.log))
    try:
        code = await process.wait()
    except BaseException:
        await end(process)
        raise
    if code != 0:
        said = log_since(place.log, start)
        shutil.rmtree(directory, ignore_errors=True)
        raise EmbeddedPostgresError(
            f"PostgreSQL's initdb could not make a database in {place.base} (exit status {code}):\n{said}\n"
            "Put right what it names and start again, or set DATABASE_URL to a PostgreSQL of your own."
        )
