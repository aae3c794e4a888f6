from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from offhook.core.errors import InvalidInput
from offhook.core.http import Page, decode_cursor, encode_cursor


@dataclass(frozen=True)
class Row:
    id: uuid.UUID
    created_at: datetime


ROWS = [Row(uuid.UUID(int=n), datetime(2026, 11, 21, tzinfo=UTC) - timedelta(microseconds=n)) for n in range(5)]


def test_a_cursor_names_its_row_to_the_microsecond() -> None:
    assert decode_cursor(encode_cursor(ROWS[3])) == (ROWS[3].created_at, ROWS[3].id)


def test_a_page_is_cut_at_its_limit_and_points_to_the_rest() -> None:
    shown, cursor = Page(limit=2).cut(ROWS[: Page(limit=2).fetch])
    assert list(shown) == ROWS[:2]
    assert cursor is not None
    assert decode_cursor(cursor)[1] == ROWS[1].id


def test_the_last_page_has_no_cursor() -> None:
    assert Page(limit=5).cut(ROWS) == (ROWS, None)


@pytest.mark.parametrize("cursor", ["x", "????", "bm8", "MjAyNi0xMS0yMXww", "é" * 4, encode_cursor(ROWS[0])[:-3]])
def test_anything_else_is_no_cursor(cursor: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        decode_cursor(cursor)
    assert caught.value.fields[0].path == "cursor"
