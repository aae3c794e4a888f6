"""When and how often people may be texted: a policy that stands in `organizations.settings` under `texting`.

    {"quiet_hours": {"from": "21:00", "to": "08:00"}, "recipient_daily_cap": 20, "daily_segments": 1000,
     "own_numbers": ["+1202…"], "time_zone": "America/New_York"}

What is missing has its default; null switches a limit off.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from offhook.core.errors import FieldProblem, InvalidInput
from offhook.core.phone import InvalidPhoneNumber, parse_e164
from offhook.core.text import shorten
from offhook.telephony.consent.hours import QuietHours
from offhook.telephony.consent.zones import find_zone

SETTING: Final = "texting"
MAX_OWN_NUMBERS: Final = 100
MAX_CAP: Final = 1_000_000_000

_AT_NIGHT: Final = QuietHours()
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class TextingPolicy:
    """The defaults are what 47 CFR 64.1200 allows, and what a small business sends on a busy day."""

    quiet_hours: QuietHours | None = _AT_NIGHT
    """None: at any hour."""
    recipient_daily_cap: int | None = 20
    """Texts to one number within 24 hours; None: as many as are asked for."""
    daily_segments: int | None = 1000
    """Segments of the organization in a calendar day of its time zone (UTC where it has none); None: no limit."""
    own_numbers: frozenset[str] = field(default=frozenset(), repr=False)
    """The organization's own people (E.164): texted at any hour. That they are its own is the organization's word."""
    time_zone: ZoneInfo | None = None
    """Of recipients whose number tells nothing, and of the calendar day."""


def read_texting(setting: object) -> TextingPolicy:
    """A stored policy."""
    given: Mapping[str, Any] = cast("Mapping[str, Any]", setting) if isinstance(setting, Mapping) else {}
    default = TextingPolicy()
    quiet: Mapping[str, str] | None = given.get("quiet_hours")
    hours = None if quiet is None else QuietHours(time.fromisoformat(quiet["from"]), time.fromisoformat(quiet["to"]))
    return TextingPolicy(
        quiet_hours=hours if "quiet_hours" in given else default.quiet_hours,
        recipient_daily_cap=given.get("recipient_daily_cap", default.recipient_daily_cap),
        daily_segments=given.get("daily_segments", default.daily_segments),
        own_numbers=frozenset(given.get("own_numbers") or ()),
        time_zone=find_zone(given.get("time_zone")),
    )


def check_texting(sent: object) -> object:
    """The setting as it is stored. Raises InvalidInput with paths that begin with `texting`."""
    if not isinstance(sent, dict):
        raise _wrong("", f"Must be an object with any of {', '.join(_CHECKS)}.")
    given = cast("dict[str, Any]", sent)
    unknown = next((name for name in given if name not in _CHECKS), None)
    if unknown is not None:
        raise _wrong(shorten(unknown, 60), f"There is no such setting; there are: {', '.join(_CHECKS)}.")
    return {name: None if value is None else _CHECKS[name](name, value) for name, value in given.items()}


def _quiet_hours(name: str, value: object) -> dict[str, str]:
    given = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    if set(given) != {"from", "to"}:
        raise _wrong(name, 'Must be an object with from and to, such as {"from": "21:00", "to": "08:00"}, or null.')
    for end, text in given.items():
        if not isinstance(text, str) or _TIME.fullmatch(text) is None:
            raise _wrong(f"{name}.{end}", "Must be a time of day from 00:00 to 23:59, such as 21:00.")
    if given["from"] == given["to"]:
        raise _wrong(f"{name}.to", "Must differ from the beginning; null switches quiet hours off.")
    return given


def _cap(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_CAP:
        raise _wrong(name, f"Must be a whole number from 1 to {MAX_CAP}, or null for no limit.")
    return value


def _own_numbers(name: str, value: object) -> list[str]:
    if not isinstance(value, list) or len(cast("list[Any]", value)) > MAX_OWN_NUMBERS:
        raise _wrong(name, f"Must be a list of at most {MAX_OWN_NUMBERS} phone numbers.")
    return [_number(f"{name}.{index}", item) for index, item in enumerate(cast("list[Any]", value))]


def _number(path: str, text: object) -> str:
    if not isinstance(text, str):
        raise _wrong(path, "Must be a text.")
    try:
        return parse_e164(text).e164
    except InvalidPhoneNumber as error:
        raise _wrong(path, f"This is not a phone number: {error.message}.") from None


def _time_zone(name: str, value: object) -> str:
    if not isinstance(value, str) or find_zone(value) is None:
        raise _wrong(name, "Must be an IANA time zone, such as America/New_York, or null.")
    return value


_CHECKS: Final = {
    "quiet_hours": _quiet_hours,
    "recipient_daily_cap": _cap,
    "daily_segments": _cap,
    "own_numbers": _own_numbers,
    "time_zone": _time_zone,
}


def _wrong(path: str, message: str) -> InvalidInput:
    full = f"{SETTING}.{path}" if path else SETTING
    return InvalidInput(message, fields=[FieldProblem(full, message)])
