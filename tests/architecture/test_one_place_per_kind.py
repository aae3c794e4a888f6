"""A tool type and a carrier each live in one place: nobody else branches on which one it is.

Two things give a branch away: a comparison with the name, and an import of the module that is the kind.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from fixtures.sources import PACKAGE, Module, imported, is_within, modules

# product.md section 3; modules that exist are added below. Some of these words mean other things too
# ("sms" is also a channel, "client" and "platform" are plain English), so those count only where they
# are compared with something that is called a type.
TOOL_TYPES = {
    "sms", "transfer_call", "api_request", "pipedream_action", "platform", "mcp", "client", "end_call",
    "send_dtmf", "take_voicemail",
}  # fmt: skip
CARRIERS = {"twilio", "telnyx"}
TYPE_WORDS = {"type", "tool_type", "type_name", "kind", "tool_kind"}

# Where a kind's module may be imported besides its own place: the one table that finds them.
MAY_IMPORT_TOOL_TYPES = {"tools/registry.py"}
MAY_IMPORT_CARRIERS = {"apps/wiring.py"}


@dataclass(frozen=True)
class Branch:
    line: int
    literal: str
    compared_with: str  # the last identifier of the other side; "" if it has none


def _literals(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return [literal for item in node.elts for literal in _literals(item)]
    return []


def _identifier(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(name)), *_]):
            return name
        case ast.Call(func=ast.Attribute(value=value)):
            return _identifier(value)
        case _:
            return ""


def branches(tree: ast.AST) -> Iterator[Branch]:
    """Every comparison (==, !=, in, not in) with a string literal, and every literal `case`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            for index, side in enumerate(sides):
                other = sides[index - 1] if index else sides[1]
                yield from (Branch(node.lineno, literal, _identifier(other)) for literal in _literals(side))
        elif isinstance(node, ast.Match):
            subject = _identifier(node.subject)
            for pattern in ast.walk(node):
                if isinstance(pattern, ast.MatchValue):
                    yield from (Branch(pattern.lineno, text, subject) for text in _literals(pattern.value))


def tool_type_branches(tree: ast.AST) -> list[Branch]:
    names = TOOL_TYPES | {path.stem for path in (PACKAGE / "tools/types").glob("*.py")} - {"__init__"}
    return [
        branch
        for branch in branches(tree)
        if branch.literal in names and ("_" in branch.literal or branch.compared_with in TYPE_WORDS)
    ]


def carrier_branches(tree: ast.AST) -> list[Branch]:
    names = CARRIERS | {path.name for path in (PACKAGE / "telephony/carriers").glob("[a-z]*") if path.is_dir()}
    return [branch for branch in branches(tree) if branch.literal in names]


def _outside(*places: str) -> list[Module]:
    """Modules outside the given places. The emulator is somebody else's program: it imports nothing of ours."""
    return [module for module in modules() if not module.place.startswith((*places, "emulator/"))]


def _strays(own: str, found_in: Callable[[ast.AST], list[Branch]]) -> list[str]:
    return [f"{m.place}:{branch.line} {branch.literal!r}" for m in _outside(own) for branch in found_in(m.tree)]


def _importers(package: str, own: str, allowed: set[str]) -> list[str]:
    return [
        f"{module.place}:{line} imports {name}"
        for module in _outside(own)
        if module.place not in allowed
        for line, name in imported(module)
        if is_within(name, package) and name != package
    ]


def test_no_module_branches_on_a_tools_type_outside_the_types_own_module() -> None:
    strays = _strays("tools/types/", tool_type_branches)
    assert not strays, f"ask the tool type to do it (a method or a field of its declaration): {strays}"


def test_no_module_branches_on_a_carrier_outside_its_folder() -> None:
    strays = [
        f"{m.place}:{b.line} {b.literal!r}" for m in _outside("telephony/carriers/") for b in carrier_branches(m.tree)
    ]
    assert not strays, f"ask the carrier to do it (the Carrier protocol): {strays}"


def test_only_the_registry_imports_the_module_of_a_tool_type() -> None:
    assert not _importers("offhook.tools.types", "tools/types/", MAY_IMPORT_TOOL_TYPES)


def test_only_the_wiring_imports_the_folder_of_a_carrier() -> None:
    assert not _importers("offhook.telephony.carriers", "telephony/carriers/", MAY_IMPORT_CARRIERS)


@pytest.mark.parametrize(
    "source",
    [
        "if tool.type == 'sms': pass",
        "if row['type'] in ('mcp', 'sms'): pass",
        "if config.get('type') != 'client': pass",
        "if anything == 'transfer_call': pass",
        "match tool.type:\n    case 'sms': pass",
    ],
)
def test_a_branch_on_a_tools_type_is_recognised(source: str) -> None:
    assert tool_type_branches(ast.parse(source))


@pytest.mark.parametrize(
    "source",
    ["if channel == 'sms': pass", "if sender.type == 'called_number': pass", "type_of = {'sms': 1}", "print('sms')"],
)
def test_a_channel_or_a_plain_word_is_no_branch_on_a_tools_type(source: str) -> None:
    assert not tool_type_branches(ast.parse(source))


def test_a_branch_on_a_carrier_is_recognised() -> None:
    assert carrier_branches(ast.parse("if account.carrier == 'twilio': pass"))
