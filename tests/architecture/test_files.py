"""Rules about files: how long, how named, and what no file may hold."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from fixtures.sources import PACKAGE, ROOT, TESTS, modules, repository_files, text_of

LONGEST = 500
MEANINGLESS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}

# A file that only runs on the machine where it was written, or only where one index can be reached.
MACHINE_PATH = re.compile(r"(?<![\w.~$}])/(?:work|tmp|root|home)/")
# Written in pieces, because this file is searched too.
REGISTRY_HOSTS = (
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("registry", "npmjs", "org"),
    ("registry", "yarnpkg", "com"),
    ("proxy", "golang", "org"),
    ("index", "crates", "io"),
)
REGISTRY = re.compile(
    "|".join(rf"\b{re.escape('.'.join(host))}" for host in REGISTRY_HOSTS)
    + r"|--(?:extra-)?index-url[ =]\S|\btool\.uv\.index\b",
)


def _lines_that_match(pattern: re.Pattern[str]) -> list[str]:
    found: list[str] = []
    for path in repository_files():
        for number, line in enumerate((text_of(path) or "").splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    return found


def _code() -> list[Path]:
    return sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.sql"), *TESTS.rglob("*.py")])


def test_no_file_of_code_or_tests_is_longer_than_500_lines() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in _code()}
    too_long = [f"{path.relative_to(ROOT)}: {n} lines" for path, n in lengths.items() if n > LONGEST]
    assert not too_long, f"split along a noun: {too_long}"


def test_every_module_is_named_for_what_it_is() -> None:
    named = [path for path in _code() if MEANINGLESS.intersection(path.stem.split("_"))]
    folders = [path for path in PACKAGE.rglob("*") if path.is_dir() and path.name in MEANINGLESS]
    assert not [str(path.relative_to(ROOT)) for path in [*named, *folders]]


def test_no_file_names_a_path_of_some_machine() -> None:
    assert not _lines_that_match(MACHINE_PATH)


def test_no_file_names_a_package_registry() -> None:
    assert not _lines_that_match(REGISTRY)


def test_every_migration_has_its_own_number_and_a_name() -> None:
    migrations = [path for path in repository_files() if path.suffix == ".sql" and path.parent.name == "migrations"]
    assert not [path.name for path in migrations if not re.fullmatch(r"\d{4}_[a-z0-9_]+\.sql", path.name)]
    numbers = Counter(path.name[:4] for path in migrations)
    assert not [number for number, count in numbers.items() if count > 1]


def test_every_module_below_the_package_belongs_to_a_package_with_an_init() -> None:
    folders = {module.path.parent for module in modules()}
    assert not [str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists()]
