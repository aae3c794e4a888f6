"""`server.json`: how any process of the same user finds the data and the server of a home.

Data outside of the home is tied to it from both sides: the record names its directory, and the file `home` in that
directory names the home. So a copy of a home cannot run on the data of its original.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from offhook.core.db.embedded.binaries import EmbeddedPostgresError
from offhook.core.private_files import write_private

_GUIDE = "docs/how-to/back-up.md"


@dataclass(frozen=True, slots=True)
class Record:
    """None stands for the usual place, below the home."""

    base: Path | None = None
    socket_directory: Path | None = None
    has_data: bool = False
    """Whether data was ever made. From then on its absence is a loss, never a first start."""

    @staticmethod
    def read(home: Path) -> Record | None:
        """None when there is none yet. Raises EmbeddedPostgresError when the home is another user's."""
        try:
            stored = json.loads((home / "server.json").read_text())
            base, socket_directory = stored["base"], stored["socket_directory"]
            if stored.get("home") != str(home):
                socket_directory = None  # the home was copied or moved: that socket is the original's
            return Record(
                Path(base) if base else None,
                Path(socket_directory) if socket_directory else None,
                bool(stored.get("has_data")),
            )
        except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, AttributeError):
            return None
        except PermissionError as error:
            raise EmbeddedPostgresError(
                f"The database in {home} belongs to another user. Run this command as the user of `offhook up`."
            ) from error

    def write(self, home: Path) -> None:
        base, socket_directory = self.base, self.socket_directory
        stored = {
            "home": str(home),
            "base": str(base) if base else None,
            "socket_directory": str(socket_directory) if socket_directory else None,
            "has_data": self.has_data,
        }
        write_private(home / "server.json", json.dumps(stored))

    def base_of(self, home: Path) -> Path:
        """The directory that holds this home's data, or will. Data inside the home goes before what is recorded.

        Raises EmbeddedPostgresError when data that was made is missing, or belongs to another home.
        """
        if major_of(home / "pg") is not None:
            return home
        base = self.base or home
        if not base.is_dir() or (self.has_data and major_of(base / "pg") is None):
            raise EmbeddedPostgresError(
                f"The database of {home} is missing: {home / 'server.json'} says that it is in {base / 'pg'}. Put that "
                f"directory back from your backup, with its owner, there or as {home / 'pg'} ({_GUIDE}). "
                "To begin with an empty database, set OFFHOOK_HOME to a new directory."
            )
        if base != home and home_of(base) != home:
            raise EmbeddedPostgresError(
                f"{home} was copied or moved: its database is in {base} and belongs to {home_of(base) or 'no home'}. "
                f"For a copy, restore a backup of {base / 'pg'} as {home / 'pg'}, with its owner ({_GUIDE}). "
                f"If it was moved and the old one is gone, write {home} into the file {base / 'home'}."
            )
        return base

    def socket_directory_of(self, home: Path) -> Path:
        """Raises as `base_of` does."""
        base = self.base_of(home)
        return self.socket_directory or base / "run"


def data_elsewhere(home: Path) -> Path | None:
    """The directory outside of `home` that holds its data; None when the data is inside, or there is none yet."""
    home = Path(os.path.realpath(home.expanduser()))
    record = Record.read(home)
    base = record.base_of(home) if record else home
    return base if base != home else None


def write_home_of(base: Path, home: Path) -> None:
    """Note in a directory outside of the home whose it is."""
    (base / "home").write_text(f"{home}\n")


def home_of(base: Path) -> Path | None:
    """Whose data a directory outside of every home holds."""
    try:
        return Path((base / "home").read_text().strip())
    except FileNotFoundError:
        return None


def major_of(data: Path) -> int | None:
    """The version of PostgreSQL that made the data, or None when there is none."""
    try:
        return int((data / "PG_VERSION").read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
