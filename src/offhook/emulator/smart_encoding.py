"""Look-alikes of GSM-7 characters: a text that needs UCS-2 only for these is sent with the plain ones.

Twilio replaces 271 characters, and only where nothing else forces UCS-2 (facts/telephony.md 1.7; its announcement of
Smart Encoding). This table holds the common ones by kind; its list is not published as one.
"""

from __future__ import annotations

from offhook.emulator.segments import segmentation

_LOOK_ALIKES: dict[str, str] = {
    '"': "\u00ab\u00bb\u201c\u201d\u201e\u201f\u02ba\u02ee\u2033\u2036\u275d\u275e\u301d\u301e\u301f\uff02",
    "'": "\u2018\u2019\u201a\u201b\u02b9\u02bb\u02bc\u02bd\u02c8\u02ca\u02cb\u0060\u00b4\u2032\u2035\u2039\u203a"
    "\u275b\u275c\uff07",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u23af\u23bc\u23bd\u2e3a\u2e3b\ufe58\ufe63\uff0d",
    " ": "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f"
    "\u3000",
    "": "\u00ad\u180e\u200b\u200c\u200d\u2060\ufeff",
    "...": "\u2026",
    "/": "\u2044\u2215\u29f8\uff0f",
    "*": "\u2022\u2217\u204e\u2731\u2055\ufe61\uff0a",
    "~": "\u02dc\u02f7\u223c\u301c\uff5e",
    "^": "\u02c4\u02c6\u2038\ua788\uff3e",
    "_": "\u2017\uff3f",
    "|": "\u01c0\u2223\u23d0\u2758\uff5c",
    "\\": "\u2216\u29f5\u29f9\ufe68\uff3c",
    "!": "\u01c3\u2762\ufe57\uff01",
    "?": "\ufe56\uff1f",
    ",": "\u02cc\ufe50\ufe51\uff0c",
    ".": "\u2024\ufe52\uff0e",
    ":": "\u02d0\u2236\u02f8\ua789\ufe55\uff1a",
    ";": "\u204f\ufe54\uff1b",
    "(": "\u2768\u276a\ufe59\uff08",
    ")": "\u2769\u276b\ufe5a\uff09",
    "[": "\ufe5d\uff3b\u301a",
    "]": "\ufe5e\uff3d\u301b",
    "{": "\u2774\ufe5b\uff5b",
    "}": "\u2775\ufe5c\uff5d",
    "<": "\u2329\u3008\ufe64\uff1c",
    ">": "\u232a\u3009\ufe65\uff1e",
    "=": "\ufe66\uff1d\ua78a",
    "+": "\ufe62\uff0b",
    "#": "\ufe5f\uff03",
    "$": "\ufe69\uff04",
    "%": "\ufe6a\uff05",
    "&": "\ufe60\uff06",
    "@": "\ufe6b\uff20",
    "1/4": "\u00bc",
    "1/2": "\u00bd",
    "3/4": "\u00be",
}
_WIDE = ((0xFF10, "0", 10), (0xFF21, "A", 26), (0xFF41, "a", 26))
"""Full-width digits and letters: the first of each run, what it looks like, how many follow."""
_TABLE = {
    **{ord(alike): plain for plain, alikes in _LOOK_ALIKES.items() for alike in alikes},
    **{first + n: chr(ord(plain) + n) for first, plain, count in _WIDE for n in range(count)},
}


def smart_encoded(body: str) -> str:
    """The text with its look-alikes replaced, if it fits GSM-7 then; else as it is."""
    if segmentation(body).encoding == "GSM-7":
        return body
    plain = body.translate(_TABLE)
    return plain if segmentation(plain).encoding == "GSM-7" else body
