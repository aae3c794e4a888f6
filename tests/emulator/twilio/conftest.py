from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from fixtures.emulator_bench import NUMBER, Bench, Webhook


@pytest.fixture
async def webhook(bench: Bench) -> AsyncIterator[Webhook]:
    """Told of every text to NUMBER."""
    async with Webhook().running() as hook:
        await bench.control("numbers", number=NUMBER, sms_url=f"{hook.url}/in")
        yield hook
