"""Segments: the figures of Twilio's calculator (sms-segments-calculator 1.3.0), and rules that hold for any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.core.segments import GSM_7_BASIC, GSM_7_EXTENSION, PART_UNITS, Encoding, count

FAMILY = "👨\u200d👩\u200d👧\u200d👦"


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", "GSM-7", 0, 1),
        ("a", "GSM-7", 1, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("a" * 1600, "GSM-7", 1600, 11),
        ("a" * 158 + "€", "GSM-7", 160, 1),
        ("a" * 159 + "€", "GSM-7", 161, 2),
        ("€" * 80, "GSM-7", 160, 1),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("€" * 153, "GSM-7", 306, 3),
        ("a\r\nb", "GSM-7", 4, 1),
        ("ы" * 70, "UCS-2", 70, 1),
        ("ы" * 71, "UCS-2", 71, 2),
        ("ы" * 134, "UCS-2", 134, 2),
        ("ы" * 135, "UCS-2", 135, 3),
        ("ы" * 1600, "UCS-2", 1600, 24),
        ("😀" * 35, "UCS-2", 70, 1),
        ("😀" * 36, "UCS-2", 72, 2),
        ("a" * 152 + "😀", "UCS-2", 154, 3),
        ("a" * 159 + "’", "UCS-2", 160, 3),
        (FAMILY, "UCS-2", 11, 1),
        (FAMILY * 13, "UCS-2", 143, 3),
        ("a" * 60 + FAMILY * 6, "UCS-2", 126, 2),
        ("a" * 60 + FAMILY * 6 + "b" * 6, "UCS-2", 132, 3),
        ("😀" * 67, "UCS-2", 134, 3),
        ("🇮🇹" * 33, "UCS-2", 132, 3),
        ("👍🏽" * 17, "UCS-2", 68, 1),
        ("😀" + "]" * 68, "UCS-2", 70, 1),
        ("😀" + "]" * 69, "UCS-2", 71, 2),
        ("e\u0301\u0301\u0301" + "a" * 66, "UCS-2", 70, 1),
        ("e\u0301\u0301\u0301" + "a" * 67, "UCS-2", 71, 2),
    ],
)
def test_a_text_has_the_segments_that_the_carrier_bills(text: str, encoding: str, units: int, segments: int) -> None:
    found = count(text)
    assert (found.encoding, found.units, found.segments) == (encoding, units, segments)


@pytest.mark.parametrize("char", sorted(GSM_7_EXTENSION))
def test_an_extension_character_costs_two_units(char: str) -> None:
    assert (count(char).encoding, count(char).units) == (Encoding.GSM_7, 2)


@pytest.mark.parametrize("char", ["`", "\t", "’", "“", "–", "—", "😀", "ç", "á", "ú", "í", "ó", "\u00a0", "\x1b"])
def test_one_character_outside_the_alphabet_forces_ucs_2_and_is_named(char: str) -> None:
    found = count("plain " + char)
    assert (found.encoding, found.forced_by) == (Encoding.UCS_2, (char,))


def test_the_alphabet_has_its_127_characters_besides_the_escape() -> None:
    assert len(GSM_7_BASIC) == 127
    assert not GSM_7_BASIC & GSM_7_EXTENSION


def test_only_the_first_few_forcing_characters_are_named_each_once() -> None:
    assert count("жжабвгде").forced_by == ("ж", "а", "б", "в", "г")


def test_a_letter_under_a_thousand_accents_is_counted_and_does_not_hang() -> None:
    found = count("e" + "\u0301" * 1000)
    assert (found.units, found.segments) == (1001, 15)


TEXTS = st.text(st.sampled_from("ab€[😀ж\u0301\u200d🇮👍🏽\n") | st.characters(exclude_categories=["Cs"]), max_size=300)


@given(text=TEXTS)
def test_segments_hold_the_units_and_waste_less_than_a_part_each(text: str) -> None:
    found = count(text)
    part = PART_UNITS[found.encoding]
    assert found.units <= max(found.segments * part, 160 if found.encoding is Encoding.GSM_7 else 70)
    assert found.segments == 1 or found.segments <= found.units
    assert (found.encoding is Encoding.GSM_7) == (found.forced_by == ())


@given(text=TEXTS)
def test_units_are_what_the_encoders_make(text: str) -> None:
    found = count(text)
    if found.encoding is Encoding.UCS_2:
        assert found.units == len(text.encode("utf-16-le")) // 2
    else:
        assert found.units == len(text) + sum(char in GSM_7_EXTENSION for char in text)


@given(text=TEXTS, more=st.sampled_from("a€😀ж"))
def test_a_longer_text_never_needs_fewer_segments(text: str, more: str) -> None:
    assert count(text + more).segments >= count(text).segments
