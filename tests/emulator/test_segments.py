"""Vectors of facts/telephony.md 1.7, which were computed with Twilio's own calculator."""

from __future__ import annotations

import pytest

from offhook.emulator.segments import segmentation

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"


@pytest.mark.parametrize(
    ("body", "encoding", "segments"),
    [
        ("", "GSM-7", 1),
        ("a" * 160, "GSM-7", 1),
        ("a" * 161, "GSM-7", 2),
        ("a" * 158 + "€", "GSM-7", 1),
        ("a" * 159 + "€", "GSM-7", 2),
        ("a" * 307, "GSM-7", 3),
        ("a" * 1600, "GSM-7", 11),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 3),
        ("a" * 152 + "\U0001f600", "UCS-2", 3),
        ("\U0001f600" * 35, "UCS-2", 1),
        ("\U0001f600" * 36, "UCS-2", 2),
        (FAMILY * 6, "UCS-2", 1),
        (FAMILY * 7, "UCS-2", 2),
        ("é" * 160, "GSM-7", 1),
        ("ç", "UCS-2", 1),
        ("`", "UCS-2", 1),
        ("“quoted”", "UCS-2", 1),
        ("ж" * 1600, "UCS-2", 24),
        ("a" * 159 + "’", "UCS-2", 3),
    ],
)
def test_a_text_has_the_encoding_and_parts_that_twilio_counts(body: str, encoding: str, segments: int) -> None:
    counted = segmentation(body)
    assert (counted.encoding, counted.segments) == (encoding, segments)
