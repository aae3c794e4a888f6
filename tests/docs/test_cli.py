from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from fixtures.documents import code_spans, document, rows, section
from offhook.apps.cli.main import app

PAGE = "reference/cli.md"


def commands(command: Any, name: str = "offhook") -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if not children:
        yield name, command
        return
    for child_name, child in children.items():
        yield from commands(child, f"{name} {child_name}")


def parameters(command: Any) -> set[str]:
    """Options as they are typed; arguments in capitals."""
    found: set[str] = set()
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            found.add(f"{parameter.name.upper()}{'...' if parameter.nargs == -1 else ''}")
        else:
            found |= {*parameter.opts, *parameter.secondary_opts} - {"--help", "-h"}
    return found


ALL = dict(commands(typer.main.get_command(app)))


def test_the_page_has_every_command_and_no_other() -> None:
    assert set(re.findall(r"^### `(offhook [^`]+)`$", document(PAGE), re.MULTILINE)) == set(ALL)


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_command_is_documented_with_each_of_its_arguments_and_options(name: str) -> None:
    told = rows(section(document(PAGE), f"### `{name}`"))
    assert {span for row in told for span in code_spans(row[0])} == parameters(ALL[name])


def test_the_options_of_the_program_itself_are_named() -> None:
    assert parameters(typer.main.get_command(app)) <= set(code_spans(document(PAGE)))
