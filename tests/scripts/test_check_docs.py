from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.sources import ROOT


def check(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts/check_docs.py"), str(root)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def test_links_to_files_headings_and_the_web_are_accepted(tmp_path: Path) -> None:
    (tmp_path / "guide.md").write_text("# A guide: `send` it\n\n## Twice\n\n## Twice\n")
    (tmp_path / "README.md").write_text(
        "[a](guide.md) [b](guide.md#a-guide-send-it) [c](guide.md#twice-1) [d](#here) [e](https://example.com/x)\n"
        "\n# Here\n\n`[not](a-link.md)`\n\n```\n[nor](this.md)\n```\n"
    )
    finished = check(tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == "2 documents checked, 0 dead links\n"


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("[a](gone.md)", "README.md: gone.md: no such file"),
        ("[a](#gone)", "README.md: #gone: no such heading"),
        ("[a](../elsewhere.md)", "README.md: ../elsewhere.md: leads out of the repository"),
        ("[a][b]\n\n[b]: gone.md", "README.md: gone.md: no such file"),
    ],
)
def test_a_dead_link_is_named_with_its_document_and_its_problem(tmp_path: Path, link: str, problem: str) -> None:
    (tmp_path / "README.md").write_text(f"# Title\n\n{link}\n")
    finished = check(tmp_path)
    assert finished.returncode == 1
    assert finished.stderr == problem + "\n"
