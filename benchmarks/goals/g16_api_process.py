"""G16: starting the API process against importing LiveKit Agents, which it does without."""

from __future__ import annotations

from statistics import median

from benchmarks.context import Context
from benchmarks.goal import Better, Breakdown, Figure, Goal, Measurement, Target
from benchmarks.interpreters import import_costs

TIME = Target("import time", "ms", Better.LOWER, 0.65)
MEMORY = Target("import memory", "MiB", Better.LOWER, 0.75)

# What uvicorn loads when it starts is part of the process.
LIBRARIES = [
    *("fastapi", "pydantic", "asyncpg", "aiohttp", "jsonschema_rs", "cryptography.hazmat.primitives.ciphers.aead"),
    *("uvicorn", "uvicorn.protocols.http.httptools_impl", "uvloop"),
]
PROCESS = ["offhook.apps.api_process", *LIBRARIES]


async def measure(context: Context) -> Measurement:
    if not context.smoke:
        for modules in (PROCESS, ["livekit.agents"]):  # once, for the .pyc files
            import_costs(modules)
    times: list[tuple[float, float]] = []
    memory: list[tuple[float, float]] = []
    libraries: list[float] = []
    for _ in range(context.sized(full=7, smoke=1)):
        [ours], [agents] = import_costs(PROCESS), import_costs(["livekit.agents"])
        times.append((ours.milliseconds, agents.milliseconds))
        memory.append((ours.mebibytes, agents.mebibytes))
        libraries.append(import_costs(LIBRARIES)[0].milliseconds)
    whole, below = median(ours for ours, _ in times), median(libraries)
    return Measurement(
        [Figure(TIME, times), Figure(MEMORY, memory)],
        [
            Breakdown(
                "import time",
                "ms",
                [
                    ("FastAPI, asyncpg, aiohttp, jsonschema-rs, cryptography, uvicorn", below),
                    ("Offhook and its other libraries", whole - below),
                ],
            )
        ],
    )


GOAL = Goal(
    number="G16",
    statement="The modules of the API process, imported",
    reference=(
        "`import livekit.agents`; each in fresh interpreters, in turn, .pyc files warm; memory is what the import adds "
        "to the resident size of bare Python with asyncio"
    ),
    measure=measure,
)
