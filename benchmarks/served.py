"""The servers of a comparison, `offhook api` as it is run and a bare ASGI application; and `offhook jobs`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from benchmarks.cpu import cpu_seconds
from benchmarks.processors import Processors

_START_SECONDS = 60.0
_STOP_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers."""

    port: int
    pid: int

    def cpu_seconds(self) -> float | None:
        """What it has used so far; None where that cannot be read."""
        return cpu_seconds(self.pid)


class ServerDied(Exception):
    """A server ended before it answered; its last words are in the message."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def serve_offhook(
    processors: Processors, environment: Mapping[str, str], plan: str = ""
) -> AsyncGenerator[Served]:
    """`offhook api`. `plan`: stages to time (`encode_plan`); what they took is written when it stops."""
    async with _serving("benchmarks.staged_api", [], processors, {**environment, "BENCHMARK_STAGES": plan}) as served:
        yield served


@asynccontextmanager
async def serve_bare(processors: Processors, application: str, options: Mapping[str, Any]) -> AsyncGenerator[Served]:
    """`application` is `module:function` as benchmarks/bare.py says; `options` are handed to it."""
    async with _serving("benchmarks.bare", [application, json.dumps(options)], processors, {}) as served:
        yield served


@asynccontextmanager
async def _serving(
    module: str, arguments: list[str], processors: Processors, environment: Mapping[str, str]
) -> AsyncGenerator[Served]:
    port = free_port()
    with tempfile.TemporaryFile() as said:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, *arguments),
            env={**_inherited(), **environment, "OFFHOOK_PORT": str(port)},
            stdout=said,
            stderr=said,
        )
        processors.give_measured(process.pid)
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not await _answers(port):
                    if process.returncode is not None:
                        said.seek(0)
                        raise ServerDied(f"{module}: {said.read().decode(errors='replace')[-2000:]}")
                    await asyncio.sleep(0.05)
            yield Served(port, process.pid)
        finally:
            await _stop(process)


def _inherited() -> dict[str, str]:
    """This environment without what would configure Offhook or a carrier."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OFFHOOK_", "TWILIO_", "LIVEKIT_", "AGENT_")) and name != "DATABASE_URL"
    }


@asynccontextmanager
async def run_jobs(processors: Processors, environment: Mapping[str, str], count: int) -> AsyncGenerator[list[int]]:
    """`count` processes of `offhook jobs`, all of them taking jobs; their ids."""
    pids = list[int]()
    async with AsyncExitStack() as stack:
        for _ in range(count):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "offhook", "jobs"),
                env={**_inherited(), **environment},
                stdout=asyncio.subprocess.DEVNULL,
            )
            stack.push_async_callback(_stop, process)
            processors.give_measured(process.pid)
            pids.append(process.pid)
        give_up = time.monotonic() + _START_SECONDS
        while await _listening(environment["DATABASE_URL"]) < count:
            assert time.monotonic() < give_up, "the processes of jobs do not listen"
            await asyncio.sleep(0.05)
        yield pids


async def _listening(dsn: str) -> int:
    driver: Any = asyncpg
    connection = await driver.connect(dsn)
    try:
        return await connection.fetchval(
            "select count(*) from pg_stat_activity where application_name = 'offhook jobs:listen'"
            " and datname = current_database()"
        )
    finally:
        await connection.close()


async def _answers(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        writer.write(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        return b" 200 " in await reader.readline()
    except OSError:
        return False
    finally:
        writer.close()


async def _stop(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
