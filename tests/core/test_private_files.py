"""Files for their owner alone."""

from __future__ import annotations

import stat
from pathlib import Path

from offhook.core.private_files import write_private


def test_a_private_file_is_its_owners_alone_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
