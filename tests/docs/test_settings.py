from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from fixtures.documents import code_spans, document, rows
from fixtures.sources import ROOT, modules

_NAME = re.compile(r"(?:OFFHOOK|LIVEKIT|TWILIO|OPENAI|GEMINI|AGENT|DATABASE|OTEL|XDG)_[A-Z][A-Z_]*")
_MAPPINGS = {"env", "environ", "environment"}
_NOT_OURS = {"TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LC_ALL", "TZ", "PG_GRANDPARENT_PID"}
"""What the embedded server's own environment is made of."""


def names_in(tree: ast.Module) -> Iterator[str]:
    """Names of environment variables: by their prefix wherever they stand, and whatever is read from an environment."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _NAME.fullmatch(node.value):
            yield node.value
        read = node.args[0] if isinstance(node, ast.Call) and node.args else None
        holder = node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None
        if isinstance(node, ast.Subscript):
            holder, read = node.value, node.slice
        named = getattr(holder, "attr", getattr(holder, "id", None))
        if named in _MAPPINGS and isinstance(read, ast.Constant) and isinstance(read.value, str):
            yield read.value


def read_by_the_code() -> set[str]:
    example = ast.parse((ROOT / "examples/send_sms_agent.py").read_text())
    found = {name for module in modules() for name in names_in(module.tree)} | set(names_in(example))
    return found - _NOT_OURS


def documented() -> set[str]:
    return {code_spans(row[0])[0] for row in rows(document("reference/settings.md"))}


def test_every_environment_name_that_the_code_reads_is_in_the_settings() -> None:
    assert read_by_the_code() - documented() == set()


def test_the_settings_name_nothing_that_the_code_does_not_read() -> None:
    known_elsewhere = {"NO_COLOR"}  # rich reads it
    assert documented() - read_by_the_code() - known_elsewhere == set()
