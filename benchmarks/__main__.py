"""`python -m benchmarks [--smoke] [--write] [G8 G9 …]`: measure, print the table, say what is not met.

The exit code is 0 whether goals are met or not, and 1 when something could not be measured.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.context import open_context
from benchmarks.goal import Goal, all_goals
from benchmarks.machine import describe
from benchmarks.report import Result, render_markdown, summary

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "benchmarks.md"
_INTRODUCTION = """# Benchmarks

Written by `make bench ARGS=--write`; every figure on this page was measured in one run. A ratio is ours / reference,
the median over rounds in which the two take turns; the spread is its lowest and highest round. Ratios carry over to
other machines, absolute figures do not. Where an aim is a time, it is about ours alone ("< 5 ms") or about how far ours
is above the reference in the worst round ("adds < 100 ms"). G3 to G17 are numbered as in the list of goals; "fairness"
and "pacing" run the product's own processes and count at the carrier's end.

"""


def main(arguments: Sequence[str]) -> int:
    """Run the goals that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Offhook against its goals, as ratios.")
    parser.add_argument("goals", nargs="*", metavar="G8", help="which goals; all of them by default")
    parser.add_argument("--smoke", action="store_true", help="only whether each runs and yields a ratio; no figures")
    parser.add_argument("--write", action="store_true", help=f"write docs/{PAGE.parent.name}/{PAGE.name} too")
    given = parser.parse_args(arguments)
    known = {goal.number.upper(): goal for goal in all_goals()}
    wanted: list[str] = [number.upper() for number in given.goals] or list(known)
    unknown = [number for number in wanted if number not in known]
    if unknown:
        parser.error(f"there is no {unknown[0]}; there are {', '.join(known)}")
    if given.smoke and given.write:
        parser.error("a smoke run measures nothing worth writing down")
    return asyncio.run(_run([known[number] for number in wanted], smoke=given.smoke, write=given.write))


async def _run(goals: Sequence[Goal], *, smoke: bool, write: bool) -> int:
    began = time.monotonic()
    results: list[Result] = []
    async with open_context(smoke=smoke, tell=_tell) as context:
        for goal in goals:
            _tell(f"{goal.number}: {goal.statement}")
            results.append(Result(goal, await goal.measure(context)))
        machine = await describe(context, with_postgres=context.has_postgres)
    unsound = [
        f"{result.goal.number} {figure.target.name}"
        for result in results
        for figure in result.measurement.figures
        if not figure.is_sound
    ]
    if unsound:
        print(f"No finite ratio: {', '.join(unsound)}", file=sys.stderr)
        return 1
    if smoke:
        count = sum(len(result.measurement.figures) for result in results)
        print(f"{len(results)} benchmarks run and yield {count} finite ratios ({time.monotonic() - began:.0f} s).")
        return 0
    page = render_markdown(results, machine)
    print(f"\n{page}\n{summary(results)} ({time.monotonic() - began:.0f} s)")
    if write:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(_INTRODUCTION + page + f"\n{summary(results)}\n", encoding="utf-8")
    return 0


def _tell(sentence: str) -> None:
    print(f"  {sentence}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
