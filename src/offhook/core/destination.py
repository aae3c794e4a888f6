"""Which numbers may be texted or called: a number's kind, and a policy that is data.

The library knows numbering plans; the tables here add what it does not say: satellite networks, emergency
and crisis lines, numbers that exist only in films, Twilio's test numbers, pay-per-call exchanges.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType, shortnumberinfo

from offhook.core.phone import InvalidPhoneNumber, PhoneNumber, mask, possible, read, typed_digits


class DestinationKind(StrEnum):
    MOBILE = "mobile"
    FIXED_LINE = "fixed_line"
    FIXED_LINE_OR_MOBILE = "fixed_line_or_mobile"
    """All geographic numbers of North America: which of the two, only a look-up tells."""
    TOLL_FREE = "toll_free"
    PREMIUM = "premium"
    SHARED_COST = "shared_cost"
    PERSONAL = "personal"
    VOIP = "voip"
    PAGER = "pager"
    COMPANY = "company"
    VOICEMAIL = "voicemail"
    SATELLITE = "satellite"
    EMERGENCY = "emergency"
    SHORT_CODE = "short_code"
    FICTITIOUS = "fictitious"
    MAGIC = "magic"
    """Twilio's test numbers."""
    INVALID = "invalid"
    UNKNOWN = "unknown"
    """A valid number of no type that the numbering plan names."""


@dataclass(frozen=True, slots=True, repr=False)
class Destination:
    """`number` in E.164 where it can be one (else as dialled); `region` ISO 3166, None for no single country."""

    number: str
    kind: DestinationKind
    region: str | None
    country_code: int | None

    def __repr__(self) -> str:
        return f"Destination({mask(self.number)}, {self.kind}, {self.region})"


_KINDS: Final[Mapping[int, DestinationKind]] = {
    PhoneNumberType.MOBILE: DestinationKind.MOBILE,
    PhoneNumberType.FIXED_LINE: DestinationKind.FIXED_LINE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: DestinationKind.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.TOLL_FREE: DestinationKind.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE: DestinationKind.PREMIUM,
    PhoneNumberType.SHARED_COST: DestinationKind.SHARED_COST,
    PhoneNumberType.PERSONAL_NUMBER: DestinationKind.PERSONAL,
    PhoneNumberType.VOIP: DestinationKind.VOIP,
    PhoneNumberType.PAGER: DestinationKind.PAGER,
    PhoneNumberType.UAN: DestinationKind.COMPANY,
    PhoneNumberType.VOICEMAIL: DestinationKind.VOICEMAIL,
}

_COUNTRY_CODES: Final[Mapping[int, DestinationKind]] = {
    870: DestinationKind.SATELLITE,
    881: DestinationKind.SATELLITE,
    882: DestinationKind.SATELLITE,
    883: DestinationKind.SATELLITE,
    878: DestinationKind.PERSONAL,
    808: DestinationKind.SHARED_COST,
    979: DestinationKind.PREMIUM,
}
"""Codes of services instead of countries (ITU-T E.164): satellites and networks, personal, shared cost, premium."""

_RANGES: Final[tuple[tuple[re.Pattern[str], DestinationKind], ...]] = (
    (re.compile(r"\+150055500\d{2}"), DestinationKind.MAGIC),  # Twilio, test credentials
    (re.compile(r"\+1[2-9]\d{2}55501\d{2}"), DestinationKind.FICTITIOUS),  # NANPA: 555-0100 to 555-0199
    (re.compile(r"\+1[2-9]\d{2}976\d{4}"), DestinationKind.PREMIUM),  # NANPA: the pay-per-call exchange
    (re.compile(r"\+1[2-9]\d{2}5551212"), DestinationKind.PREMIUM),  # NANPA: directory assistance, charged
)
"""Ranges that the library takes for ordinary lines."""

EMERGENCY: Final = frozenset({"911", "112", "999", "988"})
"""Refused everywhere, whatever the region; the library does not count 988, the suicide and crisis line."""

MAX_SHORT_CODE_DIGITS: Final = 6


def classify(number: PhoneNumber | str, region: str = "US") -> Destination:
    """What kind of line a number is. Never raises: what cannot be read is `invalid`.

    `region` is where we dial from: it decides what a number without country code means.
    """
    if isinstance(number, PhoneNumber):
        return _classify_e164(number, phonenumbers.parse(number.e164, None))
    try:
        dialled = typed_digits(number)
    except InvalidPhoneNumber:
        return Destination(number, DestinationKind.INVALID, None, None)
    if not dialled.startswith("+") and (kind := _short_kind(dialled, region)):
        return Destination(dialled, kind, region, None)
    try:
        return _classify_e164(*possible(dialled, region))
    except InvalidPhoneNumber:
        return _classify_impossible(dialled, region)


def _short_kind(digits: str, region: str) -> DestinationKind | None:
    if digits in EMERGENCY or shortnumberinfo.is_emergency_number(digits, region):
        return DestinationKind.EMERGENCY
    return DestinationKind.SHORT_CODE if len(digits) <= MAX_SHORT_CODE_DIGITS else None


def _classify_impossible(dialled: str, region: str) -> Destination:
    """`+1911`, `+49112`: no number has this length, but a carrier might still connect it."""
    kind, code = DestinationKind.INVALID, None
    try:
        parsed = read(dialled, region)
    except InvalidPhoneNumber:
        return Destination(dialled, kind, None, None)
    code = parsed.country_code
    national = str(parsed.national_number)
    home = phonenumbers.region_code_for_country_code(code or 0)
    if national in EMERGENCY or shortnumberinfo.connects_to_emergency_number(national, home):
        kind = DestinationKind.EMERGENCY
    elif len(national) <= MAX_SHORT_CODE_DIGITS:
        kind = DestinationKind.SHORT_CODE
    return Destination(dialled, kind, None, code)


def _classify_e164(number: PhoneNumber, parsed: phonenumbers.PhoneNumber) -> Destination:
    region = phonenumbers.region_code_for_number(parsed)
    if region == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY:
        region = None
    return Destination(number.e164, _kind(number, parsed), region, number.country_code)


def _kind(number: PhoneNumber, parsed: phonenumbers.PhoneNumber) -> DestinationKind:
    if (by_code := _COUNTRY_CODES.get(number.country_code)) is not None:
        return by_code
    for pattern, kind in _RANGES:
        if pattern.fullmatch(number.e164):
            return kind
    number_type = phonenumbers.number_type(parsed)
    if number_type != phonenumbers.PhoneNumberType.UNKNOWN:  # which is what numbers that are not valid have
        return _KINDS.get(number_type, DestinationKind.UNKNOWN)
    # Only where no line has this number: India's 112… are Delhi's landlines, North America's 911… are nobody's.
    home = phonenumbers.region_code_for_country_code(number.country_code)
    if shortnumberinfo.connects_to_emergency_number(str(parsed.national_number), home):
        return DestinationKind.EMERGENCY
    return DestinationKind.INVALID


NEVER: Final[Mapping[DestinationKind, str]] = {
    DestinationKind.EMERGENCY: "Emergency and crisis lines are never texted or called; the person must dial them.",
    DestinationKind.SHORT_CODE: "Short numbers are not texted or called; a full phone number is needed.",
}
"""Refused even where a number is on the allow-list."""

DENIED: Final[Mapping[DestinationKind, str]] = {
    DestinationKind.PREMIUM: "Premium-rate numbers are not texted or called.",
    DestinationKind.SHARED_COST: "Shared-cost numbers are not texted or called.",
    DestinationKind.PERSONAL: "Personal (follow-me) numbers are not texted or called.",
    DestinationKind.VOIP: "Numbers of internet telephony networks are not texted or called.",
    DestinationKind.PAGER: "Pagers are not texted or called.",
    DestinationKind.COMPANY: "Company-wide access numbers are not texted or called.",
    DestinationKind.VOICEMAIL: "Voicemail access numbers are not texted or called.",
    DestinationKind.SATELLITE: "Satellite and international network numbers are not texted or called.",
    DestinationKind.INVALID: "That is not a valid phone number; please check the digits.",
    DestinationKind.UNKNOWN: "Numbers of that kind are not texted or called.",
    DestinationKind.FICTITIOUS: "That number is fictitious and reaches nobody; please check the digits.",
    DestinationKind.MAGIC: "That is a carrier's test number; this account does not use it.",
}
"""Denied by default, and what the model is told."""

ADMITTED_FICTITIOUS: Final = "+120255501"
"""The one fictitious range that examples, demo and tests use; it reaches nobody."""


@dataclass(frozen=True, slots=True)
class DestinationPolicy:
    """Who may be texted and called. The default is an ordinary line in the United States or Canada.

    `countries` are ISO 3166 regions (Jamaica is JM although its code is 1); `allow_numbers` are E.164 and pass
    whatever their kind and country, save emergency and short numbers; `admit_magic` is for accounts on the emulator.
    """

    countries: frozenset[str] = frozenset({"US", "CA"})
    deny_kinds: frozenset[DestinationKind] = frozenset(DENIED)
    allow_numbers: frozenset[str] = field(default=frozenset(), repr=False)
    admit_magic: bool = False


@dataclass(frozen=True, slots=True)
class Allowed:
    """The number may be reached."""

    destination: Destination


@dataclass(frozen=True, slots=True)
class Refused:
    """`reason_code` is stable (`destination_premium`, `destination_country`, …); `sentence` is safe for the model."""

    destination: Destination
    reason_code: str
    sentence: str


def decide(policy: DestinationPolicy, number: PhoneNumber | str) -> Allowed | Refused:
    """Whether `policy` lets us reach `number`. Pure, and never raises."""
    found = classify(number)
    kind = found.kind
    if kind in NEVER:
        return Refused(found, f"destination_{kind}", NEVER[kind])
    if found.number in policy.allow_numbers:
        return Allowed(found)
    if kind is DestinationKind.MAGIC and policy.admit_magic:
        return Allowed(found)
    admitted = kind is DestinationKind.FICTITIOUS and found.number.startswith(ADMITTED_FICTITIOUS)
    if kind in policy.deny_kinds and not admitted:
        return Refused(found, f"destination_{kind}", DENIED.get(kind, "Numbers of that kind are not allowed here."))
    if not admitted and (found.region is None or found.region not in policy.countries):
        return Refused(found, "destination_country", "Numbers in that country are not texted or called from here.")
    return Allowed(found)
