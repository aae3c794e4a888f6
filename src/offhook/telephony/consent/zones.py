"""In which time zones the person behind a number may be.

An area code is where the number was handed out, not where the person is: an explicit zone goes before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
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

_REMEMBERED: Final = 4096


def find_zone(name: str | None) -> ZoneInfo | None:
    """The IANA zone of that name, None where there is none."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # also paths, NUL and folders such as "America"
        return None


@lru_cache(maxsize=_REMEMBERED)
def zones_of(number: str) -> Sequence[ZoneInfo]:
    """Every zone in which a number in E.164 may be; none where nothing is known."""
    # Loaded here: the table costs every start 28 ms (measured), and many processes never ask.
    from phonenumbers.timezone import time_zones_for_geographical_number, time_zones_for_number

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ()
    if phonenumbers.number_type(parsed) not in _PLACED:
        return ()
    # In North America mobile numbers have area codes too. The library forgets that of the Caribbean's, and lists all
    # of the continent for them (facts/telephony.md 10.2).
    known = time_zones_for_geographical_number if parsed.country_code == _NANP else time_zones_for_number
    # "Etc/Unknown" is what the library says where it knows nothing: there is no such zone.
    zones = [find_zone(name) for name in known(parsed)]
    return tuple(zone for zone in zones if zone is not None)


def at_recipients(moment: datetime, number: str, zone_name: str | None) -> datetime:
    """`moment` on the recipient's clock; of several that it may be, the one that is behind. UTC where none is known."""
    told = find_zone(zone_name)
    zones = (told,) if told else zones_of(number)
    return min((moment.astimezone(zone) for zone in zones), key=_offset, default=moment.astimezone(UTC))


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta()
