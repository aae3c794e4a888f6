from __future__ import annotations

import json

import pytest

from offhook.core.errors import BadRequest, InvalidInput
from offhook.core.http import parse_json


def test_a_plain_body_is_its_value() -> None:
    value = {"name": "Ärger 🚲", "numbers": [1, -2.5, True, None], "deep": {"er": {}}}
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value
    assert parse_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b'{"a": 1',
        b"\xff\xfe{}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "\x00"}',
        b'"\xed\xa0\x80"',
        b'{"a": 1, "a": 2}',
    ],
)
def test_what_is_no_json_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_json(body)
    assert caught.value.code == "not_json"


def test_a_value_in_the_body_is_not_quoted_when_it_is_refused() -> None:
    with pytest.raises(BadRequest) as caught:
        parse_json(b'{"secret": "hunter2"')
    assert "hunter2" not in caught.value.detail


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (rb'{"a": {"b": ["x", "\u0000"]}}', "a.b.1"),
        (rb'{"a": "\ud800"}', "a"),
        (rb'{"\udfff": 1}', "\ufffd"),
        (rb'"\u0000"', ""),
    ],
)
def test_nul_and_lone_surrogates_are_refused_with_their_path(body: bytes, path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_json(body)
    assert [(f.path, f.code) for f in caught.value.fields] == [(path, "unstorable_text")]


def test_a_surrogate_pair_written_as_two_escapes_is_one_character() -> None:
    assert parse_json(rb'"\ud83d\udeb2"') == "🚲"


@pytest.mark.parametrize("depth", [40, 10_000, 30_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_deep_nesting_is_refused_however_deep(depth: int, opening: str, closing: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_json((opening * depth + "1" + closing * depth).encode())
    assert caught.value.fields[0].code == "json_too_deep"


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert parse_json(b"[" + b",".join([b"[]"] * 100) + b"]") == [[]] * 100
