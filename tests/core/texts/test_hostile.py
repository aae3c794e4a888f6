"""Texts made to cost time: every reader of words takes four times the longest text in a moment, so none is quadratic.

What is quadratic takes half a minute and more for these. What is not, takes well below a second: the bound is for a
busy machine.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import pytest

from offhook.core.segments import count
from offhook.core.texts.markdown import strip_markdown
from offhook.core.texts.smart_encoding import smart_encode
from offhook.core.texts.splitting import MAX_CHARACTERS, CannotSplit, Room, split
from offhook.core.variables import MalformedTemplate, Template
from offhook.tools.types.sms import _without_variables

LONG = 4 * MAX_CHARACTERS
SECONDS = 10.0
UNITS = [
    ".", "!", "…", "。", "..)", ".)", ")", ". ", " .", "\n", " ", "\u3000", "\t", "a", "a ", "e\u0301", "\u0301",
    "\u0316\u0301", "\u200d", "\u200b", "“", "👩\u200d", "🇩", "http://", "www.", "https://x.", "{{", "{{a", "{{a|",
    "{{a}}", "{{a | b:'", "{", "}", "}}", "{{a\n", "*", "_", "`", "[", "](", "<", ">", "|", "~", "&", "\\",
]  # fmt: skip
CORPUS = {
    **{repr(unit): unit * (LONG // len(unit)) for unit in UNITS},
    **{
        repr((one, other)): one * (LONG // 2 // len(one)) + other * (LONG // 2 // len(other))
        for one in (".", "…", " ", "\n", "{{", "{{a", "{{a|b:'", "\u0301", "\u200b", "https://")
        for other in (")", ".", "}}", "}", "x", "\n", " ")
    },
}


def _split(text: str) -> None:
    with contextlib.suppress(CannotSplit):
        split(text, Room(LONG // 8))


def _parse(text: str) -> None:
    with contextlib.suppress(MalformedTemplate):
        Template.parse(text)


READERS: dict[str, Callable[[str], object]] = {
    "split": _split,
    "smart_encode": smart_encode,
    "strip_markdown": strip_markdown,
    "count": count,
    "Template.parse": _parse,
    "without_variables": _without_variables,
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("reader", READERS)
def test_no_text_costs_more_than_its_length(reader: str) -> None:
    for name, text in CORPUS.items():
        began = time.process_time()
        READERS[reader](text)
        assert time.process_time() - began < SECONDS, name
