from __future__ import annotations

import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from offhook.core.segments import clusters
from offhook.core.texts.splitting import CannotSplit, Room, split

FAMILY = "👨‍👩‍👧‍👦"


def test_what_fits_is_one_text_and_stays_as_it_is() -> None:
    assert split("  fits \n", Room(1600)) == ("  fits \n",)


def test_it_is_cut_between_sentences() -> None:
    sentence = "The workshop opens at eight. "
    parts = split(sentence * 5, Room(80))
    assert parts == (("The workshop opens at eight. " * 2).strip(),) * 2 + (sentence.strip(),)


def test_or_between_lines() -> None:
    assert split("- one thing\n- another\n- a third", Room(25)) == ("- one thing\n- another", "- a third")


def test_else_between_words() -> None:
    assert split("one two three four five", Room(10)) == ("one two", "three four", "five")


def test_else_between_characters_and_never_inside_one() -> None:
    parts = split(FAMILY * 30, Room(100))
    assert "".join(parts) == FAMILY * 30
    assert all(len(part) % len(FAMILY) == 0 for part in parts)


def test_chinese_is_cut_after_its_full_stop() -> None:
    assert split("我们八点开门。" * 4, Room(20)) == ("我们八点开门。" * 2,) * 2


@pytest.mark.parametrize("link", ["https://x.example/a.%20b?c=1!d", "HTTP://X.EXAMPLE/1.2.3.", "www.x.example/a,b;c"])
def test_a_link_stays_whole(link: str) -> None:
    text = f"Please read this before you come. {link} and more words. " * 6
    parts = split(text, Room(90))
    assert sum(part.count(link) for part in parts) == 6


def test_a_link_longer_than_a_text_is_said() -> None:
    with pytest.raises(CannotSplit) as refused:
        split("Here: https://x.example/" + "a" * 200, Room(100))
    assert "link" in refused.value.sentence


def test_segments_count_where_the_carrier_counts_them() -> None:
    parts = split("ж" * 500, Room(1600, 3))
    assert [len(part) for part in parts] == [201, 201, 98]


def test_only_the_parts_with_an_emoji_are_dear() -> None:
    parts = split("All of this is plain. " * 20 + "😀", Room(1600, 2))
    assert sum("😀" in part for part in parts) == 1
    assert len(parts[0]) > 250


@pytest.mark.parametrize("text", ["a " * 600, "a" * 1001])
def test_too_many_parts_are_refused_with_their_number(text: str) -> None:
    with pytest.raises(CannotSplit) as refused:
        split(text, Room(100))
    assert "10" in refused.value.sentence


def test_where_whole_sentences_take_too_many_parts_words_do() -> None:
    text = (("w" * 9 + " ") * 3 + "v" * 8 + ". ") * 10
    assert len(split(text, Room(59))) == 10
    assert len(split(text, Room(59), max_parts=8)) <= 8


def test_a_character_under_many_accents_is_cut_after_all() -> None:
    assert "".join(split("a" + "\u0301" * 300, Room(100))) == "a" + "\u0301" * 300


def test_hostile_text_is_bounded() -> None:
    began = time.process_time()
    for text in (FAMILY * 2200, "ж" * 16_000, "https://x.example/ " * 800, "a. " * 5300, "\u0301" * 16_000):
        try:
            split(text, Room(1600, 10))
        except CannotSplit:
            continue
    assert time.process_time() - began < 5.0


PIECES = ["a", "b", "ж", "é", " ", "\n", ".", "!", "。", "😀", FAMILY, "🇩🇪", "https://x.y/z. ", "e\u0301"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=120).map("".join)


@given(TEXTS, st.integers(24, 60), st.sampled_from([None, 1, 2]))
def test_nothing_is_lost_every_part_fits_and_characters_stay_whole(text: str, most: int, segments: int | None) -> None:
    room = Room(most, segments)
    try:
        parts = split(text, room, max_parts=100)
    except CannotSplit:
        assume(False)
        return
    if parts == (text,):
        return
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(room.holds(part) and part.strip() == part and part for part in parts)
    whole = [cluster for cluster in clusters(text) if cluster.strip()]
    assert [cluster for part in parts for cluster in clusters(part) if cluster.strip()] == whole
    assert all(split(part, room) == (part,) for part in parts)
