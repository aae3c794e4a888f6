"""What the garbage collector looks through, in a process of its own: what is kept stays kept for all."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import gc
import offhook.apps.api_process
from offhook.core.memory import keep_loaded
before = len(gc.get_objects())
keep_loaded()
print(before, len(gc.get_objects()), gc.get_freeze_count())
"""


def test_what_is_loaded_at_the_start_is_not_looked_through_again() -> None:
    said = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60)
    before, after, kept = map(int, said.stdout.split())
    assert before > 20_000
    assert after < before / 100
    assert kept > before / 2
