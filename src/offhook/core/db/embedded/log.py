"""The server's log: what it said last, for our messages; it carries no statement and no row."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_FULL_BYTES = 10_000_000
_LINES = 12


def open_log(log: Path) -> int:
    """A descriptor that appends to the server's log; past 10 MB the old log becomes `postgres.log.1`."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > _FULL_BYTES:
            log.replace(log.with_name("postgres.log.1"))
    return os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def log_size(log: Path) -> int:
    """Where the next line will be, for `log_since`."""
    return log.stat().st_size if log.exists() else 0


def log_since(log: Path, start: int) -> str:
    """The last lines that were added since."""
    with log.open("rb") as file:
        file.seek(min(start, log_size(log)))  # a new log may have begun
        return "\n".join(file.read().decode(errors="replace").strip().splitlines()[-_LINES:])
