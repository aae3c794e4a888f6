from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from offhook.core.jsonvalue import compact
from offhook.tools.results import MAX_ANSWER_BYTES, capped


def test_an_answer_is_kept_as_it_is() -> None:
    assert capped({"a": [1, {"b": None}]}) == {"a": [1, {"b": None}]}


_STORABLE = st.characters(exclude_characters="\x00", exclude_categories=["Cs"])


@given(st.text(_STORABLE, min_size=1, max_size=40), st.integers(1, 20_000))
def test_a_long_answer_is_cut_to_16_kb_and_says_so(text: str, times: int) -> None:
    answer = capped({"text": text * times})
    assert len(compact(answer).encode()) <= MAX_ANSWER_BYTES
    assert ("note" in answer) is (len(compact({"text": text * times}).encode()) > MAX_ANSWER_BYTES)


def test_what_is_no_json_gives_a_note() -> None:
    assert "note" in capped({"a": object()})
    assert capped({"a": float("inf"), "b": "\x00"}) == {"a": None, "b": ""}
