"""A long text as several, each of which fits: cut between sentences, else between words, else between characters.

Never inside a link, nor inside what a reader sees as one character. White space at a cut goes; nothing else does.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from offhook.core.segments import clusters, count, extends

MAX_PARTS: Final = 10
"""Ours: what is longer is a document, and a link to it is the better text."""

MAX_CHARACTERS: Final = 16_000
"""Ours, of what is still to be split or stripped: MAX_PARTS texts of the longest that a carrier takes."""

_LINK: Final = re.compile(r"(?:https?://|www\.)[^\s\u3000-\u303f\uff00-\uffef]+", re.IGNORECASE)
_LINE_END: Final = re.compile(r"\n+")
# From the first sign of a run on, and without going back: a run of many without a space is looked at once.
_SENTENCE_END: Final = re.compile(r"(?:(?<![.!?…])[.!?…]++[)\"'”’»\]]*+(?=\s))|[。！？]++")
_WHITE: Final = re.compile(r"\s+")
_SHORTEST: Final = 1 / 3
"""A part that ends at a sentence is at least that full; better a cut between words than many tiny texts."""


@dataclass(frozen=True, slots=True)
class Room:
    """What one text may hold. `max_segments` None: only characters count."""

    max_characters: int
    max_segments: int | None = None

    def holds(self, text: str) -> bool:
        if len(text) > self.max_characters:
            return False
        return self.max_segments is None or count(text).segments <= self.max_segments


class CannotSplit(Exception):
    """`sentence` says why: too many parts, or a link that fits no part."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def split(text: str, room: Room, max_parts: int = MAX_PARTS) -> tuple[str, ...]:
    """The parts in order; `text` itself where it fits. Raises CannotSplit."""
    if room.holds(text):
        return (text,)
    if len(text) > max_parts * room.max_characters:
        raise CannotSplit(_too_long(max_parts))
    cuts = _Cuts(text)
    for ends in (cuts.sentences, cuts.words):
        parts = _parts(text, room, max_parts, cuts, ends)
        if parts is not None:
            return parts
    raise CannotSplit(_too_long(max_parts))


def _too_long(max_parts: int) -> str:
    return f"The text does not fit into {max_parts} texts, which is the most that one is split into."


class _Cuts:
    """Where a text may be cut: ascending positions, by how well a cut reads there."""

    def __init__(self, text: str) -> None:
        links = [match.span() for match in _LINK.finditer(text)]
        starts = [start for start, _ in links]

        def outside(position: int) -> bool:
            index = bisect.bisect_left(starts, position) - 1
            in_link = index >= 0 and position < links[index][1]
            return not in_link and not (position < len(text) and extends(text[position]))

        def ends(pattern: re.Pattern[str]) -> Iterator[int]:
            return (match.end() for match in pattern.finditer(text) if outside(match.end()))

        self.sentences = sorted({*ends(_LINE_END), *ends(_SENTENCE_END)})
        self.words = sorted(ends(_WHITE))
        self._text = text
        self._outside: Callable[[int], bool] = outside
        self._characters: list[int] | None = None

    @property
    def characters(self) -> Sequence[int]:
        """The ends of what a reader sees as characters."""
        if self._characters is None:
            position, found = 0, list[int]()
            for cluster in clusters(self._text):
                position += len(cluster)
                if self._outside(position):
                    found.append(position)
            self._characters = found
        return self._characters


def _parts(text: str, room: Room, max_parts: int, cuts: _Cuts, ends: Sequence[int]) -> tuple[str, ...] | None:
    """None where `max_parts` are not enough."""
    parts: list[str] = []
    start = len(text) - len(text.lstrip())
    while start < len(text):
        if len(parts) == max_parts:
            return None
        end = _end(text, start, room, cuts, ends)
        part = text[start:end].rstrip()
        parts.append(part)
        start = end + len(text[end:]) - len(text[end:].lstrip())
    return tuple(parts)


def _end(text: str, start: int, room: Room, cuts: _Cuts, ends: Sequence[int]) -> int:
    """Where the part that begins at `start` ends."""
    limit = _reach(text, start, room)
    if limit >= len(text):
        return len(text)
    least = start + int((limit - start) * _SHORTEST)
    for positions, lowest in ((ends, least), (cuts.words, start), (cuts.characters, start)):
        index = bisect.bisect_right(positions, limit) - 1
        if index >= 0 and positions[index] > lowest:
            return positions[index]
    if _LINK.match(text, start) is not None:
        raise CannotSplit("The text has a link that is longer than one text may be.")
    return limit  # one character under so many accents that it fits no part


def _reach(text: str, start: int, room: Room) -> int:
    """The furthest end up to which a part fits; white space at its end is free."""
    low, high = start + 1, min(len(text), start + room.max_characters)
    if not room.holds(text[start:high].rstrip()):
        while low < high:
            middle = (low + high + 1) // 2
            if room.holds(text[start:middle].rstrip()):
                low = middle
            else:
                high = middle - 1
        high = low
    while high < len(text) and text[high].isspace():
        high += 1
    return high
