"""What was measured on, in the words that a reader needs to judge the figures. No names of hosts or directories."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

from benchmarks.context import Context

_LIBRARIES = ("uvicorn", "uvloop", "asyncpg", "fastapi", "starlette", "livekit-agents", "twilio")


async def describe(context: Context, *, with_postgres: bool) -> list[str]:
    """Lines for below the table."""
    lines = [
        f"{os.cpu_count()} processors ({_processor()}), {platform.system()}, "
        f"Python {platform.python_version()}, {', '.join(f'{name} {version(name)}' for name in _LIBRARIES)}",
        _binding(context),
    ]
    if with_postgres:
        postgres = await context.postgres()
        lines.append(
            f"PostgreSQL {postgres.version}, embedded, fsync and synchronous_commit on; writing 8 KiB and waiting for "
            f"the disk takes {postgres.flush_microseconds:.0f} µs"
        )
    load = os.getloadavg()[0]
    lines.append(f"load average at the end: {load:.1f} (this run's own share is about 1.5)")
    return lines


def _binding(context: Context) -> str:
    if not context.processors.are_bound:
        return "servers, load and PostgreSQL share the processors as the system sees fit"
    return "the measured server has a processor to itself; load and PostgreSQL share the others"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
