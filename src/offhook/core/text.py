"""Text from outside, made safe to store.

PostgreSQL's `text` and `jsonb` refuse NUL, and a lone surrogate (half of a UTF-16 pair, which JSON can
spell as `\\ud800`) cannot be encoded as UTF-8. Both come from broken clients and from models.
"""

from __future__ import annotations

import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def is_clean(text: str) -> bool:
    """Whether PostgreSQL can store `text` as it is."""
    return (text.isascii() and "\x00" not in text) or _UNSTORABLE.search(text) is None


def clean_text(text: str) -> str:
    """`text` without NUL, with each lone surrogate replaced by U+FFFD; a split pair is joined again."""
    if is_clean(text):
        return text
    joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return joined.replace("\x00", "")


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters of `text`, the last one an ellipsis if something was cut off."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"
