"""Processor time of other processes, as Linux tells it. None where it does not."""

from __future__ import annotations

import os
from pathlib import Path

_PROCESSES = Path("/proc")


def cpu_seconds(pid: int) -> float | None:
    """User and system time of a process."""
    fields = _fields(pid)
    return None if fields is None else _seconds(fields)


def cpu_seconds_of_children(pid: int) -> float | None:
    """Of a process, its living children, and the dead ones that it has waited for."""
    own = _fields(pid)
    if own is None:
        return None
    total = _seconds(own) + _seconds(own[2:])
    for entry in _PROCESSES.iterdir():
        fields = _fields(int(entry.name)) if entry.name.isdigit() else None
        if fields is not None and int(fields[1]) == pid:
            total += _seconds(fields)
    return total


def _fields(pid: int) -> list[str] | None:
    """proc_pid_stat(5) from its third field on: state, parent, …"""
    try:
        return (_PROCESSES / str(pid) / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return None


def _seconds(fields: list[str]) -> float:
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
