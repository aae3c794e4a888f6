"""The table: every figure with its goal, what falls short, and where the time goes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.goal import Breakdown, Figure, Goal, Measurement

_HEAD = ("goal", "figure", "ours", "reference", "ratio", "spread", "aim", "met")


@dataclass(frozen=True, slots=True)
class Result:
    goal: Goal
    measurement: Measurement


def render_markdown(results: Sequence[Result], machine: Sequence[str]) -> str:
    """All of it, also readable in a terminal."""
    rows = [_row(result.goal, figure) for result in results for figure in result.measurement.figures]
    parts = [_table(rows), ""]
    for result in results:
        parts += _section(result)
    parts += ["## Measured on", "", *(f"- {line}" for line in machine), ""]
    return "\n".join(parts)


def summary(results: Sequence[Result]) -> str:
    """One line: how many aims are met, and which are not."""
    aimed = [(r.goal, f) for r in results for f in r.measurement.figures if f.target.has_aim]
    short = [
        f"{goal.number} {figure.target.name} ({', '.join(figure.shortcomings)})"
        for goal, figure in aimed
        if not figure.is_met
    ]
    if not short:
        return f"All {len(aimed)} aims are met."
    return f"{len(aimed) - len(short)} of {len(aimed)} aims are met. Not met: {'; '.join(short)}."


def _row(goal: Goal, figure: Figure) -> tuple[str, ...]:
    ratios = figure.ratios
    met = "yes" if figure.target.has_aim else "–"
    if not figure.is_met:
        met = f"no: {', '.join(figure.shortcomings)}"
    return (
        goal.number,
        figure.target.name,
        f"{_number(figure.ours)} {figure.target.unit}",
        f"{_number(figure.reference)} {figure.target.unit}",
        f"**{_number(figure.ratio)}**",
        f"{_number(ratios[0])}–{_number(ratios[-1])}",
        figure.target.aim,
        met,
    )


def _section(result: Result) -> list[str]:
    goal, measurement = result.goal, result.measurement
    lines = [f"## {goal.number}: {goal.statement}", "", f"Reference: {goal.reference}.", ""]
    lines += [f"- {_parts(breakdown)}" for breakdown in measurement.breakdowns]
    lines += [f"- {remark}" for remark in measurement.remarks]
    return [*lines, ""]


def _parts(breakdown: Breakdown) -> str:
    listed = " · ".join(f"{name} {_number(value)}" for name, value in breakdown.parts)
    return f"Where it goes, {breakdown.what}, in {breakdown.unit}: {listed}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in [_HEAD, *rows]) for column in range(len(_HEAD))]
    line = "|".join("-" * (width + 2) for width in widths)
    return "\n".join([_line(_HEAD, widths), f"|{line}|", *(_line(row, widths) for row in rows)])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


def _number(value: float) -> str:
    """Three digits that count; thousands with commas."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(digits, 4)}f}"
