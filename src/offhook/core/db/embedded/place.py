"""What the embedded server keeps on disk, and whose it is.

    home/                  ours alone; `owner.lock` (held for life by whoever runs the server), `password` (0600),
                           `server.json` (where the rest is)
    base/                  = home, unless the server's user may not enter it; then `home` in it names the home
      pg/                  PostgreSQL's data (`pg.init.…` while it is being made)
      run/                 0700, the socket; a private directory elsewhere if this path is too long for a socket
      postgres.log

Nothing outside these is created with other than ordinary permissions, and nothing outside is ever changed.
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from offhook.core.db.embedded.account import Account, find_account, may_enter
from offhook.core.db.embedded.binaries import EmbeddedPostgresError
from offhook.core.db.embedded.private import is_private, make_directory
from offhook.core.db.embedded.record import Record, major_of, write_home_of

if sys.platform != "win32":
    import fcntl

ROOT_FALLBACK = Path("/var/lib/offhook-postgres")
"""Where data goes when root's home for it is closed to the server's user (`/root` is 0700)."""

PORT = 5432  # only a part of the socket's name: nothing listens on TCP
_SOCKET_PATH_BYTES = 103  # macOS: sockaddr_un.sun_path is 104 bytes with its end; Linux has 108


@dataclass(frozen=True, slots=True)
class Place:
    """One embedded server on disk."""

    home: Path
    base: Path
    socket_directory: Path
    account: Account

    @property
    def data(self) -> Path:
        return self.base / "pg"

    @property
    def run(self) -> Path:
        return self.base / "run"

    @property
    def log(self) -> Path:
        return self.base / "postgres.log"

    @property
    def password_file(self) -> Path:
        return self.home / "password"

    @property
    def data_major(self) -> int | None:
        """The major version that made the data, or None when there is none yet."""
        return major_of(self.data)


def open_home(home: Path) -> Path:
    """Create the home or check that it is ours; its real path."""
    home = Path(os.path.realpath(home.expanduser()))
    try:
        home.mkdir(mode=0o700, parents=True)
        (home / "owner.lock").touch(mode=0o600)
    except FileExistsError:
        _check_home_is_ours(home)
    except OSError as error:
        raise EmbeddedPostgresError(
            f"{home} cannot be made: {error.strerror}. Set OFFHOOK_HOME to a directory that you may write to, "
            "or DATABASE_URL to a PostgreSQL of your own."
        ) from error
    return home


def lock_directory(directory: Path) -> int:
    """Take the lock that lasts as long as this process; its descriptor. The kernel lets go of it even on kill -9."""
    descriptor = os.open(directory / "owner.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
        os.close(descriptor)
        raise EmbeddedPostgresError(
            f"The database in {directory} is already run by another process{f' (pid {owner})' if owner else ''}, "
            "probably another `offhook up`. Use that one, stop it first, or set OFFHOOK_HOME to another directory."
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)  # told in the message above, and used for nothing else
    return descriptor


def settle(home: Path, fallback: Path = ROOT_FALLBACK) -> Place:
    """Decide where everything is and make it, with the home locked. The record is written before any data is made."""
    record = Record.read(home) or Record()
    base = record.base_of(home)
    account = find_account(_owner(base / "pg"))
    if account is None:
        raise EmbeddedPostgresError(_nobody_to_run_it())
    if not account.is_us and not may_enter(account, base.parent):
        if base != home or major_of(base / "pg"):
            raise EmbeddedPostgresError(
                f"PostgreSQL does not run as root, and the user {account.name} may not enter {base.parent}, where the "
                f"data is. Open that directory to it (chmod o+x), or run Offhook as an ordinary user."
            )
        base = _base_elsewhere(home, account, fallback)
    _open_base(base, account)
    place = Place(home, base, _socket_directory(base, account, record.socket_directory), account)
    record_place(place)
    return place


def record_place(place: Place) -> None:
    """Write down where everything is, and whether there is data by now."""
    Record(
        place.base if place.base != place.home else None,
        place.socket_directory if place.socket_directory != place.run else None,
        has_data=place.data_major is not None,
    ).write(place.home)


def _check_home_is_ours(home: Path) -> None:
    if not home.is_dir():
        raise EmbeddedPostgresError(f"{home} is not a directory. Move it away, or set OFFHOOK_HOME to another place.")
    owner = home.stat().st_uid
    if owner != os.geteuid():
        raise EmbeddedPostgresError(
            f"{home} belongs to user {owner} and we are user {os.geteuid()}. Run Offhook as that user, "
            "or set OFFHOOK_HOME to a directory of your own."
        )
    lock = home / "owner.lock"
    if not lock.exists():
        if any(home.iterdir()):
            raise EmbeddedPostgresError(
                f"{home} holds files that are not Offhook's. Set OFFHOOK_HOME to another directory, or move them away."
            )
        lock.touch(mode=0o600)


def _nobody_to_run_it() -> str:
    if os.geteuid() == 0:
        return (
            "PostgreSQL does not run as root, and this machine has none of the users offhook, postgres, nobody. "
            "Add one (`useradd --system offhook`), or set DATABASE_URL to a PostgreSQL of your own."
        )
    return (
        f"User id {os.geteuid()} has no entry in the list of users, which PostgreSQL's initdb needs. Run as a user "
        "that has one (or as root), or set DATABASE_URL to a PostgreSQL of your own."
    )


def _base_elsewhere(home: Path, account: Account, fallback: Path) -> Path:
    base = fallback / secrets.token_hex(8)
    why = (
        f"PostgreSQL does not run as root, the user {account.name} may not enter {home.parent}, and data cannot be "
        f"kept in {fallback} instead"
    )
    remedy = "Run Offhook as an ordinary user, or set OFFHOOK_HOME to a place that every user may enter."
    try:
        fallback.mkdir(mode=0o755, parents=True, exist_ok=True)
        if fallback.stat().st_uid != 0 or not may_enter(account, fallback):
            raise EmbeddedPostgresError(f"{why}: it is closed, or not root's. {remedy}")
        base = Path(os.path.realpath(base))  # the server's working directory will be told without links
        base.mkdir(mode=0o700)
        write_home_of(base, home)
    except OSError as error:
        raise EmbeddedPostgresError(f"{why}: {error.strerror}. {remedy}") from error
    return base


def _open_base(base: Path, account: Account) -> None:
    """Ours stays ours; the server's group may pass through it, nobody may list it."""
    if not account.is_us:
        os.chown(base, -1, account.gid)
    base.chmod(0o700 if account.is_us else 0o710)
    make_directory(base / "run", account)


def _socket_directory(base: Path, account: Account, recorded: Path | None) -> Path:
    if _holds_a_socket(base / "run"):
        return base / "run"
    if recorded and is_private(recorded, account):
        return recorded
    for parent in (os.environ.get("XDG_RUNTIME_DIR") or "", tempfile.gettempdir(), "/tmp"):  # noqa: S108 (mkdtemp makes a 0700 one of its own there)
        if parent and Path(parent).is_dir() and _holds_a_socket(Path(parent, "offhook-xxxxxxxx")):
            if not may_enter(account, Path(parent)):
                continue
            made = Path(tempfile.mkdtemp(prefix="offhook-", dir=parent))  # 0700, and never one that was there
            if not account.is_us:
                os.chown(made, account.uid, account.gid)
            return made
    raise EmbeddedPostgresError(
        f"The path {base / 'run'} is too long for a socket, and no temporary directory will do. "
        "Set OFFHOOK_HOME to a shorter path."
    )


def _holds_a_socket(directory: Path) -> bool:
    """Short enough for a socket's address, and free of what connection strings or PostgreSQL's list would split."""
    text = str(directory)
    plain = all(letter.isalnum() or letter in "/._-+@ " for letter in text)
    return plain and len(os.fsencode(text)) + len(f"/.s.PGSQL.{PORT}") <= _SOCKET_PATH_BYTES


def _owner(path: Path) -> int | None:
    try:
        return path.stat().st_uid
    except FileNotFoundError:
        return None
