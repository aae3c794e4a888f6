"""A dataclass that holds what people said, a number or a secret does not show it in its repr, which logs may quote."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from fixtures.sources import Module, modules

PRIVATE = {
    "answer", "api_secret", "arguments", "auth_token", "body", "client_phone", "credentials", "database_url",
    "from_number", "greeting", "instructions", "master_keys", "our_number", "password", "person_number", "secret",
    "sensitive_config", "to_number",
}  # fmt: skip

# The workshop's made-up texts; an agent's own words before values are put in; what a terminal shows its own user.
SHOWN_ON_PURPOSE = {("agents/models.py", "Agent")}


def shown_fields(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Class and field of each private field that a dataclass's repr shows."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and (decorator := _dataclass(node)) is not None:
            if "repr=False" in decorator:
                continue
            for item in node.body:
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                    hidden = item.value is not None and "repr=False" in ast.unparse(item.value)
                    if item.target.id in PRIVATE and not hidden:
                        yield node.name, item.target.id


def _dataclass(node: ast.ClassDef) -> str | None:
    words = (ast.unparse(decorator) for decorator in node.decorator_list)
    return next((word for word in words if word.startswith("dataclass")), None)


def _strays(module: Module) -> list[str]:
    return [
        f"{module.place} {name}.{field}"
        for name, field in shown_fields(module.tree)
        if (module.place, name) not in SHOWN_ON_PURPOSE
    ]


def test_no_repr_shows_words_numbers_or_secrets() -> None:
    strays = [stray for module in modules() if not module.place.startswith("emulator/") for stray in _strays(module)]
    assert not strays, f"add field(repr=False): {strays}"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("@dataclass\nclass A:\n    body: str", [("A", "body")]),
        ("@dataclass(frozen=True)\nclass A:\n    body: str = field(repr=False)", []),
        ("@dataclass(repr=False)\nclass A:\n    body: str", []),
        ("class A:\n    body: str", []),
    ],
)
def test_a_shown_field_is_recognised(source: str, shown: list[tuple[str, str]]) -> None:
    assert list(shown_fields(ast.parse(source))) == shown
