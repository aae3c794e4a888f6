"""A text as its words alone: what is left of it once spelling, punctuation and decoration no longer matter."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

MAX_CHARACTERS: Final = 4096
"""What is read of a text. A carrier delivers at most 1600 (facts/telephony.md 1.1); the rest is somebody's test of
our patience."""

_NOTHING: Final = dict.fromkeys(map(ord, "'’‘‛′`´ʼ\"“”„«»*_"))  # don't, "stop", *stop*
_OR: Final = {ord("/"): " or ", ord("&"): " and ", ord("+"): " and "}
_ORNAMENTAL: Final = {
    first + place: letter
    for first in (0x1F150, 0x1F170)  # white on black, in circles and in squares
    for place, letter in enumerate("abcdefghijklmnopqrstuvwxyz")
}
"""Letters that Unicode does not call compatible with plain ones."""
_LOOKALIKE: Final = str.maketrans("авекмнорстухѕіјαεικνορτυχ", "abekmhopctyxsijaeiknoptux")
"""Cyrillic and Greek letters, lower case, that look like Latin ones in one case or the other."""

_DRAWN_OUT: Final = re.compile(r"([^\W\d])\1{2,}")  # pleaseee
_WORD: Final = re.compile(r"\w+|#(?!\w)")
_BREAK: Final = re.compile(r"((?:[^\w\s#-]|#(?=\w)|\s-+\s|\n|\r)+)")
"""What ends a clause: punctuation, symbols, a dash between spaces, a new line. A hyphen within a word does not, nor the
sign that stands for the word number."""
_SENTENCE_END: Final = re.compile(r"[.!?;\n\r–—-]")


@dataclass(frozen=True, slots=True)
class Clause:
    """`words` as `words_of` has them; `end` is what stands between it and the next."""

    words: str
    end: str

    @property
    def is_last_of_sentence(self) -> bool:
        return _SENTENCE_END.search(self.end) is not None

    @property
    def asks(self) -> bool:
        return "?" in self.end


def unify(text: str) -> str:
    """Full-width and ornamental letters as plain ones, without case, accents, invisible characters, quotation marks,
    and letters that are drawn out.

    A word list is unified by the same function, so what it loses (the dots of ü) both sides lose.
    """
    # Before anything is taken apart: ´ is a space and an accent to Unicode. One character may become eighteen.
    plain = unicodedata.normalize("NFKC", text[:MAX_CHARACTERS].translate(_NOTHING))[:MAX_CHARACTERS]
    latin = plain.casefold().translate(_NOTHING).translate(_OR).translate(_ORNAMENTAL)
    decomposed = unicodedata.normalize("NFKD", latin)
    bare = "".join(char for char in decomposed if unicodedata.category(char) not in ("Mn", "Me", "Cf"))
    return _DRAWN_OUT.sub(r"\1", bare.translate(_LOOKALIKE))


def words_of(text: str) -> str:
    """The words, each after a space: `Please, STOP!` is ` please stop`. One spelled out (S.T.O.P) is one word."""
    words = _WORD.findall(unify(text))
    if len(words) > 1 and all(len(word) == 1 for word in words):
        words = ["".join(words)]
    return _joined(words)


def clauses_of(text: str) -> list[Clause]:
    """Those that have words."""
    # The pieces are clauses and what stands between them by turns.
    pieces = [*_BREAK.split(unify(text)), ""]
    clauses: list[Clause] = []
    for clause, end in zip(pieces[::2], pieces[1::2], strict=True):
        if words := _WORD.findall(clause):
            clauses.append(Clause(_joined(words), end))
        elif clauses:  # ", (" is one end
            clauses[-1] = Clause(clauses[-1].words, clauses[-1].end + end)
    return clauses


def _joined(words: list[str]) -> str:
    return "".join(f" {word}" for word in words)
