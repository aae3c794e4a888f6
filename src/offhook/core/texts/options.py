"""How a text is wished: what who asks for one and who sends it name in the same way."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class MediumWish:
    """What a text is to carry: one of the organization's media, or a public address. Exactly one of the two."""

    media_id: uuid.UUID | None = None
    url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class TextOptions:
    """Beyond words, sender and recipient. The defaults leave the words as they are."""

    media: tuple[MediumWish, ...] = field(default=(), repr=False)
    priority: int | None = None
    """Less goes first; None: by who asks, and whether it belongs to a conversation."""
    messaging_service_id: uuid.UUID | None = None
    """The sender, instead of a number."""
    validity_seconds: int | None = None
    """Not sent any more when it has waited that long."""
    recipient_time_zone: str | None = None
    """IANA; None: read off the number."""
    smart_encoding: bool = False
    """Characters that look like GSM-7 ones become those, where that makes fewer segments."""
    strip_markdown: bool = False
    split: bool = False
    """What is too long for one text goes as several."""


PLAIN: Final = TextOptions()
"""A text as it is written."""
