"""Telnyx's face in a process that is killed: what it acknowledged is there, once, and goes on."""

from __future__ import annotations

import asyncio
import itertools
import signal
from pathlib import Path

import aiohttp

from fixtures.emulators import EmulatorProcess, HookReceiver
from fixtures.telnyx import Api, document, is_signed


async def test_a_kill_in_mid_stream_loses_nothing_acknowledged_and_a_key_makes_a_retry_safe(
    tmp_path: Path, http: aiohttp.ClientSession, hooks: HookReceiver
) -> None:
    process = EmulatorProcess(tmp_path)
    api = Api(http, await process.start())
    public_key = await api.public_key()
    acknowledged: dict[int, str] = {}
    unknown: set[int] = set()
    numbers, enough = itertools.count(), asyncio.Event()

    async def send(api: Api, number: int) -> None:
        body = {"to": "+12025550123", "from": "+13125550100", "text": f"text {number}", "webhook_url": hooks.url}
        answer = await api.call("POST", "messages", body, Idempotency_Key=f"text-{number}")
        acknowledged[number] = answer.data["id"]

    async def stream() -> None:
        while True:
            number = next(numbers)
            try:
                await send(api, number)
            except aiohttp.ClientError:
                unknown.add(number)
                return
            if len(acknowledged) >= 60:
                enough.set()

    streams = [asyncio.create_task(stream()) for _ in range(8)]
    await asyncio.wait_for(enough.wait(), 20)
    await process.end(signal.SIGKILL)
    await asyncio.gather(*streams)
    again = Api(http, await process.start())
    for number in unknown:
        await send(again, number)
    for number, sid in acknowledged.items():
        assert (await again.get(f"messages/{sid}")).data["text"] == f"text {number}"
    async with http.get(f"{again.url}/_emulator/messages") as answer:
        kept = (await answer.json())["messages"]
    assert len(kept) == len(acknowledged) == len({message["body"] for message in kept})
    await every_end_is_told(hooks, set(acknowledged.values()))
    assert await again.public_key() == public_key
    assert await process.end(signal.SIGTERM) == 0
    assert all(is_signed(hook, public_key) for hook in hooks.received)


async def every_end_is_told(hooks: HookReceiver, sids: set[str]) -> None:
    """Return once each text has its `message.finalized`; what was told just before the kill may be told again."""
    told: set[str] = set()
    read = 0
    while told != sids:
        received = await hooks.wait_for(read + 1, seconds=30)
        events = [document(hook)["data"] for hook in received[read:]]
        told |= {event["payload"]["id"] for event in events if event["event_type"] == "message.finalized"}
        read = len(received)
