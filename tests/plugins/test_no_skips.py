from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.sources import TESTS

SKIPPED = 'import pytest\n@pytest.mark.skip(reason="no server")\ndef test_a():\n    assert True\n'
MISSING = 'import pytest\npytest.importorskip("a_module_that_nobody_has")\n\ndef test_a():\n    assert True\n'
EXPECTED = "import pytest\n@pytest.mark.xfail\ndef test_a():\n    assert False\n"
PASSED = "def test_a():\n    assert True\n"


def run(folder: Path, source: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "plugins.no_skips", "-p", "no:asyncio", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(("source", "reason"), [(SKIPPED, "no server"), (MISSING, "a_module_that_nobody_has")])
def test_a_skip_fails_the_run_and_is_named_with_its_reason(tmp_path: Path, source: str, reason: str) -> None:
    finished = run(tmp_path, source)
    assert finished.returncode == pytest.ExitCode.TESTS_FAILED
    assert "skipped, which counts as failed here" in finished.stdout
    assert reason in finished.stdout


@pytest.mark.parametrize("source", [PASSED, EXPECTED])
def test_a_pass_and_an_expected_failure_are_no_skips(tmp_path: Path, source: str) -> None:
    assert run(tmp_path, source).returncode == pytest.ExitCode.OK


def test_a_run_without_any_test_fails(tmp_path: Path) -> None:
    assert run(tmp_path, "").returncode == pytest.ExitCode.NO_TESTS_COLLECTED
