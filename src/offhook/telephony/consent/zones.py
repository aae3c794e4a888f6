"""In which time zones the person behind a number may be.

An area code is where the number was handed out, not where the person is: an explicit zone goes before it. In North
America it is taken as a whole: numbers move within it, and of most of its exchanges the library knows nothing and gives
the zone of the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import PhoneNumberType

_NANP: Final = 1
_PLACED: Final = frozenset(
    {PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.UNKNOWN}
)
"""Kinds of numbers that somebody has somewhere. UNKNOWN is what numbers that are not valid have, +1 202 555 01xx
among them; of toll-free numbers and their like no zone is known, whatever the library lists."""

_OVERLAYS: Final = {
    "364": "270", "448": "850", "458": "541", "729": "423", "930": "812", "986": "208", "236": "250", "257": "250",
    "672": "250", "778": "250", "367": "418", "581": "418",
}  # fmt: skip
"""Area codes laid over an older one that reaches into another zone, of which the library knows less. Source: the list
of overlays at lincmad.com; for 729 the Tennessee Public Utility Commission."""

_NOWHERE: Final = frozenset({"Factory", "localtime", "posixrules"})
"""Files among the zones that are no places: a placeholder, and copies of a machine's own."""

_REMEMBERED: Final = 4096


def find_zone(name: str | None) -> ZoneInfo | None:
    """The IANA zone of that name, None where there is none."""
    if not name or name in _NOWHERE:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # also paths, NUL and folders such as "America"
        return None


@lru_cache(maxsize=_REMEMBERED)
def zones_of(number: str) -> Sequence[ZoneInfo]:
    """Every zone in which a number in E.164 may be; none where nothing is known."""
    # Loaded here: the table costs every start 28 ms (measured), and many processes never ask.
    from phonenumbers.timezone import time_zones_for_number

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ()
    if phonenumbers.number_type(parsed) not in _PLACED:
        return ()
    if parsed.country_code == _NANP:
        return _zones_of_area(phonenumbers.national_significant_number(parsed)[:3])
    # "Etc/Unknown" is what the library says where it knows nothing: there is no such zone.
    return _known(time_zones_for_number(parsed))


@cache
def _zones_of_area(area_code: str) -> Sequence[ZoneInfo]:
    """Every zone in which the area code is in use; all of North America's where nobody knows the area code."""
    areas = _areas()
    return _known(sorted(areas.get(_OVERLAYS.get(area_code, area_code)) or areas[""]))


@cache
def _areas() -> Mapping[str, set[str]]:
    """By area code the names of the zones of all its exchanges that the library knows; under "", of all of them."""
    from phonenumbers.tzdata import TIMEZONE_DATA

    areas: defaultdict[str, set[str]] = defaultdict(set)
    for prefix, names in TIMEZONE_DATA.items():
        if prefix.startswith(str(_NANP)):
            areas[prefix[1:4]].update(names)
    return areas


def _known(names: Iterable[str]) -> tuple[ZoneInfo, ...]:
    return tuple(zone for zone in map(find_zone, names) if zone is not None)


def at_recipients(moment: datetime, number: str, zone_name: str | None) -> datetime:
    """`moment` on the recipient's clock; of several that it may be, the one that is behind. UTC where none is known."""
    told = find_zone(zone_name)
    zones = (told,) if told else zones_of(number)
    return min((moment.astimezone(zone) for zone in zones), key=_offset, default=moment.astimezone(UTC))


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta()
