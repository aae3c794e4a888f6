from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.media import JPEG, SAMPLES
from offhook.telephony.media.content_types import (
    ANY,
    EXTENSIONS,
    SNIFFED_BYTES,
    TYPES,
    WrongType,
    candidates,
    decide,
    plain,
    settle,
)


@pytest.mark.parametrize("content_type", SAMPLES)
def test_a_file_is_what_its_first_bytes_say(content_type: str) -> None:
    assert decide(None, SAMPLES[content_type]) == content_type
    assert decide(content_type, SAMPLES[content_type]) == content_type


@pytest.mark.parametrize(
    ("declared", "content_type"),
    [
        ("image/jpg", "image/jpeg"),
        ("IMAGE/JPEG; charset=binary", "image/jpeg"),
        ("application/octet-stream", "image/jpeg"),
        ("", "image/jpeg"),
    ],
)
def test_a_declared_type_may_have_another_name_or_say_nothing(declared: str, content_type: str) -> None:
    assert decide(declared, JPEG) == content_type


@pytest.mark.parametrize(
    ("declared", "sample"),
    [
        ("audio/mp4", b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00"),
        ("video/ogg", SAMPLES["audio/ogg"]),
        ("audio/webm", SAMPLES["video/webm"]),
        ("text/csv", b"name,number\nAda,1\n"),
    ],
)
def test_of_types_that_begin_alike_the_declared_one_is_believed(declared: str, sample: bytes) -> None:
    assert decide(declared, sample) == declared


@pytest.mark.parametrize("brand", [b"isom", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"MSNV", b"dash"])
def test_a_film_is_known_by_its_brand(brand: bytes) -> None:
    assert decide(None, b"\0\0\0\x20ftyp" + brand + b"\0" * 16) == "video/mp4"


@pytest.mark.parametrize("brand", [b"avif", b"avis", b"crx ", b"jp2 ", b"\0\0\0\0"])
def test_what_only_begins_like_a_film_is_none(brand: bytes) -> None:
    head = b"\0\0\0\x20ftyp" + brand + b"\0" * 16
    assert settle("video/mp4", head) == ANY
    for declared in (None, "video/mp4", "image/avif"):
        with pytest.raises(WrongType):
            decide(declared, head)


HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"


@pytest.mark.parametrize(
    ("declared", "head"),
    [
        ("image/jpeg", HTML),
        ("image/jpeg", b"\n\n  " + HTML),
        ("text/plain", HTML),
        ("text/plain", b"\xef\xbb\xbf<script>alert(1)</script>"),
        ("text/vcard", b"<html>BEGIN:VCARD"),
        ("image/svg+xml", b'<?xml version="1.0"?><svg onload="alert(1)"/>'),
        ("image/svg+xml", b"<svg onload='alert(1)'/>"),
        ("image/jpeg", SAMPLES["image/png"]),
        ("image/png", JPEG),
        ("application/pdf", b"MZ\x90\x00\x03\x00"),
        ("image/jpeg", b"PK\x03\x04"),
        ("text/plain", b"\x7fELF\x02\x01\x01\x00"),
        ("text/plain", "Hello".encode("utf-16")),
        ("text/plain", b"caf\xe9"),
        ("text/plain", b" \n"),
        ("application/x-whatever", b"Hello"),
    ],
)
def test_what_is_not_what_it_is_said_to_be_is_refused(declared: str, head: bytes) -> None:
    with pytest.raises(WrongType):
        decide(declared, head)


def test_what_was_texted_to_us_is_kept_as_what_its_bytes_allow() -> None:
    assert settle("image/jpeg", JPEG) == "image/jpeg"
    assert settle("image/png", JPEG) == "image/jpeg"
    assert settle("image/jpeg", HTML) == ANY
    assert settle(None, b"") == ANY


def test_a_text_may_end_in_the_middle_of_a_character() -> None:
    for before in range(4):
        head = (b"a" * before + "😀".encode() * 2000)[:SNIFFED_BYTES]
        assert candidates(head)[0] == "text/plain"


def test_types_and_extensions_are_each_others_only_ones() -> None:
    assert len(TYPES) == len(EXTENSIONS)
    assert all(content_type in EXTENSIONS for sample in SAMPLES.values() for content_type in candidates(sample))


@given(st.binary(max_size=64), st.none() | st.text(max_size=20))
def test_whatever_comes_is_decided_or_refused(head: bytes, declared: str | None) -> None:
    with suppress(WrongType):
        assert decide(declared, head) in EXTENSIONS
    assert settle(declared, head) in EXTENSIONS
    plain(declared)
