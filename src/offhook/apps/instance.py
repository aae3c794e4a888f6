"""What runs where: one file in the home, written by `offhook up`, read by the other commands.

It holds the demonstration's API key, so it is readable by its owner only.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from offhook.core.errors import ConfigurationError
from offhook.core.private_files import write_private


@dataclass(frozen=True, slots=True)
class Demo:
    """The demonstration's organization: a made-up bicycle workshop."""

    organization_id: str
    organization_name: str
    agent_id: str
    agent_name: str
    number: str
    caller: str
    api_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LiveKitAddress:
    url: str
    api_key: str
    api_secret: str = field(repr=False)
    ours: bool
    """Whether `offhook up` runs the server."""


@dataclass(frozen=True, slots=True)
class Instance:
    pid: int
    home: str
    started_at: str
    api_url: str
    relay_url: str
    emulator_url: str
    database: str
    """`embedded`, or `DATABASE_URL`."""
    model: str
    """Which model the agents use: `rehearsal`, or the real one's name."""
    demo: Demo
    agent_sms_secret: str = field(repr=False)
    livekit: LiveKitAddress | None = None
    processes: dict[str, int | None] = field(default_factory=dict[str, int | None])
    """Name → process id; None while it is being started again."""

    @property
    def docs_url(self) -> str:
        return f"{self.api_url}/docs"


def instance_file(home: Path) -> Path:
    return home / "run" / "instance.json"


def write_instance(home: Path, instance: Instance) -> None:
    path = instance_file(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, json.dumps(asdict(instance), indent=2))


def find_instance(home: Path) -> Instance | None:
    """What `offhook up` wrote for this home, if its process is there. Raises ConfigurationError for a file that makes
    no sense."""
    try:
        stored: dict[str, Any] = json.loads(instance_file(home).read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{instance_file(home)} cannot be read ({error}): remove it and run `offhook up`"
        ) from error
    try:
        livekit, demo = stored.pop("livekit"), stored.pop("demo")
        found = Instance(**stored, demo=Demo(**demo), livekit=LiveKitAddress(**livekit) if livekit else None)
    except (TypeError, KeyError) as error:
        raise ConfigurationError(
            f"{instance_file(home)} was written by another version: stop that instance, or remove the file"
        ) from error
    # A copy of a home that was running names the original's process.
    same = os.path.realpath(found.home) == os.path.realpath(home)
    return found if same and is_alive(found.pid) else None


def get_instance(home: Path) -> Instance:
    """As `find_instance`. Raises ConfigurationError that says how to start one."""
    found = find_instance(home)
    if found is None:
        raise ConfigurationError(
            f"nothing runs for {home}: start it with `offhook up` or `make up` (OFFHOOK_HOME names another home)",
            code="not_running",
        )
    return found


def is_alive(pid: int) -> bool:
    """Whether there is a process of that id, whoever runs it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
