"""The guide to the emulator, run as it is written, but for the port: a test takes a free one."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import aiohttp
import pytest

from fixtures.documents import blocks, document
from fixtures.emulators import EmulatorProcess

GUIDE = document("how-to/test-twilio-code.md")
WRITTEN = "http://127.0.0.1:4010"


@pytest.fixture
async def emulator(tmp_path: Path) -> AsyncGenerator[str]:
    process = EmulatorProcess(tmp_path / "emulator")
    yield await process.start()
    await process.end()


async def run(script: str, folder: Path) -> str:
    """What a shell writes that runs the script and stops at the first error."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = await asyncio.create_subprocess_exec(
        *("sh", "-eu", "-c", script),
        cwd=folder,
        env={**os.environ, "PATH": path, "OFFHOOK_HOME": str(folder / "home")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    written, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, written.decode()
    return written.decode()


async def test_the_guide_works_as_it_is_written(emulator: str, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("the guide uses curl, and this machine has none")
    for program in blocks(GUIDE, "python"):
        (tmp_path / program.name).write_text(program.text.replace(WRITTEN, emulator))
    steps = [block.text.replace(WRITTEN, emulator) for block in blocks(GUIDE, "sh") if block.name != "background"]
    written = await run("\n".join(steps), tmp_path)
    assert "Your bicycle is ready." in written
    assert '"kind": "drop_after"' in written
    assert '"code": 21610' in written
    assert "2 passed" in written


async def test_every_fault_of_the_guide_is_taken(emulator: str) -> None:
    written = [line.split("`")[1] for line in GUIDE.splitlines() if line.startswith("| ") and '{"route"' in line]
    assert len(written) > 3
    async with aiohttp.ClientSession() as session:
        for fault in written:
            headers = {"Content-Type": "application/json"}
            async with session.post(f"{emulator}/_emulator/faults", data=fault, headers=headers) as response:
                assert response.status == 201, fault
