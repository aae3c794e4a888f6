"""`requirements.lock` belongs to `pyproject.toml`: what one asks for, the other pins, hashed, with no address."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from fixtures.sources import ROOT

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def _entries() -> list[str]:
    return re.split(r"\n(?=\S)", LOCK.strip())


def _asked_for() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    lists = [project["project"]["dependencies"], *extras, *project["dependency-groups"].values()]
    return [Requirement(line) for lines in lists for line in lines]


def _pinned() -> dict[str, set[str]]:
    """Name → versions; a universal lock may pin one package differently on different platforms."""
    pinned: dict[str, set[str]] = defaultdict(set)
    for entry in _entries():
        name, _, version = entry.split()[0].rstrip(";").partition("==")
        pinned[canonicalize_name(name)].add(version)
    return pinned


def test_every_package_is_locked_with_a_hash_and_without_an_address() -> None:
    assert len(_entries()) > 1
    assert not [entry.split()[0] for entry in _entries() if "--hash=sha256:" not in entry]
    assert "://" not in LOCK


def test_the_lock_pins_every_dependency_at_a_version_that_is_asked_for() -> None:
    pinned = _pinned()
    unmet = [
        str(wanted)
        for wanted in _asked_for()
        if not any(wanted.specifier.contains(version) for version in pinned[canonicalize_name(wanted.name)])
    ]
    assert not unmet, f"run `make lock`: {unmet}"
