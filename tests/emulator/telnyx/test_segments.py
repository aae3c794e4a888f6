from __future__ import annotations

import pytest

from offhook.emulator.telnyx.segments import Parts, parts_of


@pytest.mark.parametrize(
    ("text", "encoding", "count"),
    [
        ("a" * 160, "GSM-7", 1),
        ("a" * 161, "GSM-7", 2),
        ("a" * 306, "GSM-7", 2),
        ("a" * 307, "GSM-7", 3),
        ("a" * 1530, "GSM-7", 10),
        ("a" * 158 + "{", "GSM-7", 1),
        ("a" * 159 + "{", "GSM-7", 2),
        ("héllo Åß ¿", "GSM-7", 1),
        ("é" * 70 + "\U0001f6b2", "UCS-2", 2),
        ("\U0001f6b2" * 35, "UCS-2", 1),
        ("\U0001f6b2" * 36, "UCS-2", 2),
        ("a" * 200 + "“", "UCS-2", 3),
    ],
)
def test_parts_are_counted_as_telnyx_documents(text: str, encoding: str, count: int) -> None:
    assert parts_of(text) == Parts(encoding, count)


@pytest.mark.parametrize("character", ["€", "Δ", "\f", "Ç", "¤", "`", "\t"])
def test_what_telnyx_leaves_out_of_gsm7_sends_the_text_as_utf16(character: str) -> None:
    assert parts_of(character) == Parts("UCS-2", 1)
    assert parts_of(character, "gsm7") is None


def test_the_request_can_force_the_encoding() -> None:
    assert parts_of("a" * 71, "ucs2") == Parts("UCS-2", 2)
    assert parts_of("a" * 71, "gsm7") == Parts("GSM-7", 1)
