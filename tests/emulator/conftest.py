from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from twilio.rest import Client

from fixtures.emulators import HookReceiver, RunningEmulator, running_emulator
from offhook.emulator import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN

Sdk = Callable[..., Awaitable[Any]]


_opened: list[Any] = []


def sdk_client(url: str, token: str = DEFAULT_AUTH_TOKEN) -> Any:
    """Twilio's synchronous client, pointed at an emulator; closed when the test ends."""
    client = Client(DEFAULT_ACCOUNT_SID, token)
    client.api.base_url = url
    _opened.append(client)
    return client


@pytest.fixture(autouse=True)
def closed_clients() -> Iterator[None]:
    yield
    while _opened:
        _opened.pop().http_client.session.close()


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
def send(emulator: RunningEmulator) -> Sdk:
    """Create a message through Twilio's own SDK, in a thread."""
    client = sdk_client(emulator.url)

    async def create(**fields: Any) -> Any:
        wanted = {"to": "+12025550123", "from_": "+12025550100", "body": "Your bicycle is ready.", **fields}
        return await asyncio.to_thread(client.messages.create, **{k: v for k, v in wanted.items() if v is not None})

    return create
