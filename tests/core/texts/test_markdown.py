from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.core.texts.markdown import MAX_SIGNS, strip_markdown


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("# Your *booking*\n\nHi **Anna**", "Your booking\n\nHi Anna"),
        ("See [the map](https://maps.example/a_b_c).", "See the map (https://maps.example/a_b_c)."),
        ("[https://x.example](https://x.example)", "https://x.example"),
        ("[x.example/](https://www.x.example)", "x.example/"),
        ("<https://x.example/_a_>", "https://x.example/_a_"),
        ("[call us](tel:+12025550140) or [write](mailto:a@b.example)", "call us (+12025550140) or write (a@b.example)"),
        ("![our shop](https://x.example/shop.png)", "our shop (https://x.example/shop.png)"),
        ("- one\n- two **$20**\n  - nested", "- one\n- two $20\n  - nested"),
        ("* a\n* b", "- a\n- b"),
        ("3. third\n4. fourth", "3. third\n4. fourth"),
        ("| day | time |\n|---|---|\n| Mon | 8:00 |", "day, time\nMon, 8:00"),
        ("> quoted\n> words", "quoted\nwords"),
        ("```python\nx = '*y*'\n```", "x = '*y*'"),
        ("Use `a*b*c` here", "Use a*b*c here"),
        ("one\ntwo  \nthree", "one\ntwo\nthree"),
        ("Above\n\n---\n\nBelow", "Above\n\nBelow"),
        ("Tom &amp; Ann \\*literally\\*", "Tom & Ann *literally*"),
        ("Total: **$20** and _done_", "Total: $20 and done"),
    ],
)
def test_markdown_becomes_plain_words(written: str, plain: str) -> None:
    assert strip_markdown(written) == plain


@pytest.mark.parametrize(
    "text",
    [
        "Dial *21*5551234# to forward.",
        "2*3*4 is 24, a*b*c is a product, snake_case_name stays.",
        "https://x.example/_foo_/b?q=*x*&copy=1",
        "Open https://x.example/a_(b)_c today",
        "See [1].\n\n[1]: https://x.example",
        "~~$30~~ $20",
        "Is 3 < 4 > 2? <b>Yes</b>",
        "[x](javascript:alert(1))",
        "Price: 5 * 3",
        "Nothing special, really! (Honest.)",
    ],
)
def test_what_only_looks_like_markdown_stays(text: str) -> None:
    assert strip_markdown(text) == text


@pytest.mark.parametrize("text", ["---", "#", "# ", "**", "> ", "```\n```", "* * *"])
def test_a_text_of_signs_alone_stays_as_it_is(text: str) -> None:
    assert strip_markdown(text).strip()


HOSTILE = {
    "brackets": "[" * 16_000,
    "images": "![[" * 5_000,
    "quotes": ">" * 5_000 + " x",
    "few quotes": ">" * 60 + " words",
    "lists in lists": "- " * 1_900 + "words",
    "indented lists": "\n".join(" " * i + "- x" for i in range(170)),
    "emphasis": "*a **b " * 660,
    "stars": "*a" * 990,
    "underscores": "_*" * 990,
    "backticks": "`" * 1_999,
    "links": "[a](b" * 600,
    "parentheses": "[a](" + "(" * 1_900,
    "tables": "|a" * 900 + "\n" + "|-" * 900 + "\n" + "|b" * 90,
    "entities": "&#x41;" * 1_900,
    "white space": " \n\t" * 5_000,
    "headings": "# " * 8_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_bounded(name: str) -> None:
    began = time.process_time()
    assert strip_markdown(HOSTILE[name])
    assert time.process_time() - began < 2.0


def test_words_under_many_signs_are_not_lost() -> None:
    assert "words" in strip_markdown(HOSTILE["few quotes"])
    assert "words" in strip_markdown(HOSTILE["lists in lists"])
    assert strip_markdown("*a" * (MAX_SIGNS + 1)) == "*a" * (MAX_SIGNS + 1)


MARKED = st.text(alphabet="ab 1.,\n#*_`[]()<>!~|&\\-+:/é😀", max_size=60)


@given(MARKED)
def test_a_text_with_words_never_becomes_empty(text: str) -> None:
    assert bool(strip_markdown(text).strip()) == bool(text.strip())


@given(st.text(alphabet="ab é\n*_#>", max_size=40))
def test_letters_stay_in_their_order(text: str) -> None:
    def letters(words: str) -> str:
        return "".join(char for char in words if char.isalpha())

    assert letters(strip_markdown(text)) == letters(text)


@given(st.lists(st.text(alphabet="abcdé,.!? ", min_size=1, max_size=20), max_size=6))
def test_plain_words_are_changed_at_their_margins_only(lines: list[str]) -> None:
    text = "\n".join(line.strip() or "x" for line in lines)
    once = strip_markdown(text)
    assert once.split() == text.split()
    assert strip_markdown(once) == once
