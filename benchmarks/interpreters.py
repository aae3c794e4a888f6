"""What imports cost, in fresh interpreters: time, and memory above bare Python with asyncio."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

# Resident growth: on a machine where nobody else runs these modules, it is all private to the process.
_SCRIPT = """
import asyncio, gc, importlib, json, resource, sys, time

def resident():
    try:
        with open("/proc/self/smaps_rollup") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Rss:")) / 1024
    except OSError:
        scale = 2**20 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale

importlib.invalidate_caches()
told = []
for modules in json.loads(sys.argv[1]):
    before, began = resident(), time.perf_counter()
    for module in modules:
        module, _, attribute = module.partition(":")
        imported = importlib.import_module(module)
        if attribute:
            getattr(imported, attribute)
    told.append([(time.perf_counter() - began) * 1000, resident() - before])
print(json.dumps(told))
"""


@dataclass(frozen=True, slots=True)
class ImportCost:
    milliseconds: float
    mebibytes: float


def import_costs(*steps: Sequence[str]) -> list[ImportCost]:
    """Import each step's modules (`module`, or `module:attribute` to look one up in it too), one step after the other,
    in one fresh interpreter; what each step added."""
    command = [sys.executable, "-c", _SCRIPT, json.dumps(steps)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [ImportCost(*pair) for pair in json.loads(printed.splitlines()[-1])]
