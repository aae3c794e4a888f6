"""From what was written to what goes: the words that a carrier is given, in as many texts as they take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from offhook.core.texts.markdown import strip_markdown
from offhook.core.texts.options import TextOptions
from offhook.core.texts.smart_encoding import SmartText, smart_encode
from offhook.core.texts.splitting import Room, split


@dataclass(frozen=True, slots=True)
class Wording:
    """`bodies` one, unless the text was split. The rest tells what was done to the words."""

    bodies: tuple[str, ...] = field(repr=False)
    stripped: bool = False
    """Markdown was taken out."""
    replaced: Mapping[str, str] = field(default_factory=dict[str, str])
    """Look-alike → what stands for it in GSM-7."""


def worded(body: str, options: TextOptions, room: Room) -> Wording:
    """What `options` make of `body`; with none of them, what does not fit `room` stays as it is. Raises CannotSplit."""
    wording = reworded(body, options)
    return replace(wording, bodies=split(wording.bodies[0], room)) if options.split else wording


def reworded(body: str, options: TextOptions) -> Wording:
    """As `worded`, in one piece."""
    text = strip_markdown(body) if options.strip_markdown else body
    smart = smart_encode(text) if options.smart_encoding else SmartText(text)
    return Wording((smart.text,), text != body, smart.replaced)
