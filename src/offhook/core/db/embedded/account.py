"""The user that PostgreSQL runs as: us, or an unprivileged one when we are root (PostgreSQL refuses root)."""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

CANDIDATES = ("offhook", "postgres", "nobody")
"""Tried in this order by root. It must be an account with a name: initdb looks its user up (measured)."""


@dataclass(frozen=True, slots=True)
class Account:
    uid: int
    gid: int
    name: str

    @property
    def is_us(self) -> bool:
        return self.uid == os.geteuid()


def find_account(owner_of_data: int | None) -> Account | None:
    """Who runs the server: we, or as root the owner of the data, or the first candidate that exists.

    None when this user, or every candidate, lacks an entry in the list of users.
    """
    if os.geteuid() != 0:
        return _by_uid(os.geteuid())
    if owner_of_data:
        return _by_uid(owner_of_data) or Account(owner_of_data, owner_of_data, f"uid {owner_of_data}")
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid, name)
    return None


def may_enter(account: Account, directory: Path) -> bool:
    """Whether the account may reach what is in `directory`, by the permission bits of it and of all above it."""
    real = Path(os.path.realpath(directory))
    return all(_may_search(account, part.stat()) for part in (real, *real.parents))


def _may_search(account: Account, status: os.stat_result) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _by_uid(uid: int) -> Account | None:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return None
    return Account(uid, entry.pw_gid, entry.pw_name)
