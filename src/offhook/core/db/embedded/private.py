"""Directories that nobody else may enter."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from offhook.core.db.embedded.account import Account
from offhook.core.db.embedded.binaries import EmbeddedPostgresError


def make_directory(path: Path, account: Account) -> None:
    """Create `path`, 0700 and owned by the server's user; one that is there is only accepted if it is just that."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    if path.lstat().st_uid == os.geteuid() and not account.is_us:  # also when we were killed right here before
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
    if not is_private(path, account):
        raise EmbeddedPostgresError(
            f"{path} is not a directory that only {account.name} may enter. Move it away and start again."
        )


def is_private(directory: Path, account: Account) -> bool:
    """Whether it is a real directory, no link, of this account alone."""
    try:
        status = directory.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == account.uid and not status.st_mode & 0o077
