"""Child processes: started, watched, restarted when they die, stopped together.

A child is one of our own commands or a program. On Linux it dies with its supervisor, also when that is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

PARENT_VARIABLE = "OFFHOOK_SUPERVISOR_PID"
STOP_SECONDS = 2.5
"""What a child gets to stop before it is killed; `offhook up` promises to be gone within 5 seconds."""

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_STABLE_SECONDS = 10.0
"""A child that lived this long starts again without a pause."""
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_supervisor(number: int = signal.SIGTERM) -> None:
    """In a child: be sent the signal when the supervisor is gone, however it went. Does nothing for a command that a
    person started."""
    parent = os.environ.get(PARENT_VARIABLE)
    if parent is None or os.getppid() != int(parent):
        if parent is not None and os.getppid() == 1:
            sys.exit("the process that started this one is gone")
        return
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != int(parent):
            sys.exit("the process that started this one is gone")


def own_command(*words: str) -> list[str]:
    """One of our own commands, in this interpreter."""
    return [sys.executable, "-m", "offhook", *words]


def foreign_command(*words: str) -> list[str]:
    """Somebody else's program, which is killed when the supervisor is gone."""
    return [sys.executable, "-m", "offhook.apps.foreign", *words]


@dataclass(slots=True)
class Child:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log_file: Path
    is_ready: Callable[[], Awaitable[bool]]
    stop_signal: signal.Signals = signal.SIGTERM
    stops_last: bool = False
    """Whether the others still need it while they stop."""
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0
    started_at: float = 0.0

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process is not None and self.process.returncode is None else None


class ChildDidNotStart(Exception):
    """A child ended or did not answer in time. `log_tail`: the last lines it wrote."""

    def __init__(self, name: str, log_tail: str) -> None:
        super().__init__(f"{name} did not start")
        self.name = name
        self.log_tail = log_tail


@dataclass(slots=True)
class Supervisor:
    """`on_event` is told, in a sentence, when a child died and was started again; `on_change` after each (re)start."""

    on_event: Callable[[str], None] = lambda sentence: None
    on_change: Callable[[], None] = lambda: None
    children: list[Child] = field(default_factory=list[Child])
    _watchers: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])
    _stopping: bool = False

    async def start(self, child: Child, *, timeout_seconds: float = 60.0) -> None:
        """Start a child and wait until it is ready. Raises ChildDidNotStart."""
        self.children.append(child)
        await self._spawn(child)
        deadline = monotonic() + timeout_seconds
        while not await child.is_ready():
            assert child.process is not None
            if child.process.returncode is not None or monotonic() > deadline:
                await self._end(child)
                self.children.remove(child)
                raise ChildDidNotStart(child.name, log_tail(child.log_file))
            await asyncio.sleep(0.05)
        self._watchers.append(asyncio.create_task(self._watch(child), name=f"watch {child.name}"))

    async def stop(self) -> None:
        """Ask all to stop, those that the others need last; kill what has not after STOP_SECONDS."""
        self._stopping = True
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        for last in (False, True):
            await asyncio.gather(*(self._end(child) for child in self.children if child.stops_last is last))

    async def _spawn(self, child: Child) -> None:
        with open(child.log_file, "ab") as log:  # noqa: ASYNC230 - a local file, opened once per start
            child.process = await asyncio.create_subprocess_exec(
                *child.command,
                env={**child.environment, PARENT_VARIABLE: str(os.getpid())},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal is the supervisor's to hear
            )
        child.started_at = monotonic()
        self.on_change()

    async def _watch(self, child: Child) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while not self._stopping:
            assert child.process is not None
            code = await child.process.wait()
            if self._stopping:
                return
            _kill_group(child.process.pid, signal.SIGKILL)  # what it may have left behind
            if monotonic() - child.started_at > _STABLE_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            self.on_event(f"{child.name} ended ({_how(code)}); starting it again")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            child.restarts += 1
            await self._spawn(child)

    async def _end(self, child: Child) -> None:
        process = child.process
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(child.stop_signal)
            try:
                await asyncio.wait_for(process.wait(), STOP_SECONDS)
            except TimeoutError:
                _kill_group(process.pid, signal.SIGKILL)
                await process.wait()
        _kill_group(process.pid, signal.SIGKILL)


def _kill_group(pid: int, signal_number: int) -> None:
    """The child leads a session of its own, so its children share its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal_number)


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def log_tail(path: Path, lines: int = 15) -> str:
    """The last lines of a log file; "" where there is none."""
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
