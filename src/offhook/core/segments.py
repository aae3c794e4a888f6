"""How many segments a text costs: carriers bill, pace and cap by segment, so it is known before anything is sent.

A message in the GSM-7 alphabet has 160 units, or 153 in each part when it needs several; one character outside
the alphabet turns the whole message into UCS-2, with 70 or 67 units (3GPP TS 23.038 and 23.040: a part is 140
octets, and the header that joins parts takes 6 of them). What a reader sees as one character is never cut in two
by a part's end: neither an escape pair nor an emoji. That is how Twilio's published calculator counts.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Encoding(StrEnum):
    GSM_7 = "GSM-7"
    UCS_2 = "UCS-2"


@dataclass(frozen=True, slots=True)
class Segments:
    """`units` are septets or UTF-16 code units; `forced_by` the first characters (at most 5) that GSM-7 lacks."""

    encoding: Encoding
    units: int
    segments: int
    forced_by: tuple[str, ...] = ()


SINGLE_UNITS: Final = {Encoding.GSM_7: 160, Encoding.UCS_2: 70}
PART_UNITS: Final = {Encoding.GSM_7: 153, Encoding.UCS_2: 67}
MAX_FORCED_BY: Final = 5

MAX_BODY_CHARACTERS: Final = 1600
"""Of one text. Twilio refuses longer ones with 21617 (facts/telephony.md); Telnyx's ten segments are fewer for long
ones."""

GSM_7_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet, one septet each (3GPP TS 23.038, 6.2.1); its 128th place is the escape."""

GSM_7_EXTENSION: Final = frozenset("|^€{}[]~\\\f")
"""Two septets each: the escape and a basic character (3GPP TS 23.038, 6.2.1.1)."""

_GSM_7: Final = GSM_7_BASIC | GSM_7_EXTENSION


def count(text: str) -> Segments:
    """Encoding, units and segments of `text` as a carrier will send it; an empty text is one segment."""
    forced_by = _outside_gsm_7(text)
    if not forced_by:
        extended = sum(map(text.count, GSM_7_EXTENSION))
        units = len(text) + extended
        sizes = (2 if char in GSM_7_EXTENSION else 1 for char in text) if extended else None
        return Segments(Encoding.GSM_7, units, _segments(units, sizes, Encoding.GSM_7))
    units = _utf16_units(text)
    sizes = None if units == len(text) and _is_plain(text) else _cluster_sizes(text)
    return Segments(Encoding.UCS_2, units, _segments(units, sizes, Encoding.UCS_2), forced_by)


def _outside_gsm_7(text: str) -> tuple[str, ...]:
    if _GSM_7.issuperset(text):
        return ()
    return tuple(dict.fromkeys(char for char in text if char not in _GSM_7))[:MAX_FORCED_BY]


def _utf16_units(text: str) -> int:
    return len(text) + sum(char > "\uffff" for char in text)


def _segments(units: int, sizes: Iterator[int] | None, encoding: Encoding) -> int:
    """`sizes` are the units of what must not be cut, in order; None where every unit may end a part."""
    if units <= SINGLE_UNITS[encoding]:
        return 1
    part = PART_UNITS[encoding]
    if sizes is None:
        return -(-units // part)
    segments, left = 1, part
    for size in sizes:
        if size > part:  # a letter under a hundred accents fits no part and is cut after all
            parts = max(-(-(size - left) // part), 0)
            segments, left = segments + parts, left + parts * part
        elif size > left:
            segments, left = segments + 1, part
        left -= size
    return segments


def _is_plain(text: str) -> bool:
    return not any(extends(char) for char in text)


_JOINER: Final = "\u200d"
_REGIONAL_INDICATORS: Final = ("\U0001f1e6", "\U0001f1ff")
_SKIN_TONES: Final = ("\U0001f3fb", "\U0001f3ff")
_TAGS: Final = ("\U000e0020", "\U000e007f")
_MARKS: Final = frozenset({"Mn", "Me", "Mc"})


def extends(char: str) -> bool:
    """Whether `char` belongs to the character before it: accents, joiners, skin tones, tags (after UAX #29)."""
    if char < "\u0300":
        return False
    return (
        char in (_JOINER, "\u200c")
        or _SKIN_TONES[0] <= char <= _SKIN_TONES[1]
        or _TAGS[0] <= char <= _TAGS[1]
        or unicodedata.category(char) in _MARKS
    )


def clusters(text: str) -> Iterator[str]:
    """`text` in user-perceived characters: emoji sequences, flags and accented letters are one each."""
    start, previous, flag_open = 0, "", False
    for position, char in enumerate(text):
        is_indicator = _REGIONAL_INDICATORS[0] <= char <= _REGIONAL_INDICATORS[1]
        joined = previous == _JOINER and unicodedata.category(char) == "So"
        completes_flag = is_indicator and flag_open
        if position > start and not (extends(char) or joined or completes_flag):
            yield text[start:position]
            start = position
        flag_open = is_indicator and not completes_flag
        previous = char
    if text:
        yield text[start:]


def _cluster_sizes(text: str) -> Iterator[int]:
    """UTF-16 units of each of its clusters."""
    return (_utf16_units(cluster) for cluster in clusters(text))
