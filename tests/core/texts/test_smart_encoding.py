from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.core.segments import Encoding, count
from offhook.core.texts.smart_encoding import smart_encode

A160 = "a" * 160


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("“Hello” – it’s fine…", '"Hello" - it\'s fine...'),
        ("a\u00a0b\u2009c\u3000d\te", "a b c d e"),
        ("ＡＢ１２！", "AB12!"),
        ("zero\u200bwidth\ufeff\u00ad", "zerowidth"),
        ("cafe\u0301", "café"),
        ("ΑΒΓ ΚΑΙ ΩΜΕΓΑ", "ABΓ KAI ΩMEΓA"),
        ("`code`", "'code'"),
        ("ﬁne", "fine"),
    ],
)
def test_look_alikes_become_gsm_7_where_that_saves_segments(written: str, sent: str) -> None:
    filler = "x" * (150 - len(written))
    encoded = smart_encode(written + filler)
    assert encoded.text == sent + filler
    assert count(encoded.text).encoding is Encoding.GSM_7


def test_a_curly_quote_takes_a_full_text_from_three_segments_to_one() -> None:
    written = A160[1:] + "’"
    assert (count(written).segments, count(smart_encode(written).text).segments) == (3, 1)


def test_what_was_exchanged_is_told() -> None:
    assert smart_encode("“a” – “b” " + "x" * 80).replaced == {"“": '"', "”": '"', "–": "-"}


@pytest.mark.parametrize(
    "text",
    [
        "It’s short",  # one segment either way
        A160,
        "“quoted” " + "emoji 😀 " + "x" * 80,  # does not fit GSM-7 in any spelling
        "está “así” " + "x" * 80,
        "«Москва» " + "x" * 80,
        "👨‍👩‍👧 – family " + "x" * 80,
        "a\u0301\u0302 – two accents " + "x" * 80,
        "",
    ],
)
def test_words_stay_as_they_are_where_nothing_is_saved(text: str) -> None:
    encoded = smart_encode(text)
    assert (encoded.text, encoded.replaced) == (text, {})


def test_long_runs_of_accents_cost_nobody_time() -> None:
    hostile = "a" + "\u0316\u0301" * 8000
    began = time.process_time()
    assert smart_encode(hostile).text == hostile
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize("text", ["\u200b" * 71, "\u00a0" * 71, " \ufeff" * 80])
def test_a_text_never_becomes_empty(text: str) -> None:
    assert smart_encode(text).text == text


@given(st.text(max_size=400))
def test_it_never_costs_more_and_a_second_time_changes_nothing(text: str) -> None:
    once = smart_encode(text)
    assert count(once.text).segments <= count(text).segments
    assert smart_encode(once.text).text == once.text
    assert (once.text == text) or count(once.text).encoding is Encoding.GSM_7
