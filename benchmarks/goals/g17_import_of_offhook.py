"""G17: what `import offhook` adds for a worker that has LiveKit Agents anyway."""

from __future__ import annotations

from statistics import median

from benchmarks.context import Context
from benchmarks.goal import Better, Breakdown, Figure, Goal, Measurement, Target
from benchmarks.interpreters import import_costs

TIME = Target("import time", "ms", Better.LOWER, 1.05)
MEMORY = Target("import memory", "MiB", Better.LOWER, 1.05)


async def measure(context: Context) -> Measurement:
    if not context.smoke:
        import_costs(["livekit.agents"], ["offhook"], ["offhook:call"])  # once, for the .pyc files
    # Both in one interpreter: the difference is a thousandth of what two interpreters differ by.
    rounds = [
        import_costs(["livekit.agents"], ["offhook"], ["offhook:call"]) for _ in range(context.sized(full=7, smoke=1))
    ]
    times = [(agents.milliseconds + own.milliseconds, agents.milliseconds) for agents, own, _ in rounds]
    memory = [(agents.mebibytes + own.mebibytes, agents.mebibytes) for agents, own, _ in rounds]
    added = median(own.milliseconds for _, own, _ in rounds)
    runtime = median(call.milliseconds for _, _, call in rounds)
    return Measurement(
        [Figure(TIME, times), Figure(MEMORY, memory)],
        [
            Breakdown(
                "import time",
                "ms",
                [
                    ("livekit.agents", median(reference for _, reference in times)),
                    ("offhook", added),
                    ("offhook.call when first used (not in the ratio)", runtime),
                ],
            )
        ],
    )


GOAL = Goal(
    number="G17",
    statement="`import offhook` on top of `import livekit.agents`",
    reference="`import livekit.agents` in a fresh interpreter, .pyc files warm",
    measure=measure,
)
