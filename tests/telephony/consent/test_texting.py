"""The setting `texting`: read, checked, changed through the API."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest

from fixtures.telephony import World
from offhook.core.errors import InvalidInput
from offhook.telephony.consent.hours import QuietHours
from offhook.telephony.consent.texting import TextingPolicy, check_texting, read_texting


@pytest.mark.parametrize("setting", [None, {}, [], "x"])
def test_without_a_setting_people_are_left_to_sleep(setting: object) -> None:
    policy = read_texting(setting)
    assert policy == TextingPolicy()
    assert policy.quiet_hours == QuietHours(time(21), time(8))
    assert (policy.recipient_daily_cap, policy.daily_segments) == (20, 1000)


def test_what_is_set_replaces_its_default_and_null_switches_it_off() -> None:
    stored = check_texting(
        {
            "quiet_hours": {"from": "20:30", "to": "09:15"},
            "own_numbers": ["+1 202 555 0142"],
            "time_zone": "Europe/Berlin",
        }
    )
    policy = read_texting(stored)
    assert policy.quiet_hours == QuietHours(time(20, 30), time(9, 15))
    assert policy.own_numbers == {"+12025550142"}
    assert str(policy.time_zone) == "Europe/Berlin"
    assert policy.recipient_daily_cap == 20
    off = read_texting(check_texting(dict.fromkeys(("quiet_hours", "recipient_daily_cap", "daily_segments"))))
    assert (off.quiet_hours, off.recipient_daily_cap, off.daily_segments) == (None, None, None)
    assert read_texting(check_texting({"own_numbers": None, "time_zone": None})) == TextingPolicy()


WRONG: list[tuple[Any, str]] = [
    ([], "texting"),
    ("at night", "texting"),
    ({"quiet_hour": None}, "texting.quiet_hour"),
    ({"quiet_hours": "21-8"}, "texting.quiet_hours"),
    ({"quiet_hours": {"from": "21:00"}}, "texting.quiet_hours"),
    ({"quiet_hours": {"from": "21:00", "to": "08:00", "zone": "x"}}, "texting.quiet_hours"),
    ({"quiet_hours": {"from": "24:00", "to": "08:00"}}, "texting.quiet_hours.from"),
    ({"quiet_hours": {"from": "21:00", "to": "8:00"}}, "texting.quiet_hours.to"),
    ({"quiet_hours": {"from": "21:00", "to": 8}}, "texting.quiet_hours.to"),
    ({"quiet_hours": {"from": "٢١:٠٠", "to": "08:00"}}, "texting.quiet_hours.from"),
    ({"quiet_hours": {"from": "08:00", "to": "08:00"}}, "texting.quiet_hours.to"),
    ({"recipient_daily_cap": 0}, "texting.recipient_daily_cap"),
    ({"recipient_daily_cap": True}, "texting.recipient_daily_cap"),
    ({"recipient_daily_cap": 10**12}, "texting.recipient_daily_cap"),
    ({"daily_segments": 1.5}, "texting.daily_segments"),
    ({"daily_segments": "1000"}, "texting.daily_segments"),
    ({"own_numbers": "+12025550142"}, "texting.own_numbers"),
    ({"own_numbers": ["+12025550142", "me"]}, "texting.own_numbers.1"),
    ({"own_numbers": [1]}, "texting.own_numbers.0"),
    ({"own_numbers": ["+12025550142"] * 101}, "texting.own_numbers"),
    ({"time_zone": "EST, I think"}, "texting.time_zone"),
    ({"time_zone": "../etc/passwd"}, "texting.time_zone"),
    ({"time_zone": 5}, "texting.time_zone"),
]


@pytest.mark.parametrize(("setting", "path"), WRONG)
def test_a_wrong_setting_names_the_place(setting: object, path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_texting(setting)
    assert [problem.path for problem in refused.value.fields] == [path]


async def test_it_is_changed_with_the_organization(world: World) -> None:
    wanted = {"quiet_hours": {"from": "22:00", "to": "07:00"}, "recipient_daily_cap": 3}
    changed = await world.api.patch("/api/organization", {"settings": {"texting": wanted}})
    assert (changed.status, changed.json["organization"]["settings"]["texting"]) == (200, wanted)
    refused = await world.api.patch("/api/organization", {"settings": {"texting": {"daily_segments": 0}}})
    assert (refused.status, [error["path"] for error in refused.json["errors"]]) == (
        422,
        ["settings.texting.daily_segments"],
    )
