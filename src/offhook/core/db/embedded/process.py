"""PostgreSQL's processes: starting one of ours, and recognising the one before it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from offhook.core.db.embedded.account import Account

_LAUNCHER = Path(__file__).with_name("launch.py")
FAST_STOP_SECONDS = 30.0
HARD_STOP_SECONDS = 15.0
_KEPT_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")


@dataclass(frozen=True, slots=True)
class Predecessor:
    """The process that `postmaster.pid` names: none (`pid` is None), a server of this very data, or a stranger."""

    pid: int | None = None
    is_server: bool = False

    def send(self, sign: signal.Signals) -> None:
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sign)


def find_predecessor(data: Path) -> Predecessor:
    """Who `postmaster.pid` names. A stranger is what happens when process ids start anew, as in a container."""
    try:
        pid = abs(int((data / "postmaster.pid").read_text().split("\n", 1)[0]))
    except (FileNotFoundError, ValueError):
        return Predecessor()
    return Predecessor(pid, _serves(pid, data))


async def spawn(
    command: list[str], account: Account, directory: Path, log: int, predecessor: Predecessor | None = None
) -> asyncio.subprocess.Process:
    """Start a PostgreSQL program as the account; it ends with the thread that calls this. Takes over `log`."""
    uid, gid = (-1, -1) if account.is_us else (account.uid, account.gid)
    environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    environment |= {"LC_ALL": "C", "TZ": "UTC"}
    if predecessor and predecessor.pid is not None:
        # PostgreSQL refuses to start while the pid in its pid file is alive, unless it is its own grandparent's.
        # We hold the lock and have seen that this one is not a server of ours (the way Patroni does it).
        environment["PG_GRANDPARENT_PID"] = str(predecessor.pid)
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            str(_LAUNCHER),
            *(str(os.getpid()), str(uid), str(gid), *command),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=directory,
            env=environment,
            start_new_session=True,  # Ctrl-C is for us; we stop the server when its users are gone
        )
    finally:
        os.close(log)


async def end(process: asyncio.subprocess.Process) -> None:
    """Fast shutdown, then immediate shutdown (which the next start recovers from), then the end."""
    for sign, seconds in (
        (signal.SIGINT, FAST_STOP_SECONDS),
        (signal.SIGQUIT, HARD_STOP_SECONDS),
        (signal.SIGKILL, HARD_STOP_SECONDS),
    ):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(sign)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), seconds)


def _serves(pid: int, data: Path) -> bool:
    """Whether a process is a postmaster of this data: it runs there, and its program is postgres."""
    if sys.platform == "linux":
        try:
            program = Path(f"/proc/{pid}/exe").readlink().name.removesuffix(" (deleted)")
            return program == "postgres" and Path(f"/proc/{pid}/cwd").readlink() == data
        except OSError:
            return False
    shown = subprocess.run(["ps", "-p", str(pid), "-o", "comm="], capture_output=True, text=True, check=False)
    return Path(shown.stdout.strip()).name == "postgres"
