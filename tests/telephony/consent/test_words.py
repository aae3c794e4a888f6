"""What people write and what it is taken for: examples.py is the table."""

from __future__ import annotations

import time
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.telephony.consent.language import Kind, Language
from offhook.telephony.consent.languages import languages
from offhook.telephony.consent.opting import How
from offhook.telephony.consent.words import Wish, read
from telephony.consent import examples

BY_KEYWORD, IN_OWN_WORDS = How.KEYWORD, How.FREE_FORM


@pytest.mark.parametrize("text", examples.KEYWORD_STOP)
def test_a_keyword_stops_however_it_is_dressed(text: str) -> None:
    assert read(text) == Wish(Kind.STOP, BY_KEYWORD)


@pytest.mark.parametrize("text", examples.FREE_FORM_STOP)
def test_words_of_ones_own_stop(text: str) -> None:
    assert read(text) == Wish(Kind.STOP, IN_OWN_WORDS)


@pytest.mark.parametrize("text", examples.START)
def test_texts_are_asked_for_again(text: str) -> None:
    wish = read(text)
    assert wish is not None
    assert wish.kind is Kind.START


@pytest.mark.parametrize("text", examples.HELP)
def test_help_is_asked_for(text: str) -> None:
    assert read(text) == Wish(Kind.HELP, BY_KEYWORD)


@pytest.mark.parametrize("text", examples.NOTHING)
def test_what_means_something_else_is_left_alone(text: str) -> None:
    assert read(text) is None


def test_no_example_stands_on_two_lists() -> None:
    lists = (examples.KEYWORD_STOP, examples.FREE_FORM_STOP, examples.START, examples.HELP, examples.NOTHING)
    everything = [text for texts in lists for text in texts]
    assert len(everything) == len(set(everything))


def test_a_language_is_one_module_and_only_those_spoken_are_read() -> None:
    assert {language.tag for language in languages()} >= {"en", "es"}
    [spanish] = [language for language in languages() if language.tag == "es"]
    assert read("baja", [spanish]) == Wish(Kind.STOP, BY_KEYWORD)
    assert read("stop", [spanish]) is None
    assert read("stop", []) is None


def test_a_language_may_have_nothing_to_say() -> None:
    silent = Language("xx", *[()] * (len(fields(Language)) - 1))
    assert read("stop texting me", [silent]) is None


HOSTILE = {
    "a megabyte": "stop " * 300_000,
    "one word of megabytes": "a" * 5_000_000,
    "politeness without end": "please " * 1000 + "stop texting mee",
    "openers of several words": "i want you to can you please " * 200,
    "closers without end": "stop texting me" + " right now please" * 300 + " x",
    "half phrases": "stop sending me all any more of the these " * 200,
    "denials": "do not do not dont " * 300,
    "joints": "and stop " * 600,
    "clauses": "stop texting my. " * 300,
    "characters of eighteen letters": "\ufdfa" * 300_000,
    "marks upon marks": "s" + "\u0301" * 4000 + "top",
    "emoji": "🛑" * 5000,
    "repeated letters": "i " * 3000,
    "pleas": "please stop texting my " * 200,
    "threats": "stop or i will sue " * 250,
    "sentences of one word": "stop. " * 800,
    "conditions": "if, " * 1000 + "stop",
    "breaks": "?!.,-\n" * 800,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_take_no_time(name: str) -> None:
    read("warm up")
    began = time.perf_counter()
    read(HOSTILE[name])
    assert time.perf_counter() - began < 0.5  # 40 ms at most, measured; the machine may be busy


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_whatever_is_written_is_read(text: str) -> None:
    wish = read(text)
    assert wish is None or wish.kind in Kind
