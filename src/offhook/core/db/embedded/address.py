"""How to reach the embedded server, and whether it is there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg

from offhook.core.db.embedded.binaries import EmbeddedPostgresError
from offhook.core.db.embedded.place import PORT
from offhook.core.db.embedded.record import Record

SUPERUSER = "postgres"

_driver: Any = asyncpg  # it ships no types


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
    """The server of `home` if one answers there now, whoever runs it; None if nothing does.

    Raises EmbeddedPostgresError when the home is another user's, or its data is missing or another home's.
    """
    address = _recorded(home)
    return address if address and await answers(address) else None


def address_at(socket_directory: Path, password_file: Path) -> PostgresAddress:
    """The superuser's way in to a server of ours."""
    return PostgresAddress(socket_directory, PORT, SUPERUSER, password_file)


async def answers(address: PostgresAddress) -> bool:
    """Whether a server lets our superuser in. Never judged by process ids: those are reused.

    Raises EmbeddedPostgresError when it refuses the password.
    """
    try:
        connection = await _driver.connect(
            host=str(address.socket_directory),
            port=address.port,
            user=address.user,
            password=address.password_file.read_text(),
            database="postgres",
            timeout=10,
        )
        await connection.close()
    except asyncpg.InvalidPasswordError as error:
        raise EmbeddedPostgresError(
            f"The database refuses the password in {address.password_file}. Put the file back that was made with the "
            "data; or, if the data may go, set OFFHOOK_HOME to a new directory."
        ) from error
    except (asyncpg.OperatorInterventionError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
        return False  # starting, recovering or stopping
    except (OSError, TimeoutError, asyncpg.InternalClientError):
        return False  # not there, or gone while we talked
    except asyncpg.PostgresError:
        return True  # it answers, if only to say that it has no connection left
    return True


def _recorded(home: Path) -> PostgresAddress | None:
    home = Path(os.path.realpath(home.expanduser()))
    record = Record.read(home)
    return address_at(record.socket_directory_of(home), home / "password") if record else None
