from __future__ import annotations

import time

from offhook.core.ids import new_id


def test_an_id_is_a_uuid_of_version_7_that_tells_its_time() -> None:
    before = time.time_ns() // 1_000_000
    identity = new_id()
    assert (identity.version, identity.variant) == (7, "specified in RFC 4122")
    assert before <= identity.int >> 80 <= time.time_ns() // 1_000_000


def test_ids_made_later_sort_later_and_none_comes_twice() -> None:
    made = []
    for _ in range(50):
        made.append(new_id())
        reached = time.time_ns() + 1000
        while time.time_ns() < reached:
            pass
    assert made == sorted(made)
    assert len({new_id() for _ in range(10_000)}) == 10_000
