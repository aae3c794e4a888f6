from __future__ import annotations

from offhook.core.texts import PLAIN, TextOptions
from offhook.core.texts.splitting import Room
from offhook.core.texts.wording import worded

ROOM = Room(200)


def test_without_options_words_go_as_they_are_written() -> None:
    wording = worded("**“Hi”**" + " x" * 400, PLAIN, ROOM)
    assert (len(wording.bodies), wording.stripped, wording.replaced) == (1, False, {})


def test_markdown_goes_first_then_look_alikes_then_the_text_is_split() -> None:
    options = TextOptions(strip_markdown=True, smart_encoding=True, split=True)
    wording = worded("**Hello** – it’s a long text. " * 10, options, ROOM)
    sentence = "Hello - it's a long text. "
    assert wording.bodies == ((sentence * 7).strip(), (sentence * 3).strip())
    assert wording.stripped
    assert wording.replaced == {"–": "-", "’": "'"}
