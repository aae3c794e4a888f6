"""How one language says stop, start and help: what a module in `languages/` declares, as data.

A phrase is a row of slots with a space between them. A slot is one word or several alternatives (`stop|quit`), `_`
joins the words of one alternative, and `?` makes the slot optional:

    stop|quit ?all texting|messaging ?me|us       "stop texting", "quit all messaging me"

So a phrase is a sentence with choices and nothing more, and is read in linear time.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from offhook.telephony.consent.plain import words_of

_MOST_AROUND: Final = 5
"""Openers before a phrase, and closers after it."""


class Kind(StrEnum):
    """What people ask for."""

    STOP = "stop"
    START = "start"
    HELP = "help"


@dataclass(frozen=True)
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
    """What may stand on either side of those: "please", "now"."""
    clauses: Collection[str]
    """The same, as a whole clause: "I moved. Please stop texting." Not "stop texting and driving"."""
    revocations: Collection[str]
    """The same, at the beginning of a clause whose rest says something else: "stop texting me or I will …"."""
    resumptions: Collection[str]
    """Phrases that give it again, as a whole clause."""
    openers: Collection[str]
    """What may stand before a phrase and change nothing: "please", "can you"."""
    closers: Collection[str]
    """The same, after it: "now", "thank you"."""
    joints: Collection[str]
    """Words that begin a new clause: "and", "but"."""
    breaks: Collection[str]
    """Words at which something else begins."""

    @cached_property
    def keywords(self) -> Mapping[str, Kind]:
        """By its words, what a whole text means."""
        by_kind = {Kind.STOP: self.stop, Kind.START: self.start, Kind.HELP: self.help}
        return {words_of(keyword): kind for kind, keywords in by_kind.items() for keyword in keywords}

    @cached_property
    def stopping(self) -> re.Pattern[str]:
        """Matches a whole text."""
        return _around(self.alone, "$", before=self.manners, after=self.manners)

    @cached_property
    def revoking(self) -> re.Pattern[str]:
        """Matches a clause from its beginning."""
        rest = rf"(?:$|{_any(self.breaks)})"
        return re.compile(f"{self._among(self.clauses, '$').pattern}|{self._among(self.revocations, rest).pattern}")

    @cached_property
    def resuming(self) -> re.Pattern[str]:
        """Matches a clause."""
        return self._among(self.resumptions, "$")

    @cached_property
    def joint(self) -> re.Pattern[str]:
        return re.compile(_any(self.joints))

    def _among(self, phrases: Collection[str], end: str) -> re.Pattern[str]:
        return _around(phrases, end, before=self.openers, after=self.closers)


def _around(phrases: Collection[str], end: str, *, before: Collection[str], after: Collection[str]) -> re.Pattern[str]:
    few = f"{{0,{_MOST_AROUND}}}"
    return re.compile(rf"(?:{_any(before)}){few}{_any(phrases)}(?:{_any(after)}){few}{end}")


def _any(phrases: Collection[str]) -> str:
    choices = "|".join(_pattern(phrase) for phrase in phrases)
    return f"(?:{choices})(?= |$)" if choices else "(?!)"


def _pattern(phrase: str) -> str:
    """Every word comes after a space."""
    return "".join(_slot(slot) for slot in phrase.split())


def _slot(slot: str) -> str:
    choices = "|".join(re.escape(words_of(choice.replace("_", " "))) for choice in slot.lstrip("?").split("|"))
    return f"(?:{choices})?" if slot.startswith("?") else f"(?:{choices})"
