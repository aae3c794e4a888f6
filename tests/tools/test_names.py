from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.tools.names import FUNCTION_NAME, MAX_LENGTH, distinct_names, function_name


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Calendar Integration", "calendar_integration"),
        ("Send the link!", "send_the_link"),
        ("Caller's text", "callers_text"),
        ("Grüße an Zoë", "grusse_an_zoe"),
        ("Łódź – Ærø", "lodz_aero"),
        ("Привет мир", "privet_mir"),
        ("Й ё", "i_e"),
        ("Ωραία μέρα", "oraia_mera"),
        ("전화 걸기", "jeonhwa_geolgi"),
        ("カナ ひら", "kana_hira"),
        ("9 lives", "_9_lives"),
        ("__x__", "x"),
    ],
)
def test_a_tools_name_becomes_a_name_that_reads_like_it(name: str, slug: str) -> None:
    assert function_name(name) == slug


@given(st.text(max_size=80))
def test_any_name_gives_a_valid_function_name_and_always_the_same(name: str) -> None:
    assert FUNCTION_NAME.fullmatch(function_name(name))
    assert function_name(name) == function_name(name)


def test_names_without_any_latin_letter_stay_apart() -> None:
    first, second = function_name("日程"), function_name("短信")
    assert first.startswith("tool_")
    assert first != second


def test_a_lone_surrogate_gives_a_name_too() -> None:
    assert FUNCTION_NAME.fullmatch(function_name("\ud800"))


def test_names_that_collide_are_prefixed_with_their_tools_name() -> None:
    named = [("send", "Shop"), ("send", "Workshop"), ("find", "Shop")]
    assert distinct_names(named) == ["shop_send", "workshop_send", "find"]


def test_equal_tools_are_numbered_and_stay_within_the_length() -> None:
    long = "a" * MAX_LENGTH
    assert distinct_names([("send", "Send"), ("send", "Send"), ("send_2", "x")]) == ["send", "send_3", "send_2"]
    names = distinct_names([(long, "b"), (long, "b"), (long, "b")])
    assert len(set(names)) == 3
    assert max(len(name) for name in names) == MAX_LENGTH
