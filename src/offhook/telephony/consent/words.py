"""What a text that somebody sent us asks for: to stop, to start again, help, or nothing of the kind.

The law: a person may take consent back "in any reasonable manner" (47 CFR 64.1200(a)(10)). What is taken for it, and
what is not, stands in docs/explanation/consent.md and, by example, in the tests.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from offhook.telephony.consent.language import Kind, Language
from offhook.telephony.consent.languages import languages
from offhook.telephony.consent.opting import How
from offhook.telephony.consent.plain import MAX_CHARACTERS, clauses_of, words_of


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for, and whether by a keyword or in words of one's own."""

    kind: Kind
    how: How


_SHOUTED: Final = re.compile(r"\W*([A-Z]{2,20})(?:[.!\r\n]| ?[-–—] )")
"""A word in capitals at the beginning, set off from the rest: `STOP! Who is this?`"""


def read(body: str, spoken: Sequence[Language] | None = None) -> Wish | None:
    """What the text asks for. Pure; linear in at most MAX_CHARACTERS. `spoken` None: all languages there are."""
    spoken = languages() if spoken is None else spoken
    words = words_of(body)
    if not words:
        return None
    kind = _keyword(words, spoken)
    if kind is not None:
        return Wish(kind, How.KEYWORD)
    kind = _in_words_of_their_own(body, words, spoken)
    return None if kind is None else Wish(kind, How.FREE_FORM)


def _keyword(words: str, spoken: Sequence[Language]) -> Kind | None:
    said = words.split()
    once = f" {said[0]}" if len(set(said)) == 1 else words  # also "stop stop stop"
    found = (language.keywords.get(words) or language.keywords.get(once) for language in spoken)
    return next((kind for kind in found if kind is not None), None)


def _in_words_of_their_own(body: str, words: str, spoken: Sequence[Language]) -> Kind | None:
    clauses = clauses_of(body)
    shouted = _SHOUTED.match(unicodedata.normalize("NFKC", body[:MAX_CHARACTERS]))
    alone = [words, words_of(shouted[1])] if shouted else [words]
    if any(language.stopping.match(text) for language in spoken for text in alone):
        return Kind.STOP
    if any(_matches(language.revoking, clauses, language) for language in spoken):
        return Kind.STOP
    if any(_matches(language.resuming, clauses, language) for language in spoken):
        return Kind.START
    return None


def _matches(phrases: re.Pattern[str], clauses: Sequence[str], language: Language) -> bool:
    """Each clause as it stands, and what follows its joints: "do not call or text me" is one clause."""
    return any(phrases.match(part) for clause in clauses for part in (clause, *language.joint.split(clause)[1:]))
