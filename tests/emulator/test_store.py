from __future__ import annotations

import json
from pathlib import Path

import pytest

from offhook.emulator import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, Account, Store
from offhook.emulator.journal import JournalError
from offhook.emulator.records import Message


def record(sid: str) -> dict[str, object]:
    message = Message(
        sid=sid,
        account_sid=DEFAULT_ACCOUNT_SID,
        to="+12025550123",
        from_number="+12025550100",
        body="hello \U0001f6b2\x00",
        status="queued",
        created_at=1.5,
        updated_at=1.5,
    )
    return {"type": "message", **message.to_record()}


async def filled(home: Path) -> None:
    store = Store(home)
    store.add_account(Account(DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, verified=("+12025550123",)))
    store.append(record("SM1"))
    store.append(record("SM2"), {"type": "status", "sid": "SM1", "status": "sent", "error_code": None})
    await store.close()


async def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    await filled(tmp_path)
    store = Store(tmp_path)
    assert [(m.sid, m.status, m.body, m.seq) for m in store.newest_first()] == [
        ("SM2", "queued", "hello \U0001f6b2\x00", 3),
        ("SM1", "sent", "hello \U0001f6b2\x00", 2),
    ]
    assert store.accounts[DEFAULT_ACCOUNT_SID].verified == ("+12025550123",)
    before = store.seq
    store.add_account(store.accounts[DEFAULT_ACCOUNT_SID])
    assert store.seq == before
    await store.close()


@pytest.mark.parametrize("cut", [1, 2, 40])
async def test_a_torn_last_line_is_cut_off_with_its_whole_transaction(tmp_path: Path, cut: int) -> None:
    await filled(tmp_path)
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-cut])
    store = Store(tmp_path)
    assert [(m.sid, m.status) for m in store.newest_first()] == [("SM1", "queued")]
    store.append(record("SM3"))
    await store.close()
    reopened = Store(tmp_path)
    assert [m.sid for m in reopened.newest_first()] == ["SM3", "SM1"]
    await reopened.close()
    assert [json.loads(line)["seq"] for line in journal.read_text().splitlines()] == [1, 2, 3]


async def test_a_damaged_line_in_the_middle_is_reported_and_nothing_is_cut(tmp_path: Path) -> None:
    await filled(tmp_path)
    journal = tmp_path / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(lines[0] + b"{]\n" + lines[2])
    before = journal.read_bytes()
    with pytest.raises(JournalError, match="line 2"):
        Store(tmp_path)
    assert journal.read_bytes() == before


async def test_a_damaged_last_line_that_is_whole_is_reported_and_not_cut(tmp_path: Path) -> None:
    await filled(tmp_path)
    journal = tmp_path / "journal.jsonl"
    damaged = journal.read_bytes()[:-3] + b"\n"
    journal.write_bytes(damaged)
    with pytest.raises(JournalError, match="line 3 is damaged"):
        Store(tmp_path)
    assert journal.read_bytes() == damaged


@pytest.mark.parametrize(
    "line",
    [
        '{"hello": "world"}',
        '{"seq": 4, "at": 1, "do": [{"type": "of another version"}]}',
        '{"seq": 4, "at": 1, "do": [{"type": "message", "sid": "SM9"}]}',
        '{"seq": 4, "at": 1, "do": [{"type": "seed", "account_sid": "AC1", "seed": "zz"}]}',
        '{"seq": 4, "at": 1, "do": [1]}',
        '{"seq": 4, "at": 1, "do": 1}',
    ],
)
async def test_a_line_that_is_no_transaction_is_named_and_the_home_is_free_again(tmp_path: Path, line: str) -> None:
    await filled(tmp_path)
    journal = tmp_path / "journal.jsonl"
    before = journal.read_bytes()
    journal.write_bytes(before + line.encode() + b"\n")
    with pytest.raises(JournalError, match="line 4 holds no transaction: was it written by another version"):
        Store(tmp_path)
    journal.write_bytes(before)
    await Store(tmp_path).close()


async def test_a_home_is_held_by_one_emulator(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(JournalError, match="in use"):
        Store(tmp_path)
    await store.close()
    await Store(tmp_path).close()
    assert (tmp_path / "journal.jsonl").stat().st_mode & 0o077 == 0
