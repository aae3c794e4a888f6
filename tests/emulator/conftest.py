from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fixtures.emulator_bench import Bench
from fixtures.emulators import HookReceiver, RunningEmulator, Sdk, close_sdk_clients, running_emulator, sdk_client
from offhook.emulator import VirtualClock


@pytest.fixture(autouse=True)
def closed_clients() -> Iterator[None]:
    yield
    close_sdk_clients()


@pytest.fixture
async def emulator(tmp_path: Path) -> AsyncIterator[RunningEmulator]:
    async with running_emulator(tmp_path / "emulator") as running:
        yield running


@pytest.fixture
async def hooks() -> AsyncIterator[HookReceiver]:
    async with HookReceiver().running() as receiver:
        yield receiver


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def bench(tmp_path: Path, http: aiohttp.ClientSession) -> AsyncIterator[Bench]:
    clock = VirtualClock()
    async with running_emulator(tmp_path / "bench", clock=clock) as emulator:
        yield Bench(emulator, clock, http)


@pytest.fixture
def send(emulator: RunningEmulator) -> Sdk:
    """Create a message through Twilio's own SDK, in a thread."""
    client = sdk_client(emulator.url)

    async def create(**fields: Any) -> Any:
        wanted = {"to": "+12025550123", "from_": "+12025550100", "body": "Your bicycle is ready.", **fields}
        return await asyncio.to_thread(client.messages.create, **{k: v for k, v in wanted.items() if v is not None})

    return create
