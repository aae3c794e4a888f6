"""Phone numbers: reading what people type and say, and showing no more of them than logs need.

Letters are refused, also in vanity numbers (1-800-FLOWERS): a model that hears a word must not dial it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException

MAX_TYPED_LENGTH: Final = 64
"""Longer texts hold something else than a number; E.164 has at most 15 digits."""

REASONS: Final = {
    "empty": "it is empty",
    "too_long_text": f"it has more than {MAX_TYPED_LENGTH} characters",
    "letters": "it contains letters; write the digits",
    "characters": "it contains characters that do not belong in a phone number",
    "no_country_code": "it has no country code; write it like +12025550123",
    "country_code": "its country code does not exist",
    "too_short": "it has too few digits",
    "too_long": "it has too many digits",
    "impossible": "no number in its country has this length",
}
"""Every `InvalidPhoneNumber.reason` and its sentence."""


class InvalidPhoneNumber(ValueError):
    """A text that is no phone number. `reason` is a key of REASONS; `message` never contains the text."""

    code: Final = "invalid_phone_number"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.message = REASONS[reason]
        super().__init__(self.message)


@dataclass(frozen=True, slots=True, repr=False)
class PhoneNumber:
    """A number of possible length. `e164` is `+` and at most 15 digits; whether it exists is `classify`'s to say.

    Its repr and str are masked, so that a number in a log line or an error is not a number.
    """

    e164: str
    country_code: int

    def __str__(self) -> str:
        return mask(self.e164)

    def __repr__(self) -> str:
        return f"PhoneNumber({mask(self.e164)})"


_PUNCTUATION = re.compile(r"[\s().\-/\u2010-\u2015\u2212\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_DIALLED = re.compile(r"\+?[0-9]+")


def parse_e164(text: str, default_region: str | None = None) -> PhoneNumber:
    """The number in `text`: `+1 (202) 555-0123`, `0049 30 …`, fullwidth digits.

    A number without country code needs `default_region` (ISO 3166, such as `US`). Raises InvalidPhoneNumber.
    """
    return possible(typed_digits(text), default_region)[0]


def possible(dialled: str, default_region: str | None) -> tuple[PhoneNumber, phonenumbers.PhoneNumber]:
    """What was dialled (`typed_digits`) as E.164, and as the library reads it. Raises InvalidPhoneNumber."""
    if not dialled.startswith("+") and default_region is None:
        raise InvalidPhoneNumber("no_country_code")
    number = read(dialled, default_region)
    match phonenumbers.is_possible_number_with_reason(number):
        case phonenumbers.ValidationResult.IS_POSSIBLE:
            e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            return PhoneNumber(e164, number.country_code or 0), number
        case phonenumbers.ValidationResult.INVALID_COUNTRY_CODE:
            raise InvalidPhoneNumber("country_code")
        case phonenumbers.ValidationResult.TOO_LONG:
            raise InvalidPhoneNumber("too_long")
        case phonenumbers.ValidationResult.TOO_SHORT | phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
            raise InvalidPhoneNumber("too_short")
        case _:
            raise InvalidPhoneNumber("impossible")


def find_e164(text: str | None) -> str | None:
    """The number as E.164, None for what is none: signalling also says "anonymous", or nothing."""
    try:
        return parse_e164(text).e164 if text else None
    except InvalidPhoneNumber:
        return None


def typed_digits(text: str) -> str:
    """`text` as it would be dialled: ASCII digits, a leading `+` (also for `00`). Raises InvalidPhoneNumber."""
    if len(text) > MAX_TYPED_LENGTH:
        raise InvalidPhoneNumber("too_long_text")
    plain = _PUNCTUATION.sub("", unicodedata.normalize("NFKC", text))
    if not plain:
        raise InvalidPhoneNumber("empty")
    digits = "".join(str(unicodedata.decimal(char, char)) for char in plain)
    if _DIALLED.fullmatch(digits) is None:
        raise InvalidPhoneNumber("letters" if any(char.isalpha() for char in digits) else "characters")
    return f"+{digits[2:]}" if digits.startswith("00") and len(digits) > 2 else digits


def read(dialled: str, default_region: str | None) -> phonenumbers.PhoneNumber:
    """The library's parse with our error; accepts lengths that exist nowhere. Raises InvalidPhoneNumber."""
    try:
        return phonenumbers.parse(dialled, default_region)
    except NumberParseException as error:
        raise InvalidPhoneNumber(_PARSE_REASONS.get(error.error_type, "characters")) from None


_PARSE_REASONS: Final = {
    NumberParseException.INVALID_COUNTRY_CODE: "country_code",
    NumberParseException.TOO_SHORT_AFTER_IDD: "too_short",
    NumberParseException.TOO_SHORT_NSN: "too_short",
    NumberParseException.TOO_LONG: "too_long",
}

_HIDDEN: Final = "•••"


def mask(number: str | PhoneNumber) -> str:
    """For logs: `+12025550123` becomes `+1202•••0123`; short numbers show less, very short ones nothing."""
    text = number.e164 if isinstance(number, PhoneNumber) else number
    digits = "".join(char for char in text if char.isdigit())
    plus = "+" if text.lstrip().startswith("+") else ""
    if len(digits) >= 11:
        return f"{plus}{digits[:4]}{_HIDDEN}{digits[-4:]}"
    if len(digits) >= 8:
        return f"{plus}{digits[:2]}{_HIDDEN}{digits[-2:]}"
    return f"{plus}{_HIDDEN}"
