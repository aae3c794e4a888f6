"""Whose connections are: which of some processes holds which local port."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def ports_of(pids: Iterable[int]) -> dict[int, int]:
    """The process by its local TCP port; empty where that cannot be read (macOS)."""
    if sys.platform != "linux":
        return {}
    ports = dict(_ports_by_socket())
    return {ports[socket]: pid for pid in pids for socket in _sockets(pid) if socket in ports}


def _ports_by_socket() -> Iterable[tuple[str, int]]:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        yield f"socket:[{columns[9]}]", int(columns[1].rpartition(":")[2], 16)


def _sockets(pid: int) -> Iterable[str]:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            yield os.readlink(descriptor)
