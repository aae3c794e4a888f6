from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from fixtures.documents import code_spans, document, rows
from fixtures.sources import modules
from offhook.core import errors
from offhook.core.destination import DENIED, NEVER
from offhook.core.errors import OffhookError

_CODE = re.compile(r"[a-z][a-z0-9_]*[a-z0-9]")
_POSITIONAL = {"FieldProblem": 2, "_wrong": 2, "problem": 2, "BadFrame": 0, "UncleanJson": 0, "tell_error": 0}
"""Calls that take a code by its place."""

_NOT_CODES = {"code"}
"""Keys that a code is read by."""


def codes_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=function, args=arguments, keywords=keywords):
                for keyword in keywords:
                    if keyword.arg == "code":
                        yield from constants(keyword.value)
                place = _POSITIONAL.get(getattr(function, "id", getattr(function, "attr", "")))
                if place is not None and len(arguments) > place and isinstance(arguments[place], ast.Constant):
                    yield from constants(arguments[place])
            case (
                ast.Assign(targets=[ast.Name(id="code" | "default_code")], value=ast.Constant() as value)
                | ast.AnnAssign(target=ast.Name(id="code" | "default_code"), value=ast.Constant() as value)
            ):
                yield from constants(value)
            case _:
                pass


def constants(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _CODE.fullmatch(node.value):
            yield node.value


def raised() -> set[str]:
    """Every code that is written out. The emulator speaks Twilio's codes, which have a page of their own."""
    found = {code for module in modules() if module.area != "emulator" for code in codes_in(module.tree)}
    return found - _NOT_CODES


PAGE = document("reference/errors.md")


def test_every_code_that_the_code_raises_is_on_the_page() -> None:
    assert raised() - set(code_spans(PAGE)) == set()


def test_a_code_in_a_table_is_one_that_the_code_raises() -> None:
    by_pydantic = {"reserved_name", "missing_type"}
    by_status = {"method_not_allowed"}
    told = {code_spans(row[0])[0] for row in rows(PAGE)}
    assert told - raised() - by_pydantic - by_status == set()


def test_every_refused_destination_is_named() -> None:
    assert {f"destination_{kind}" for kind in (*NEVER, *DENIED)} <= set(code_spans(PAGE))


def of_the_tree() -> list[type[OffhookError]]:
    found = [item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, OffhookError)]
    return [item for item in found if item is not errors.ToolError]


@pytest.mark.parametrize("kind", of_the_tree(), ids=lambda kind: kind.__name__)
def test_an_error_of_the_tree_is_told_with_its_http_status(kind: type[OffhookError]) -> None:
    told = {code_spans(row[0])[0]: row[1] for row in rows(PAGE)}
    assert told[kind.default_code] == str(kind.status)
