"""`except Exception` stands only at the execution boundary: elsewhere it hides who must act next."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fixtures.sources import functions_by_line, modules

# Place and function of each handler that takes everything, and why it must.
BOUNDARY: dict[tuple[str, str], str] = {
    ("tools/execution.py", "Road._plan"): "whatever a tool type raises becomes a sentence for the model",
    ("tools/execution.py", "Road._execute"): "whatever a tool type raises becomes a sentence and an effect",
    ("core/db/consumer.py", "_Executor.execute"): "whatever a job raises is tried again after a pause",
    ("core/http/front.py", "Front.__call__"): "whatever a route raises becomes a problem with the request's id",
}

BROAD = {"Exception", "BaseException"}


def _names(node: ast.expr | None) -> set[str]:
    if node is None:
        return {"BaseException"}
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return {part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", "") for part in parts}


def _all_names(nodes: list[ast.expr]) -> set[str]:
    return {name for node in nodes for name in _names(node)}


def _raises_again(handler: ast.ExceptHandler) -> bool:
    """A handler that cleans up and then raises what it caught swallows nothing."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _swallows(node: ast.ExceptHandler | ast.Call) -> bool:
    if isinstance(node, ast.ExceptHandler):
        return bool(BROAD & _names(node.type)) and not _raises_again(node)
    return _names(node.func) == {"suppress"} and bool(BROAD & _all_names(node.args))


def _swallowing_lines(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler | ast.Call) and _swallows(node):
            yield node.lineno


def _found() -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for module in modules():
        owners = functions_by_line(module.tree)
        for line in _swallowing_lines(module.tree):
            found[module.place, owners.get(line, "")] = line
    return found


def test_everything_is_caught_only_at_the_execution_boundary() -> None:
    strays = [
        f"{place}:{line} in {function}"
        for (place, function), line in _found().items()
        if (place, function) not in BOUNDARY
    ]
    assert not strays, f"name the exceptions, or list the place in BOUNDARY with its reason: {strays}"


def test_every_listed_boundary_exists_and_has_a_reason() -> None:
    assert not [entry for entry in BOUNDARY if entry not in _found()]
    assert not [entry for entry, reason in BOUNDARY.items() if len(reason) < 20]
