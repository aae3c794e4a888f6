"""A short memory: how long, how much, and what is forgotten on demand."""

from __future__ import annotations

from offhook.core.clock import ManualClock
from offhook.core.recent import Recent


async def test_a_value_is_remembered_for_its_seconds_and_no_longer() -> None:
    clock = ManualClock()
    known: Recent[str, int] = Recent(clock, 5.0)
    assert known.put("a", 1) == 1
    known.put("b", 2, at_most_seconds=1.0)
    await clock.advance(1.0)
    assert (known.get("a"), known.get("b")) == (1, None)
    await clock.advance(4.0)
    assert known.get("a") is None


def test_what_was_put_first_is_forgotten_first() -> None:
    known: Recent[str, int] = Recent(ManualClock(), 5.0, most=2)
    for value, key in enumerate("abac"):
        known.put(key, value)
    assert [known.get(key) for key in "abc"] == [2, None, 3]


async def test_what_is_over_is_not_kept_until_the_memory_is_full() -> None:
    clock = ManualClock()
    known: Recent[str, int] = Recent(clock, 5.0)
    known.put("a", 1)
    known.put("b", 2)
    await clock.advance(5.0)
    known.put("c", 3)
    assert list(known._known) == ["c"]
    known.put("c", 3, at_most_seconds=0.0)
    assert list(known._known) == []


def test_values_are_forgotten_by_key_and_by_what_they_are() -> None:
    known: Recent[str, int] = Recent(ManualClock(), 5.0)
    for value, key in enumerate("abc"):
        known.put(key, value)
    known.forget("a")
    known.forget("never there")
    known.forget_where(lambda value: value == 2)
    assert [known.get(key) for key in "abc"] == [None, 1, None]
