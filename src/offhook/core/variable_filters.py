"""The filters of `{{name | filter: "argument"}}`: a fixed table, so a template can do nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from offhook.core.jsonvalue import JSON, compact
from offhook.core.phone import InvalidPhoneNumber, parse_e164

DEFAULT: Final = "default"
"""The one filter that works on an absent value; rendering itself applies it."""


class FilterFailed(ValueError):
    """The filter cannot use the value. The message names the reason and never the value."""


@dataclass(frozen=True, slots=True)
class Filter:
    """`apply(value, argument)`; `check` refuses a bad argument while the template is parsed."""

    apply: Callable[[JSON, str], JSON]
    takes_argument: bool = False
    check: Callable[[str], None] = lambda argument: None


def as_text(value: JSON) -> str:
    """How a value reads inside a text: strings as they are, everything else as compact JSON."""
    return value if isinstance(value, str) else compact(value)


def _json(value: JSON, _: str) -> JSON:
    return compact(value)


def _urlencode(value: JSON, _: str) -> JSON:
    return quote(as_text(value), safe="", errors="replace")


def _e164(value: JSON, _: str) -> JSON:
    try:
        return parse_e164(as_text(value)).e164
    except InvalidPhoneNumber as error:
        raise FilterFailed(error.message) from None


def _upper(value: JSON, _: str) -> JSON:
    return as_text(value).upper()


def _lower(value: JSON, _: str) -> JSON:
    return as_text(value).lower()


def _date(value: JSON, zone: str) -> JSON:
    try:
        moment = datetime.fromisoformat(as_text(value))
    except ValueError:
        raise FilterFailed("it is not a date and time in ISO 8601") from None
    if moment.tzinfo is None:
        raise FilterFailed("it is a time without a time zone")
    try:
        return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
    except OverflowError:
        raise FilterFailed("it is a time outside the calendar") from None


def _check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise FilterFailed(f'"{zone[:40]}" is not an IANA time zone such as "Europe/Berlin"') from None


FILTERS: Mapping[str, Filter] = {
    DEFAULT: Filter(lambda value, argument: value, takes_argument=True),
    "json": Filter(_json),
    "urlencode": Filter(_urlencode),
    "e164": Filter(_e164),
    "upper": Filter(_upper),
    "lower": Filter(_lower),
    "date": Filter(_date, takes_argument=True, check=_check_zone),
}
