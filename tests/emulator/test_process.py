"""The emulator as a process of its own: what a kill may and may not do."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import aiohttp

from fixtures.emulators import MESSAGES, EmulatorProcess, basic


async def create(http: aiohttp.ClientSession, url: str, number: int) -> str | None:
    """The sid, or None where no answer came."""
    form = {"To": "+12025550123", "From": "+12025550100", "Body": f"text {number}"}
    try:
        async with http.post(url + MESSAGES, headers=basic(), data=form) as answer:
            assert answer.status == 201
            return (await answer.json())["sid"]
    except aiohttp.ClientError:
        return None


async def listed(http: aiohttp.ClientSession, url: str) -> list[tuple[str, str]]:
    async with http.get(f"{url}{MESSAGES}?PageSize=1000", headers=basic()) as answer:
        return [(m["sid"], m["body"]) for m in (await answer.json())["messages"]]


async def test_a_kill_in_mid_stream_loses_nothing_acknowledged_and_doubles_nothing(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    process = EmulatorProcess(tmp_path)
    acknowledged: dict[str, str] = {}
    for round_number in range(3):
        url = await process.start()
        numbers = iter(range(round_number * 1000, round_number * 1000 + 1000))
        enough = asyncio.Event()

        async def stream(url: str, numbers: object = numbers, enough: asyncio.Event = enough) -> None:
            for number in numbers:  # type: ignore[attr-defined]
                sid = await create(http, url, number)
                if sid is None:
                    return
                acknowledged[sid] = f"text {number}"
                if len(acknowledged) % 40 == 0:
                    enough.set()

        streams = [asyncio.create_task(stream(url)) for _ in range(8)]
        await asyncio.wait_for(enough.wait(), 20)
        await process.end(signal.SIGKILL)
        await asyncio.gather(*streams)
    url = await process.start()
    kept = await listed(http, url)
    assert await process.end(signal.SIGTERM) == 0
    assert acknowledged.items() <= dict(kept).items()
    assert len(acknowledged) >= 120
    assert len({body for _, body in kept}) == len(kept) == len({sid for sid, _ in kept})


async def test_sigterm_ends_it_within_a_second_while_somebody_watches(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    process = EmulatorProcess(tmp_path)
    url = await process.start()
    await create(http, url, 1)
    async with http.get(f"{url}/_emulator/events", headers={"Accept": "text/event-stream"}) as stream:
        await stream.content.readline()
        waiting = asyncio.create_task(http.get(f"{url}/_emulator/events?after=1000&wait=60"))
        started = time.monotonic()
        assert await process.end(signal.SIGTERM) == 0
        assert time.monotonic() - started < 10
        outcome = (await asyncio.gather(waiting, return_exceptions=True))[0]
        if isinstance(outcome, aiohttp.ClientResponse):
            outcome.release()


async def test_a_second_emulator_on_the_same_home_says_why_it_does_not_start(tmp_path: Path) -> None:
    first = EmulatorProcess(tmp_path)
    await first.start()
    second = await asyncio.create_subprocess_exec(
        *first.command(), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await asyncio.wait_for(second.communicate(), 20)
    await first.end(signal.SIGTERM)
    assert second.returncode == 1
    assert b"in use by another emulator" in errors


OWN = "AC" + "5" * 32


async def test_an_account_of_the_command_line_stands_for_the_default_one(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async def token_opens(url: str, token: str) -> bool:
        async with http.get(f"{url}/2010-04-01/Accounts/{OWN}.json", headers=basic(OWN, token)) as answer:
            return answer.status == 200

    process = EmulatorProcess(tmp_path, "--account-sid", OWN, "--auth-token", "first")
    url = await process.start()
    assert await token_opens(url, "first")
    async with http.get(url + MESSAGES, headers=basic()) as answer:
        assert answer.status == 401
    text = {"to": "+12025550100", "body": "hello"}
    async with http.post(f"{url}/_emulator/phones/+12025550123/send", json=text) as answer:
        assert (await answer.json())["account_sid"] == OWN
    async with http.post(f"{url}/_emulator/accounts", json={"sid": OWN, "name": "Workshop"}) as answer:
        assert answer.status == 201
    await process.end(signal.SIGTERM)
    again = EmulatorProcess(tmp_path, "--account-sid", OWN, "--auth-token", "second", "--telnyx-api-key", "KEYown")
    url = await again.start()
    assert (await token_opens(url, "first"), await token_opens(url, "second")) == (False, True)
    async with http.get(f"{url}/_emulator/telnyx") as answer:
        assert [told["api_key"] for told in (await answer.json())["accounts"]] == ["KEYown"]
    async with http.get(f"{url}/2010-04-01/Accounts/{OWN}.json", headers=basic(OWN, "second")) as answer:
        assert (await answer.json())["friendly_name"] == "Workshop"
    await again.end(signal.SIGTERM)
