"""`offhook up`: what a phone on the emulator texts to the demonstration's number comes in, with nothing set up."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from fixtures.product import running_product

pytestmark = [pytest.mark.ci, pytest.mark.timeout(180)]


async def test_a_phone_that_texts_please_stop_is_on_the_list() -> None:
    async with running_product() as product, product.client() as client, aiohttp.ClientSession() as session:
        demo = product.instance.demo
        url = f"{product.instance.emulator_url}/_emulator/phones/{demo.caller}/send"
        async with session.post(url, json={"to": demo.number, "body": "please stop texting me"}) as answer:
            assert answer.status < 300, await answer.text()
        deadline = time.monotonic() + 20
        listed: list[dict[str, Any]] = []
        while not listed:
            assert time.monotonic() < deadline, product.said()
            listed = (await client.request("GET", "/api/suppressions"))["suppressions"]
            await asyncio.sleep(0.05)
        assert [(item["number"], item["reason"]) for item in listed] == [(demo.caller, "free_form")]
