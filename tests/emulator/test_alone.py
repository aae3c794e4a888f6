"""The emulator as a product of its own: nothing else of Offhook's, no database, little to import."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import aiohttp

from fixtures.emulators import MESSAGES, basic

ALLOWED = frozenset({"offhook", "offhook.emulator", "offhook.apps", "offhook.core"})
SERVER_PACKAGES = (
    "asyncpg",
    "fastapi",
    "livekit",
    "pgqueuer",
    "sqlalchemy",
    "starlette",
    "uvicorn",
    "twilio",
    "telnyx",
)


async def python(code: str, *, env: dict[str, str] | None = None) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code), stdout=asyncio.subprocess.PIPE, env=env
    )
    written, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    return written.decode()


async def test_importing_it_imports_neither_a_web_server_nor_anything_of_offhooks() -> None:
    modules = (await python("import sys, offhook.emulator; print(*sys.modules)")).split()
    assert not [m for m in modules if m.split(".")[0] in {*SERVER_PACKAGES, "aiohttp", "cryptography", "pydantic"}]
    assert [m for m in modules if m.startswith("offhook.") and m != "offhook.emulator"] == ["offhook.emulator.settings"]


async def test_its_server_imports_nothing_of_offhooks_and_no_signing_before_it_is_needed() -> None:
    modules = (await python("import sys, offhook.emulator.app; print(*sys.modules)")).split()
    assert not [m for m in modules if m.startswith("offhook.") and not m.startswith("offhook.emulator")]
    assert not [m for m in modules if m.split(".")[0] in {*SERVER_PACKAGES, "cryptography", "pydantic"}]


async def test_the_command_runs_it_without_a_database_and_without_offhooks_server(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-X",
            "importtime",
            "-m",
            "offhook",
            "emulator",
            "--port",
            "0",
            "--home",
            str(tmp_path / "e"),
        ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=bare,
        cwd=tmp_path,
    )
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
    url = line.split()[1]
    form = {"To": "+12025550123", "From": "+12025550100", "Body": "hello"}
    async with http.post(url + MESSAGES, headers=basic(), data=form) as answer:
        assert answer.status == 201
    process.send_signal(signal.SIGTERM)
    _, told = await asyncio.wait_for(process.communicate(), 20)
    imported = {line.rpartition("|")[2].strip() for line in told.decode().splitlines() if "import time:" in line}
    assert process.returncode == 0
    assert not [m for m in imported if m.split(".")[0] in SERVER_PACKAGES]
    rooms = {".".join(m.split(".")[:2]) for m in imported if m.split(".")[0] == "offhook"}
    assert rooms <= ALLOWED


async def test_its_help_tells_what_it_is_and_where_to_read_on() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "offhook", "emulator", "--help"), stdout=asyncio.subprocess.PIPE
    )
    written, _ = await asyncio.wait_for(process.communicate(), 60)
    told = " ".join(written.decode().split())
    for word in ("--virtual-clock", "--home", "AC0ff400c0ffee", "test-twilio-code.md", "emulator-conformance.md"):
        assert word in told
