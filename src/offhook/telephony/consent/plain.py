"""A text as its words alone: what is left of it once spelling, punctuation and decoration no longer matter."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_CHARACTERS: Final = 4096
"""What is read of a text. A carrier delivers at most 1600 (facts/telephony.md 1.1); the rest is somebody's test of
our patience."""

_NOTHING: Final = dict.fromkeys(map(ord, "'’‘`´ʼ\"“”„«»*_"))  # don't, "stop", *stop*
_OR: Final = {ord("/"): " or ", ord("&"): " and ", ord("+"): " and "}
_WORD: Final = re.compile(r"\w+")
_BREAK: Final = re.compile(r"[^\w\s-]+|\s-+\s|\n|\r")
"""What ends a clause: punctuation, symbols, a dash between spaces, a new line. A hyphen within a word does not."""


def unify(text: str) -> str:
    """Full-width and ornamental letters as plain ones, without case, accents, invisible characters, quotation marks.

    A word list is unified by the same function, so what it loses (the dots of ü) both sides lose.
    """
    # One character may become eighteen.
    plain = unicodedata.normalize("NFKC", text[:MAX_CHARACTERS])[:MAX_CHARACTERS]
    decomposed = unicodedata.normalize("NFKD", plain.casefold().translate(_NOTHING).translate(_OR))
    return "".join(char for char in decomposed if unicodedata.category(char) not in ("Mn", "Me", "Cf"))


def words_of(text: str) -> str:
    """The words, each after a space: `Please, STOP!` is ` please stop`. One spelled out (S.T.O.P) is one word."""
    words = _WORD.findall(unify(text))
    if len(words) > 1 and all(len(word) == 1 for word in words):
        words = ["".join(words)]
    return _joined(words)


def clauses_of(text: str) -> list[str]:
    """The words of each clause, as `words_of` has them."""
    return [_joined(words) for clause in _BREAK.split(unify(text)) if (words := _WORD.findall(clause))]


def _joined(words: list[str]) -> str:
    return "".join(f" {word}" for word in words)
