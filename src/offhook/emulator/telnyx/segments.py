"""How many parts Telnyx sends a text in. The emulator's own count, so that it can disagree with its clients'.

Telnyx's GSM-7 is not the standard's: no Greek letters, no form feed, no euro sign, and what is not in its list sends
the whole text as UTF-16 (developers.telnyx.com "Message Encoding"; 160/153 and 70/67, at most 10 parts).
"""

from __future__ import annotations

from dataclasses import dataclass

PARTS_MAX = 10

_BASIC = frozenset(
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz\n\r !\"#$%&'()*+,-./:;<=>?@_"
    "£¥èéùìòØøÅåÆæßÉ¡ÄÖÑÜ§¿äöñüà"
)
_ESCAPED = frozenset("~^|\\{}[]")


@dataclass(frozen=True, slots=True)
class Parts:
    encoding: str
    """`GSM-7` or `UCS-2`, as in the field `encoding` of a message."""
    count: int


def parts_of(text: str, wanted: str = "auto") -> Parts | None:
    """Encoding and number of parts; `wanted` is the request's `encoding` (auto, gsm7, ucs2). None: not in GSM-7."""
    plain = all(character in _BASIC or character in _ESCAPED for character in text)
    if wanted == "gsm7" and not plain:
        return None
    if plain and wanted != "ucs2":
        units = sum(2 if character in _ESCAPED else 1 for character in text)
        return Parts("GSM-7", _count(units, single=160, part=153))
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2
    return Parts("UCS-2", _count(units, single=70, part=67))


def _count(units: int, *, single: int, part: int) -> int:
    """⌈units / part⌉, as Telnyx's formula has it: an escape pair at a boundary takes no extra room."""
    return 1 if units <= single else -(-units // part)
