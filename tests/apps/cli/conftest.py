"""The command line and an emulator for its tests."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from fixtures.command_line import offhook
from fixtures.emulators import RunningEmulator, running_emulator

__all__ = ["offhook"]


@pytest.fixture
async def emulator(tmp_path: Path) -> AsyncGenerator[RunningEmulator]:
    async with running_emulator(tmp_path / "emulator") as running:
        yield running
