"""Characters that look like GSM-7 ones, exchanged for those: a curly quote alone turns 160 characters from one segment
into three.

Only where the whole text then fits GSM-7 and takes fewer segments: otherwise nothing is gained, and the words stay as
they were written. Letters of another spelling (á, ç) are never touched. Carriers offer the same (Twilio SmartEncoded,
facts/telephony.md 1.7); done here, it is counted before anything is sent, and the same for every carrier.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from offhook.core.segments import Encoding, count


@dataclass(frozen=True, slots=True)
class SmartText:
    """`replaced`: character → what stands for it now; empty where nothing was exchanged."""

    text: str = field(repr=False)
    replaced: Mapping[str, str] = field(default_factory=dict[str, str])


_LOOK_ALIKES: Final[Mapping[str, str]] = {
    '"': "“”„‟″‶〃❝❞«»",
    "'": "‘’‚‛′‵´`ʹʻʼʽˈˊˋ❛❜",
    "-": "‐‑‒–—―⁃−─━﹘﹣•‣∙●▪◦",
    "...": "…⋯",
    "..": "‥",
    ".": "·․",
    " ": "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "\n": "\v\x85\u2028\u2029",
    # Invisible: joiners, directions, soft hyphen, variation selectors. What needs them does not fit GSM-7 anyway.
    "": (
        "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
        "\u2060\u2066\u2067\u2068\u2069\ufe0e\ufe0f\ufeff"
    ),
    "<": "‹〈⟨",
    ">": "›〉⟩",
    "/": "⁄∕",
    "\\": "∖",
    "*": "∗⁎✱",
    "~": "˜∼",
    "^": "ˆ",
    "|": "¦∣❘",
    "!": "ǃ",
    "!!": "‼",
    "?!": "⁈",
    "!?": "⁉",
    ":": "ː∶",
    ";": "\u037e",
    ",": "、",
    "_": "‗",
    "ff": "ﬀ",
    "fi": "ﬁ",
    "fl": "ﬂ",
    "ffi": "ﬃ",
    "ffl": "ﬄ",
    # Greek capitals that GSM-7 writes with the Latin letter of the same form (3GPP TS 23.038 has only the others).
    **dict(zip("ABEZHIKMNOPTYX", "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", strict=True)),
}
"""What is sent → what it stands for."""

_FULL_WIDTH: Final = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
"""The full-width forms of ASCII's printable characters."""

_TABLE: Final[dict[int, str]] = {
    **_FULL_WIDTH,
    ord("\uff40"): "'",  # the full-width backtick: GSM-7 has no backtick at all
    **{ord(char): plain for plain, chars in _LOOK_ALIKES.items() for char in chars},
}

_TWO_MARKS: Final = re.compile("[\u0300-\u036f]{2}")


def same_words(one: str, other: str) -> bool:
    """Whether two texts say the same, but for characters that look alike and space around: a carrier may have exchanged
    some."""
    return _plain(one) == _plain(other)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).translate(_TABLE).strip()


def smart_encode(text: str) -> SmartText:
    """`text` in GSM-7 if it can be told in it and costs fewer segments so; otherwise as it is, and where nothing would
    be left to see."""
    if text.isascii() and "`" not in text and "\t" not in text:
        return SmartText(text)
    # No letter of GSM-7 carries two accents, and long runs of them are slow to put in order.
    composed = text if _TWO_MARKS.search(text) else unicodedata.normalize("NFC", text)
    encoded = composed.translate(_TABLE)
    before, after = count(text), count(encoded)
    if not encoded.strip() or after.encoding is not Encoding.GSM_7 or after.segments >= before.segments:
        return SmartText(text)
    return SmartText(encoded, {char: _TABLE[ord(char)] for char in dict.fromkeys(composed) if ord(char) in _TABLE})
