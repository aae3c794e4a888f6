"""What the embedded server keeps on disk, and whose it is.

    home/                  ours alone; `owner.lock` (held for life by whoever runs the server), `password` (0600),
                           `server.json` (where the rest is)
    base/                  = home, unless the server's user may not enter it
      pg/                  PostgreSQL's data (`pg.init` while it is being made)
      run/                 0700, the socket; a private directory elsewhere if this path is too long for a socket
      postgres.log

Nothing outside these is created with other than ordinary permissions, and nothing outside is ever changed.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from offhook.core.db.pg_account import Account, find_account, may_enter
from offhook.core.db.pg_binaries import EmbeddedPostgresError

if sys.platform != "win32":
    import fcntl

ROOT_FALLBACK = Path("/var/lib/offhook-postgres")
"""Where data goes when root's home for it is closed to the server's user (`/root` is 0700)."""

PORT = 5432  # only a part of the socket's name: nothing listens on TCP
_SOCKET_PATH_BYTES = 103  # macOS: sockaddr_un.sun_path is 104 bytes with its end; Linux has 108
_LOG_BYTES = 10_000_000
_LOG_LINES = 12


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
        return _major_of(self.data)


@dataclass(frozen=True, slots=True)
class Record:
    """`server.json`: how any process of the same user finds the server of a home."""

    base: Path
    socket_directory: Path

    @staticmethod
    def read(home: Path) -> Record | None:
        try:
            stored = json.loads((home / "server.json").read_text())
            return Record(Path(stored["base"]), Path(stored["socket_directory"]))
        except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
            return None
        except PermissionError as error:
            raise EmbeddedPostgresError(
                f"The database in {home} belongs to another user. Run this command as the user of `offhook up`."
            ) from error

    def write(self, home: Path) -> None:
        text = json.dumps({"base": str(self.base), "socket_directory": str(self.socket_directory)})
        write_private(home / "server.json", text)


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


def lock_home(home: Path) -> int:
    """Take the lock that lasts as long as this process; its descriptor. The kernel lets go of it even on kill -9."""
    descriptor = os.open(home / "owner.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
        os.close(descriptor)
        raise EmbeddedPostgresError(
            f"The database in {home} is already run by another process{f' (pid {owner})' if owner else ''}, "
            "probably another `offhook up`. Use that one, stop it first, or set OFFHOOK_HOME to another directory."
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)  # told in the message above, and used for nothing else
    return descriptor


def settle(home: Path, fallback: Path = ROOT_FALLBACK) -> Place:
    """Decide where everything is and make it, with the home locked. Writes the record before anything else needs it."""
    record = Record.read(home)
    base = record.base if record and _major_of(record.base / "pg") else home
    account = find_account(_owner(base / "pg"))
    if account is None:
        raise EmbeddedPostgresError(_nobody_to_run_it())
    if not account.is_us and base == home and not may_enter(account, home.parent):
        if _major_of(home / "pg"):
            raise EmbeddedPostgresError(
                f"PostgreSQL does not run as root, and the user {account.name} may not enter {home.parent}. "
                "Run Offhook as an ordinary user, or set OFFHOOK_HOME to a place that every user may enter."
            )
        base = _base_elsewhere(home, account, fallback)
    _open_base(base, account)
    place = Place(home, base, _socket_directory(base, account, record), account)
    Record(base, place.socket_directory).write(home)
    return place


def write_private(path: Path, text: str) -> None:
    """Write a whole file or nothing, readable by its owner only."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).replace(path)


def open_log(place: Place) -> int:
    """A descriptor that appends to the server's log; past 10 MB the old log becomes `postgres.log.1`."""
    with contextlib.suppress(FileNotFoundError):
        if place.log.stat().st_size > _LOG_BYTES:
            place.log.replace(place.log.with_name("postgres.log.1"))
    return os.open(place.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def log_size(place: Place) -> int:
    return place.log.stat().st_size if place.log.exists() else 0


def log_since(place: Place, start: int) -> str:
    with place.log.open("rb") as log:
        log.seek(start)
        return "\n".join(log.read().decode(errors="replace").strip().splitlines()[-_LOG_LINES:])


def make_directory(path: Path, account: Account) -> None:
    """Create `path`, 0700 and owned by the server's user; one that is there is only accepted if it is just that."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
        if not account.is_us:
            os.chown(path, account.uid, account.gid)
    if not _is_private(path, account):
        raise EmbeddedPostgresError(
            f"{path} is not a directory that only {account.name} may enter. Move it away and start again."
        )


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
        base.mkdir(mode=0o700)
        (base / "home").write_text(f"{home}\n")  # for the person who finds this directory
    except OSError as error:
        raise EmbeddedPostgresError(f"{why}: {error.strerror}. {remedy}") from error
    return base


def _open_base(base: Path, account: Account) -> None:
    """Ours stays ours; the server's group may pass through it, nobody may list it."""
    if not account.is_us:
        os.chown(base, -1, account.gid)
    base.chmod(0o700 if account.is_us else 0o710)
    make_directory(base / "run", account)


def _socket_directory(base: Path, account: Account, record: Record | None) -> Path:
    if _holds_a_socket(base / "run"):
        return base / "run"
    if record and record.socket_directory != base / "run" and _is_private(record.socket_directory, account):
        return record.socket_directory
    for parent in (os.environ.get("XDG_RUNTIME_DIR") or "", tempfile.gettempdir(), "/tmp"):  # noqa: S108
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


def _is_private(directory: Path, account: Account) -> bool:
    try:
        status = directory.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == account.uid and not status.st_mode & 0o077


def _owner(path: Path) -> int | None:
    try:
        return path.stat().st_uid
    except FileNotFoundError:
        return None


def _major_of(data: Path) -> int | None:
    try:
        return int((data / "PG_VERSION").read_text())
    except FileNotFoundError:
        return None
