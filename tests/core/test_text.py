"""Text from outside: what PostgreSQL cannot store is taken out, and nothing else changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.core.text import clean_text, is_clean, shorten


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain é 😀", "plain é 😀"),
        ("a\0b", "ab"),
        ("\ud83d\ude00", "😀"),
        ("\ud800x", "\ufffdx"),
        ("x\udc00", "x\ufffd"),
        ("\ud800", "\ufffd"),
    ],
)
def test_nul_is_dropped_and_a_lone_surrogate_replaced(text: str, expected: str) -> None:
    assert clean_text(text) == expected


@given(text=st.text(st.characters(exclude_categories=()) | st.sampled_from("\0\ud800\udc00\ud83d\ude00")))
def test_cleaned_text_is_clean_and_encodes(text: str) -> None:
    cleaned = clean_text(text)
    assert is_clean(cleaned)
    assert cleaned.encode().decode() == cleaned


@given(text=st.text(), limit=st.integers(1, 20))
def test_shortened_text_fits(text: str, limit: int) -> None:
    assert len(shorten(text, limit)) <= limit
