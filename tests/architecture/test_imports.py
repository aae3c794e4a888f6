"""Which package may import what from outside, and what an import costs. Layers are in `pyproject.toml`."""

from __future__ import annotations

import json
import subprocess
import sys

from fixtures.sources import PACKAGE, imported, is_within, modules

# Third-party package → the areas of Offhook that may import it. import-linter sees `livekit` as one
# package, but the API imports `livekit.api` and must never import `livekit.agents` (2 s, 134 MB).
OWNERS: dict[str, set[str]] = {
    "livekit.agents": {"runtime", "toolkits"},
    "livekit.plugins": {"runtime", "toolkits"},
    "livekit.rtc": {"runtime", "toolkits"},
    "twilio": set(),  # an oracle for tests: it retries POSTs and ignores timeouts
    "sqlalchemy": set(),
    "requests": set(),
    "httpx": set(),
}

# Area → who may import it besides itself. The worker's side is started by apps and offered lazily by
# `offhook/__init__.py` (area ""); a server that imported it would pay for LiveKit.
IMPORTED_BY: dict[str, set[str]] = {
    "runtime": {"apps", ""},
    "toolkits": {"apps"},
    "emulator": {"apps"},
    "apps": set(),
}
ENTRY = "__main__.py"
"""`python -m offhook` is the command line, so the program's entry imports it; nobody can import the entry."""

HEAVY = ["livekit.agents", "livekit.rtc", "twilio", "sqlalchemy"]
LIGHT_PROCESSES = ["apps/api.py", "apps/jobs.py", "apps/cli/main.py"]


def _loaded_by(statement: str) -> set[str]:
    """Names of the modules that a statement loads in an interpreter of its own."""
    report = "print(json.dumps(sorted(set(sys.modules) - before)))"
    program = f"import json, sys\nbefore = set(sys.modules)\n{statement}\n{report}"
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert finished.returncode == 0, finished.stderr
    return set(json.loads(finished.stdout.splitlines()[-1]))


def test_each_foreign_package_is_imported_only_where_it_belongs() -> None:
    strays = [
        f"{module.place}:{line} imports {name}"
        for module in modules()
        for line, name in imported(module)
        for package, owners in OWNERS.items()
        if is_within(name, package) and module.area not in owners
    ]
    assert not strays


def test_the_workers_side_is_imported_only_by_the_applications() -> None:
    strays = [
        f"{module.place}:{line} imports {name}"
        for module in modules()
        for line, name in imported(module)
        for area, importers in IMPORTED_BY.items()
        if module.place != ENTRY
        if is_within(name, f"offhook.{area}") and module.area not in {*importers, area}
    ]
    assert not strays


def test_importing_offhook_loads_nothing_but_the_standard_library() -> None:
    foreign = {name.split(".")[0] for name in _loaded_by("import offhook")} - set(sys.stdlib_module_names)
    assert foreign <= {"offhook"}


def test_no_server_process_loads_livekits_agents_an_orm_or_the_carriers_sdk() -> None:
    for place in LIGHT_PROCESSES:
        if not (PACKAGE / place).exists():
            continue
        name = "offhook." + place.removesuffix(".py").replace("/", ".")
        loaded = _loaded_by(f"import {name}")
        assert not [module for module in loaded for heavy in HEAVY if is_within(module, heavy)], name
