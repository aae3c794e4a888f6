"""The two pages on agents in rooms, followed word by word against a running product and its LiveKit server."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

import pytest

from fixtures.documents import blocks, document
from fixtures.livekit import server_binary
from fixtures.product import Product, running_product
from fixtures.sources import ROOT

pytestmark = [pytest.mark.ci, pytest.mark.timeout(300)]

REGISTERED = "for i in $(seq 600); do grep -q 'registered worker' worker.log && break; sleep 0.1; done\n"
REAL = "AgentSession(llm=openai.realtime.RealtimeModel())"


@pytest.fixture
async def product() -> AsyncGenerator[Product]:
    binary = server_binary()
    if binary is None:
        pytest.skip("no livekit-server: run `make livekit`, or set LIVEKIT_SERVER_BIN")
    async with running_product({"OFFHOOK_LIVEKIT_SERVER": binary}) as running:
        yield running


async def follow(script: str, folder: Path, home: Path) -> str:
    """What the script writes. Whatever it leaves running is killed."""
    (folder / "examples").symlink_to(ROOT / "examples")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OFFHOOK_", "OPENAI_", "GEMINI_", "LIVEKIT_"))
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    output = folder / "output"
    with output.open("wb") as writes:
        process = await asyncio.create_subprocess_exec(
            *("sh", "-eu", "-c", script),
            cwd=folder,
            env={**kept, "PATH": path, "OFFHOOK_HOME": str(home), "LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE": "0"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=writes,
            stderr=writes,
            start_new_session=True,
        )
        try:
            code = await asyncio.wait_for(process.wait(), 200)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    log = folder / "worker.log"
    assert code == 0, output.read_text() + (log.read_text() if log.exists() else "")
    return output.read_text()


def in_background(command: str) -> str:
    return f"{command.rstrip()} >worker.log 2>&1 &\n{REGISTERED}"


async def test_the_example_texts_the_caller_as_the_page_says(product: Product, tmp_path: Path) -> None:
    page = document("how-to/text-the-caller.md")
    start, join, _ = blocks(page, "sh")
    written = await follow(in_background(start.text) + join.text, tmp_path, product.home)
    (shown,) = blocks(page, "text")
    assert [line for line in shown.text.splitlines() if line not in written.splitlines()] == [], written
    assert "https://spokeandchain.example/book" in written.split("The text was sent.")[1]


async def test_a_worker_of_ones_own_takes_the_call_as_the_page_says(product: Product, tmp_path: Path) -> None:
    page = document("how-to/use-in-your-livekit-worker.md")
    (worker,) = blocks(page, "python", "worker.py")
    (session,) = (one.text for one in blocks(page, "python") if "RehearsalLLM" in one.text)
    imported, _, made = session.partition("session = ")
    (tmp_path / "worker.py").write_text(imported + worker.text.replace(REAL, made.strip()))
    export, join = blocks(page, "sh")
    assert "    python worker.py start\n" in page
    written = await follow(export.text + in_background("python worker.py start") + join.text, tmp_path, product.home)
    assert "Agent    Done. To the caller's number ending 43: sent." in written
