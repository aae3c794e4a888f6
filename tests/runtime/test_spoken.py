"""What the rehearsal model says of a tool's answer, whatever JSON it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.runtime.spoken import MOST_CHARACTERS, PHRASING, report


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            {
                "sent_to": [{"to": "the caller's number ending 43", "status": "sent"}],
                "note": "Where the status is sent, you may say that it was sent.",
            },
            "To the caller's number ending 43: sent.",
        ),
        ({"status": "sent"}, "Status: sent."),
        ({"slots": ["9:00", "9:30"], "day": "Monday"}, "Day: Monday; slots: 9:00, 9:30."),
        ({"tickets": [{"ticket": 7, "ready": True, "bike": "Trek."}]}, "Ticket 7: ready yes, Trek."),
        ({"customer": {"name": "Ada", "age": None}}, "Customer: name: Ada."),
        ({"hours": [{"day": "Monday"}, {"day": "Tuesday"}]}, "Day Monday, day Tuesday."),
        ({"text": "It is ready."}, "Text: It is ready."),
        ([1, 2, 3, 4, 5, 6], "1, 2, 3, 4, and 2 more."),
        (4.5, "4.5."),
    ],
)
def test_an_answer_is_said_in_short_words(answer: Any, said: str) -> None:
    assert report(json.dumps(answer), False) == f"Done. {said} {PHRASING}"


@pytest.mark.parametrize("answer", [{}, [], None, {"note": "Say it kindly."}, {"rows": [{}]}, ""])
def test_where_there_is_nothing_to_say_it_is_only_done(answer: Any) -> None:
    assert report(json.dumps(answer), False) == "Done."


def test_an_error_is_told_as_it_is() -> None:
    assert report("The caller opted out.", True) == "That did not work: The caller opted out."
    assert report('{"error": "no number"}', False) == "That did not work: no number."


def test_a_sentence_stays_what_it_is() -> None:
    assert report("The text is on its way.", False) == "The text is on its way."
    assert report("", False) == "Done."


@pytest.mark.parametrize("word", ["word ", "antidisestablishmentarianism, "])
def test_a_long_text_is_cut_between_words(word: str) -> None:
    said = report(json.dumps({"text": word * 1000}), False)
    assert len(said) < MOST_CHARACTERS + 80
    assert said.removesuffix(f" {PHRASING}").endswith(f"{word.strip(' ,')} and so on.")


def test_what_has_no_words_to_be_cut_between_is_not_read_out() -> None:
    assert report(json.dumps({"text": "x" * 1000}), False) == f"Done. Text: a long text. {PHRASING}"


def test_an_answer_of_the_first_time_is_told_as_one_without_what_is_meant_for_the_model() -> None:
    answer = {
        "already_done": f"This was already done. {'Call the function with again. ' * 9}",
        "sent_to": [{"to": "the caller's number ending 43", "status": "sent"}],
        "note": "Where the status is sent, you may say that it was sent.",
    }
    told = f"That was already done. To the caller's number ending 43: sent. {PHRASING}"
    assert report(json.dumps(answer), False) == told
    assert report(json.dumps({"already_done": "This was already done."}), False) == "That was already done."


def test_a_tools_own_word_on_what_is_done_is_said() -> None:
    assert report(json.dumps({"already_done": True}), False) == f"Done. Already done: yes. {PHRASING}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_any_answer_gives_sentences_with_one_full_stop_each(answer: Any) -> None:
    said = report(json.dumps(answer), False)
    assert said.startswith(("Done.", "That did not work:"))
    assert said[-1] in ".!?"
    assert ".." not in said or ".." in json.dumps(answer)
