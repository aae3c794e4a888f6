"""How one language says stop, start and help: what a module in `languages/` declares, as data.

A phrase is a row of slots with a space between them. A slot is one word or several alternatives (`stop|quit`), `_`
joins the words of one alternative, and `?` makes the slot optional; DIGITS is a number, ANYTHING the rest of the
clause, END its end:

    stop|quit ?all texting|messaging ?me|us       "stop texting", "quit all messaging me"

So a phrase is a sentence with choices and nothing more, and is read in linear time.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from offhook.telephony.consent.plain import words_of

_MOST_AROUND: Final = 5
"""Openers before a phrase, and closers after it."""

_TOKENS: Final = {"DIGITS": r" \d\w*", "ANYTHING": ".*", "END": "$"}

Pattern = re.Pattern[str]


class Kind(StrEnum):
    """What people ask for."""

    STOP = "stop"
    START = "start"
    HELP = "help"


@dataclass(frozen=True, eq=False)
class Language:
    """Keywords count where they are the whole text; phrases where they are a whole clause."""

    tag: str
    stop: Collection[str]
    start: Collection[str]
    help: Collection[str]
    alone: Collection[str]
    """Phrases that take consent back where nothing but manners stands around them in the whole text: "please stop".
    Not "please cancel", which is about an appointment, nor "can you stop here", which is about a taxi."""
    manners: Collection[str]
    """What may stand on either side of those, in whichever language: "please", "not interested"."""
    bare: Collection[str]
    """The same where they are the first sentence of a text or its last clause, with courtesies around them: "I never
    signed up. Stop". Not "cancel. I can't make it"."""
    courtesies: Collection[str]
    """What may stand on either side of those, and of resumptions: "please", "thanks"."""
    jests: Collection[str]
    """Words that show, anywhere in a text, that a bare "stop" was not meant: "lol"."""
    conditions: Collection[str]
    """Words that show, at the beginning of a sentence, that its end is about something else: "when I wave, stop"."""
    clauses: Collection[str]
    """Phrases that take consent back as a whole clause: "I moved. Please stop texting." Not "stop texting and
    driving"."""
    revocations: Collection[str]
    """The same, at the beginning of a clause whose rest says something else: "stop texting me or I will …"."""
    reservations: Collection[str]
    """What, said next in the same sentence, shows that it was about this moment or another number: "I'm driving"."""
    resumptions: Collection[str]
    """Phrases that give it again, as the whole text."""
    openers: Collection[str]
    """What may stand before a clause and change nothing: "please", "can you"."""
    closers: Collection[str]
    """The same, after it: "now", "thank you"."""
    joints: Collection[str]
    """Words that begin a new clause: "and", "but", a "please" in the middle."""
    breaks: Collection[str]
    """Words at which something else begins."""

    @cached_property
    def keywords(self) -> Mapping[str, Kind]:
        """By its words, what a whole text means."""
        by_kind = {Kind.STOP: self.stop, Kind.START: self.start, Kind.HELP: self.help}
        return {words_of(keyword): kind for kind, keywords in by_kind.items() for keyword in keywords}

    @cached_property
    def revoking(self) -> Pattern:
        """Matches a clause from its beginning."""
        rest = rf"(?:$|(?!{_any(self.reservations)}){_any(self.breaks)})"
        whole, begun = (
            around(phrases, end, before=self.openers, after=self.closers).pattern
            for phrases, end in ((self.clauses, "$"), (self.revocations, rest))
        )
        return re.compile(f"{whole}|{begun}")

    @cached_property
    def resuming(self) -> Pattern:
        """Matches a whole text."""
        return around(self.resumptions, before=self.courtesies, after=self.courtesies)

    @cached_property
    def reservation(self) -> Pattern:
        return re.compile(_any(self.reservations))

    @cached_property
    def jest(self) -> Pattern:
        return re.compile(_any(self.jests))

    @cached_property
    def condition(self) -> Pattern:
        return re.compile(_any(self.conditions))

    @cached_property
    def _joint(self) -> Pattern:
        return re.compile(_any(self.joints))

    def parts(self, clause: str) -> Sequence[str]:
        """The clause, and what follows each of its joints."""
        return (clause, *(clause[joint.end() :] for joint in self._joint.finditer(clause)))


def around(phrases: Collection[str], end: str = "$", *, before: Collection[str], after: Collection[str]) -> Pattern:
    """Matches one of the phrases, with a few of the others on either side, up to `end`."""
    few = f"{{0,{_MOST_AROUND}}}"
    return re.compile(rf"(?:{_any(before)}){few}{_any(phrases)}(?:{_any(after)}){few}{end}")


def _any(phrases: Collection[str]) -> str:
    choices = "|".join(_pattern(phrase) for phrase in phrases)
    return f"(?:{choices})(?= |$)" if choices else "(?!)"


def _pattern(phrase: str) -> str:
    """Every word comes after a space."""
    return "".join(_slot(slot) for slot in phrase.split())


def _slot(slot: str) -> str:
    choices = "|".join(map(_choice, slot.lstrip("?").split("|")))
    return f"(?:{choices})?" if slot.startswith("?") else f"(?:{choices})"


def _choice(choice: str) -> str:
    return _TOKENS.get(choice) or re.escape(words_of(choice.replace("_", " ")))
