"""The arithmetic of slots."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.telephony.messages.refusals import end_of_day
from offhook.telephony.messages.slots import OVERSLEPT_SECONDS, TOLERANCE_SECONDS, Pace, Spacing, plan

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_free_lane_gives_its_slots_one_after_another_within_the_horizon() -> None:
    found = plan([1, 2, 1, 1], [Pace(at(-100), 0.1)], NOW, 0.35)
    assert found.slots == (at(0), at(0.1), at(0.3))
    assert found.paces[0].next_at == at(0.4)


def test_nothing_is_saved_up_for_a_burst() -> None:
    idle_for_a_day = Pace(at(-86_400), 1.0)
    assert plan([1, 1, 1], [idle_for_a_day], NOW, 0.5).slots == (NOW,)


def test_a_text_waits_for_its_lane_and_for_its_account() -> None:
    found = plan([1, 1], [Pace(at(0.05), 0.01), Pace(at(0.1), 0.2)], NOW, 0.35)
    assert found.slots == (at(0.1), at(0.3))
    assert [pace.next_at for pace in found.paces] == [at(0.31), at(0.5)]


@given(st.lists(st.integers(1, 10), min_size=1, max_size=30), st.floats(0.001, 1.0), st.floats(-5, 5))
def test_slots_are_never_closer_than_the_pace(segments: list[int], pace: float, next_at: float) -> None:
    slots = plan(segments, [Pace(at(next_at), pace)], NOW, 100.0).slots
    for count, (before, after) in zip(segments, itertools.pairwise(slots), strict=False):
        assert (after - before).total_seconds() >= count * pace - 2e-6


def test_timers_that_are_a_little_late_cost_the_lane_nothing() -> None:
    spacing = Spacing()
    for number in range(100):
        slot = number * 0.1
        assert spacing.turn(slot, slot, slot) == pytest.approx(slot)
        spacing.start(slot, slot + 0.004, 0.1)


def test_after_a_standstill_texts_start_one_slot_apart_and_not_at_once() -> None:
    spacing = Spacing()
    starts: list[float] = []
    for number in range(5):  # all their slots have passed
        turn = spacing.turn(number * 0.1, 0.0, 0.25)
        assert turn is not None
        spacing.start(number * 0.1, turn, 0.1)
        starts.append(round(turn, 6))
    assert starts == [0.25, 0.35, 0.45, 0.55, 0.65]


def test_a_text_that_is_far_too_late_gives_its_slot_up() -> None:
    late = 10.0 + TOLERANCE_SECONDS + 0.1
    assert Spacing().turn(10.0, late, late) is None


def test_a_text_whose_process_stood_still_gives_its_slot_up_since_others_may_have_gone_on() -> None:
    assert Spacing().turn(10.0, 9.9, 10.0 + OVERSLEPT_SECONDS + 0.1) is None


def test_a_text_that_was_claimed_slowly_goes_all_the_same() -> None:
    assert Spacing().turn(10.0, 10.8, 10.9) == 10.9


def test_the_carriers_day_ends_at_midnight_in_the_pacific_zone_also_when_clocks_change() -> None:
    assert end_of_day(datetime(2026, 11, 24, 12, tzinfo=UTC)) == datetime(2026, 11, 25, 8, tzinfo=UTC)
    assert end_of_day(datetime(2026, 11, 1, 8, tzinfo=UTC)) == datetime(2026, 11, 2, 8, tzinfo=UTC)
    assert end_of_day(datetime(2026, 11, 1, 6, tzinfo=UTC)) == datetime(2026, 11, 1, 7, tzinfo=UTC)
