"""What a text that somebody sent us asks for: to stop, to start again, help, or nothing of the kind.

The law: a person may take consent back "in any reasonable manner" (47 CFR 64.1200(a)(10)). What is taken for it, and
what is not, stands in docs/explanation/consent.md and, by example, in the tests. Whether somebody wants texts again is
read more strictly than whether they want none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, takewhile

from offhook.telephony.consent.language import Kind, Language, Pattern, around
from offhook.telephony.consent.languages import languages
from offhook.telephony.consent.opting import How
from offhook.telephony.consent.plain import Clause, clauses_of, words_of


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for, and whether by a keyword or in words of one's own."""

    kind: Kind
    how: How


def read(body: str, spoken: Sequence[Language] | None = None) -> Wish | None:
    """What the text asks for. Pure; linear in at most MAX_CHARACTERS. `spoken` None: all languages there are."""
    spoken = languages() if spoken is None else spoken
    words, clauses = words_of(body), clauses_of(body)
    if not words:
        return None
    kind, how = _keyword(words, spoken), How.KEYWORD
    if kind is None:
        kind, how = _in_words_of_their_own(words, clauses, spoken), How.FREE_FORM
    if kind is None or (kind is Kind.START and any(clause.asks for clause in clauses)):
        return None
    return Wish(kind, how)


def _keyword(words: str, spoken: Sequence[Language]) -> Kind | None:
    said = words.split()
    once = f" {said[0]}" if len(set(said)) == 1 else words  # also "stop stop stop"
    found = (language.keywords.get(words) or language.keywords.get(once) for language in spoken)
    return next((kind for kind in found if kind is not None), None)


def _in_words_of_their_own(words: str, clauses: Sequence[Clause], spoken: Sequence[Language]) -> Kind | None:
    alone, bare = _mixed(tuple(spoken))
    if alone.match(words) or _stands_out(bare, clauses, spoken):
        return Kind.STOP
    if any(_revokes(language, clauses) for language in spoken):
        return Kind.STOP
    if any(language.resuming.match(words) for language in spoken):
        return Kind.START
    return None


@lru_cache(maxsize=8)
def _mixed(spoken: tuple[Language, ...]) -> tuple[Pattern, Pattern]:
    """`alone` and `bare` of all the languages: "stop, gracias" is in two."""
    manners = [phrase for language in spoken for phrase in language.manners]
    courtesies = [phrase for language in spoken for phrase in language.courtesies]
    return (
        around([phrase for language in spoken for phrase in language.alone], before=manners, after=manners),
        around([phrase for language in spoken for phrase in language.bare], before=courtesies, after=courtesies),
    )


def _stands_out(bare: Pattern, clauses: Sequence[Clause], spoken: Sequence[Language]) -> bool:
    """The text begins with a sentence that is the wish ("Stop. Who are you?"), or ends in a clause that is."""
    if len(clauses) < 2 or any(language.jest.search(clause.words) for language in spoken for clause in clauses):
        return False
    first, before, last = clauses[0], clauses[-2], clauses[-1]
    if bare.match(first.words) and first.is_last_of_sentence and not first.asks:
        return True
    if not bare.match(last.words) or last.asks:
        return False
    if before.is_last_of_sentence:
        return True
    sentence = takewhile(lambda clause: not clause.is_last_of_sentence, reversed(clauses[:-1]))
    conditional = any(language.condition.match(clause.words) for clause in sentence for language in spoken)
    return "," in before.end and not conditional


def _revokes(language: Language, clauses: Sequence[Clause]) -> bool:
    """A clause does as it stands, or what follows one of its joints: "do not call or text me" is one clause."""
    for clause, after in pairwise((*clauses, None)):
        if clause is None or not any(map(language.revoking.match, language.parts(clause.words))):
            continue
        if after is None or clause.is_last_of_sentence or not language.reservation.match(after.words):
            return True
    return False
