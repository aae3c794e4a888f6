"""Ids sort in the order in which they were made, also when the clock does not help."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from offhook.core.ids import find_id, new_id, parse_id


def test_an_id_is_a_uuid_of_version_7_that_carries_its_time() -> None:
    before = time.time_ns() // 1_000_000
    made = new_id()
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000 + 100


def test_ids_of_one_process_sort_as_they_were_made() -> None:
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_sort_even_when_the_wall_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = new_id()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert new_id() > first


def test_threads_never_make_the_same_id() -> None:
    with ThreadPoolExecutor(4) as pool:
        made = [item for part in pool.map(lambda _: [new_id() for _ in range(2000)], range(4)) for item in part]
    assert len(set(made)) == len(made)


def test_an_id_is_read_back() -> None:
    made = new_id()
    assert parse_id(str(made)) == parse_id(str(made).upper()) == find_id(str(made)) == made


@pytest.mark.parametrize("text", ["", "x", "0" * 36, "{0190f3a2-7c1e-7d3b-9a54-0f6f7d2c1b11}", "0" * 32])
def test_what_is_no_id_is_refused(text: str) -> None:
    assert find_id(text) is None
    with pytest.raises(ValueError, match=r"."):
        parse_id(text)


def test_no_id_is_no_id() -> None:
    assert find_id(None) is None
