"""How many parts a text is sent in. The emulator's own count, so that it can disagree with its clients'.

Rules: facts/telephony.md 1.7 (GSM 03.38 and the 6-byte header of concatenated messages).
"""

from __future__ import annotations

from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("|^€{}[]~\\\f")


@dataclass(frozen=True, slots=True)
class Segmentation:
    encoding: str
    """`GSM-7` or `UCS-2`."""
    segments: int


def segmentation(body: str) -> Segmentation:
    """The encoding and number of parts of a text; an empty one has 1 part, as Twilio bills it."""
    if all(character in _BASIC or character in _EXTENDED for character in body):
        widths = [2 if character in _EXTENDED else 1 for character in body]
        return Segmentation("GSM-7", _parts(widths, single=160, part=153))
    units = len(body.encode("utf-16-le", "surrogatepass")) // 2
    return Segmentation("UCS-2", 1 if units <= 70 else -(-units // 67))


def _parts(widths: list[int], *, single: int, part: int) -> int:
    if sum(widths) <= single:
        return 1
    parts, room = 1, part
    for width in widths:
        if width > room:  # an escape pair is not split over two parts
            parts, room = parts + 1, part
        room -= width
    return parts
