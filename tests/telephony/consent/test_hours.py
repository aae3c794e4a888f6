"""Quiet hours by the recipient's clock, also on days when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.telephony.consent.hours import HORIZON, QuietHours, next_opening
from offhook.telephony.consent.zones import at_recipients, find_zone, zones_of

NIGHT = QuietHours()
NEW_YORK, LOS_ANGELES = ZoneInfo("America/New_York"), ZoneInfo("America/Los_Angeles")
ZONES = [
    NEW_YORK, LOS_ANGELES, ZoneInfo("Pacific/Honolulu"), ZoneInfo("America/St_Johns"), ZoneInfo("Europe/London"),
    ZoneInfo("Asia/Kathmandu"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Africa/Casablanca"), ZoneInfo("UTC"),
]  # fmt: skip


def local(zone: ZoneInfo, *when: int) -> datetime:
    return datetime(*when, tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("clock", "opening"),
    [
        ((2026, 1, 5, 8, 0), (2026, 1, 5, 8, 0)),
        ((2026, 1, 5, 7, 59), (2026, 1, 5, 8, 0)),
        ((2026, 1, 5, 20, 59), (2026, 1, 5, 20, 59)),
        ((2026, 1, 5, 21, 0), (2026, 1, 6, 8, 0)),
        ((2026, 1, 5, 0, 0), (2026, 1, 5, 8, 0)),
        ((2026, 12, 31, 23, 30), (2027, 1, 1, 8, 0)),
        ((2026, 3, 7, 22, 0), (2026, 3, 8, 8, 0)),  # the night is an hour shorter
        ((2026, 10, 31, 22, 0), (2026, 11, 1, 8, 0)),  # and here an hour longer
    ],
)
def test_a_text_goes_from_8_to_21_on_the_clock_there(clock: tuple[int, ...], opening: tuple[int, ...]) -> None:
    assert next_opening(NIGHT, [NEW_YORK], local(NEW_YORK, *clock)) == local(NEW_YORK, *opening)


def test_the_night_of_a_changed_clock_has_its_own_length() -> None:
    for day, hours in ((7, 10), (8, 11)):  # clocks go forward in the night after the 7th of March 2026
        night = local(NEW_YORK, 2026, 3, day, 21, 0)
        opening = next_opening(NIGHT, [NEW_YORK], night)
        assert opening is not None
        assert opening - night == timedelta(hours=hours)


def test_hours_within_a_day_are_quiet_too() -> None:
    lunch = QuietHours(time(12), time(14, 30))
    assert next_opening(lunch, [NEW_YORK], local(NEW_YORK, 2026, 1, 5, 13, 0)) == local(NEW_YORK, 2026, 1, 5, 14, 30)
    assert next_opening(lunch, [NEW_YORK], local(NEW_YORK, 2026, 1, 5, 3, 0)) == local(NEW_YORK, 2026, 1, 5, 3, 0)


def test_an_end_that_the_clock_jumps_over_is_the_jump() -> None:
    quiet = QuietHours(time(22), time(2, 30))
    before = local(NEW_YORK, 2026, 3, 8, 1, 0)
    assert next_opening(quiet, [NEW_YORK], before) == datetime(2026, 3, 8, 7, 0, tzinfo=UTC)  # 01:59:59, then 03:00
    assert next_opening(quiet, [NEW_YORK], before.replace(second=7, microsecond=3)) == datetime(
        2026, 3, 8, 7, tzinfo=UTC
    )


def test_an_end_that_the_clock_shows_twice_counts_each_time() -> None:
    quiet = QuietHours(time(22), time(1, 30))
    first = datetime(2026, 11, 1, 5, 10, tzinfo=UTC)  # 01:10 for the first time
    assert next_opening(quiet, [NEW_YORK], first) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    second = first + timedelta(hours=1)
    assert next_opening(quiet, [NEW_YORK], second) == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


def test_every_zone_must_be_awake() -> None:
    morning = local(NEW_YORK, 2026, 1, 5, 8, 0)
    assert next_opening(NIGHT, [NEW_YORK, LOS_ANGELES], morning) == local(LOS_ANGELES, 2026, 1, 5, 8, 0)
    evening = local(NEW_YORK, 2026, 1, 5, 21, 0)
    assert next_opening(NIGHT, [LOS_ANGELES, NEW_YORK], evening) == local(LOS_ANGELES, 2026, 1, 6, 8, 0)


def test_where_no_moment_suits_all_zones_there_is_none() -> None:
    scattered = [LOS_ANGELES, ZoneInfo("Europe/London"), ZoneInfo("Asia/Tokyo")]
    for hour in range(24):
        assert next_opening(NIGHT, scattered, datetime(2026, 1, 5, hour, tzinfo=UTC)) is None


@settings(max_examples=150, deadline=None)
@given(
    zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True),
    minute=st.integers(0, 2 * 366 * 24 * 60),
)
def test_the_opening_is_the_first_moment_that_a_search_by_minutes_finds(zones: list[ZoneInfo], minute: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    searched = (now + timedelta(minutes=minutes) for minutes in range(int(HORIZON.total_seconds() // 60)))
    found = next((moment for moment in searched if not any(NIGHT.hold(moment, zone) for zone in zones)), None)
    assert next_opening(NIGHT, zones, now) == found


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+12025550143", {"America/New_York"}),
        ("+13125550143", {"America/Chicago"}),
        ("+18765550123", {"America/Jamaica"}),  # the library lists all of North America
        ("+4915112345678", {"Europe/Berlin"}),
        ("+14233221234", {"America/New_York", "America/Chicago"}),  # Chattanooga, of whose exchange nothing is known
        ("+12193081234", {"America/New_York", "America/Chicago"}),
        ("+12705551234", {"America/New_York", "America/Chicago"}),
        ("+13645551234", {"America/New_York", "America/Chicago"}),  # laid over 270
        ("+18125551234", {"America/New_York", "America/Chicago"}),
        ("+18505551234", {"America/New_York", "America/Chicago"}),
        ("+19065551234", {"America/New_York", "America/Chicago"}),
        ("+17785551234", {"America/Vancouver", "America/Edmonton"}),
        ("+18005550199", set()),
        ("+78001234567", set()),
        ("+881612345678", set()),
        ("+15005550006", set()),
        ("72345", set()),
        ("SPOKE", set()),
        ("", set()),
    ],
)
def test_a_number_tells_where_it_was_handed_out_or_nothing(number: str, zones: set[str]) -> None:
    assert {zone.key for zone in zones_of(number)} == zones


def test_a_number_that_may_be_in_many_zones_has_them_all() -> None:
    assert len(zones_of("+79161234567")) > 10
    assert len(zones_of("+61412345678")) > 3


@pytest.mark.parametrize(
    "name",
    [
        "",
        None,
        "America",
        "../../etc/passwd",
        "\0",
        "Mars/Base",
        "x" * 5000,
        "New York",
        "localtime",
        "Factory",
        "posixrules",
    ],
)
def test_what_is_no_zone_is_none(name: str | None) -> None:
    assert find_zone(name) is None


@pytest.mark.parametrize(
    ("number", "zone", "clock"),
    [
        ("+12125550140", None, "07:00 America/New_York"),
        ("+12125550140", "Europe/Berlin", "13:00 Europe/Berlin"),
        ("+18005550140", None, "12:00 UTC"),
        ("+12125550140", "Mars/Olympus", "07:00 America/New_York"),
    ],
)
def test_a_moment_is_told_on_the_recipients_clock(number: str, zone: str | None, clock: str) -> None:
    told = at_recipients(datetime(2026, 11, 24, 12, 0, tzinfo=UTC), number, zone)
    assert f"{told:%H:%M} {told.tzinfo}" == clock
