"""The journal rewritten as what it amounts to: nothing changes but its size, whatever happens in the middle."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fixtures.emulator_bench import NUMBER, Bench
from fixtures.emulators import running_emulator
from offhook.emulator import Store, VirtualClock


def state(store: Store) -> dict[str, Any]:
    names = ("accounts", "messages", "blocks", "number_settings", "services", "media", "faults", "pending_callbacks")
    tables = {name: getattr(store, name) for name in names}
    order = [m.sid for m in store.newest_first()]
    phones = [(number, count, last.sid) for number, count, last in store.phones()]
    return {
        **tables,
        "order": order,
        "phones": phones,
        "seq": store.seq,
        "seeds": [store.seed(s) for s in store.accounts],
    }


async def eventful(home: Path, http: aiohttp.ClientSession) -> None:
    """A home in which a bit of everything has happened, and some of it is still going on."""
    clock = VirtualClock()
    async with running_emulator(home, clock=clock) as emulator:
        bench = Bench(emulator, clock, http)
        emulator.store.seed(emulator.emulation.settings.accounts[0].sid)
        service = await bench.control("services", numbers=[NUMBER])
        await bench.control("numbers", number=NUMBER, sms_url="http://127.0.0.1:9/in", segments_per_second=1)
        await bench.control("faults", route="callback", kind="latency", seconds=3600, count=None)
        await bench.control("faults", route="*", kind="latency", seconds=0, count=3, probability=0)
        await bench.text("STOP", phone="+12025550140")
        await bench.text("", media=[{"content_type": "image/png", "data": "iVBORw0KGgo="}])
        sids = [(await bench.create(Body=f"text {n}"))[1]["sid"] for n in range(4)]
        await bench.create(Body="by service", MessagingServiceSid=service["sid"], StatusCallback="http://127.0.0.1:9/s")
        await clock.advance(5)
        emulator.emulation.delete_message(emulator.store.messages[sids[0]])
        emulator.store.append({"type": "redact", "sid": sids[1]})


async def test_a_rewritten_journal_says_the_same_and_is_smaller(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    await eventful(tmp_path, http)
    journal = tmp_path / "journal.jsonl"
    before, size = Store(tmp_path), journal.stat().st_size
    told = state(before)
    assert len(told["messages"]) == 7
    assert len(told["pending_callbacks"]) > 0
    before.compact()
    assert journal.stat().st_size < size
    assert journal.stat().st_mode & 0o077 == 0
    assert state(before) == told
    before.append({"type": "redact", "sid": told["order"][0]})
    later = state(before)
    await before.close()
    after = Store(tmp_path)
    assert state(after) == later
    assert [event.seq for event in after.events] == sorted(event.seq for event in after.events)
    assert {event.sid for event in after.events if event.type == "message.created"} == set(told["order"])
    await after.close()


async def test_a_grown_journal_is_rewritten_while_it_runs(tmp_path: Path) -> None:
    store = Store(tmp_path, compaction_bytes=20_000)
    for number in range(2000):
        store.append(
            {"type": "number", "account_sid": "AC", "number": NUMBER, "set": {"sms_url": f"http://h/{number}"}}
        )
    await store.synced()
    assert (tmp_path / "journal.jsonl").stat().st_size < 40_000
    assert store.seq == 2000
    await store.close()
    reopened = Store(tmp_path)
    assert (reopened.seq, reopened.number_settings[("AC", NUMBER)]) == (2000, {"sms_url": "http://h/1999"})
    await reopened.close()


async def test_a_journal_with_many_idle_lines_is_rewritten_at_the_start(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number in range(1500):
        store.append({"type": "number", "account_sid": "AC", "number": NUMBER, "set": {"friendly_name": str(number)}})
    await store.close()
    await Store(tmp_path).close()
    lines = (tmp_path / "journal.jsonl").read_text().splitlines()
    assert len(lines) == 2
    assert json.loads(lines[-1])["seq"] == 1500


@pytest.mark.parametrize("broken", ["fsync", "rename", "write"])
async def test_a_rewrite_that_fails_leaves_the_old_journal_in_use(
    tmp_path: Path, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    await eventful(tmp_path, http)
    store = Store(tmp_path)
    told = state(store)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        if broken == "rename":
            patched.setattr(Path, "rename", full)
        else:
            patched.setattr(os, broken, full)
        with pytest.raises(OSError, match="No space"):
            store.compact()
    store.append({"type": "faults_cleared"})
    await store.close()
    reopened = Store(tmp_path)
    assert state(reopened) == {**told, "faults": {}, "seq": told["seq"] + 1}
    await reopened.close()


async def test_a_full_disk_at_the_time_of_a_rewrite_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    store = Store(tmp_path, compaction_bytes=5_000)
    for count in range(200):
        store.append({"type": "number", "account_sid": "AC", "number": NUMBER, "set": {"friendly_name": str(count)}})
    assert not (tmp_path / "journal.new").exists()
    await store.close()
    reopened = Store(tmp_path)
    assert reopened.number_settings[("AC", NUMBER)] == {"friendly_name": "199"}
    await reopened.close()


async def test_what_a_killed_rewrite_left_behind_is_ignored(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    await eventful(tmp_path, http)
    (tmp_path / "journal.new").write_bytes(b'{"seq":1,"at":0,"do":[]}\n{"seq":2')
    store = Store(tmp_path)
    told = state(store)
    store.compact()
    await store.close()
    reopened = Store(tmp_path)
    assert state(reopened) == told
    await reopened.close()


_WRITER = """
import asyncio, sys
from pathlib import Path
from offhook.emulator import Store

async def main():
    store = Store(Path(sys.argv[1]), compaction_bytes=4_000)
    start = store.number_settings.get(("AC", "+1"), {}).get("count", 0)
    for count in range(start + 1, start + 1_000_000):
        store.append({"type": "number", "account_sid": "AC", "number": "+1", "set": {"count": count, "pad": "x" * 300}})
        if count % 20 == 0:
            await store.synced()
            print(count, flush=True)

asyncio.run(main())
"""


async def test_a_kill_in_the_middle_of_rewriting_loses_nothing_that_was_synced(tmp_path: Path) -> None:
    """The writer rewrites about every tenth line, so that most kills hit one."""
    for _ in range(8):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _WRITER, str(tmp_path)), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        told = 0
        for _ in range(7):
            told = int(await asyncio.wait_for(process.stdout.readline(), 20))
        process.send_signal(signal.SIGKILL)
        await process.wait()
        store = Store(tmp_path)
        assert store.number_settings[("AC", "+1")]["count"] >= told
        assert store.seq >= told
        await store.close()
