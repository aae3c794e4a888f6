from __future__ import annotations

import asyncio
import signal
import sys

import aiohttp

from fixtures.command_line import CommandLine
from offhook.emulator import DEFAULT_ACCOUNT_SID


async def test_the_emulator_stands_alone_below_the_home(offhook: CommandLine) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "offhook", "emulator", "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        word, url = (await process.stdout.readline()).decode().split()
        async with aiohttp.ClientSession() as session, session.get(f"{url}/_emulator/health") as response:
            health = await response.json()
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    assert (word, health["status"]) == ("ready", "ok")
    assert list((offhook.home / "emulator").iterdir())
    assert [path.name for path in offhook.home.iterdir()] == ["emulator"]


async def test_a_port_in_use_is_said(offhook: CommandLine) -> None:
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "offhook", "emulator", "--port", str(port), stderr=asyncio.subprocess.PIPE
        )
        _, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    assert b"[emulator_start]" in err
    assert str(port).encode() in err


async def test_an_account_needs_sid_and_token(offhook: CommandLine) -> None:
    assert (await offhook("emulator", "--account-sid", DEFAULT_ACCOUNT_SID)).code == 2
    assert (await offhook("emulator", "--telnyx-api-key", "KEY1")).code == 2
