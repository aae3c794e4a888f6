"""`python -m benchmarks.staged_api`: `offhook api`, its stages timed where BENCHMARK_STAGES says which and where to."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from benchmarks.stages import StageClocks, decode_plan
from offhook.apps.api_process import run
from offhook.core.settings import Settings


def serve() -> int:
    """Serve until told to stop; the exit code."""
    plan = os.environ.get("BENCHMARK_STAGES")
    if not plan:
        return run(Settings.from_environment())
    file, stages = decode_plan(plan)
    clocks = StageClocks(stages)
    clocks.install()
    # uvicorn sends itself the signal again once it has stopped; by default that would end the process on the spot.
    signal.signal(signal.SIGTERM, _leave)
    try:
        return run(Settings.from_environment())
    finally:
        clocks.write(file)


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(serve())
