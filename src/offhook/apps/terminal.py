"""How commands write: results on stdout, everything else on stderr, no colour where nobody sees it."""

from __future__ import annotations

import json
import sys
import unicodedata
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.console import Console

LABEL_WIDTH: Final = 10
_NARROW: Final = 40
"""Below this many columns a label stands above nothing: its text simply follows it."""

_STEERING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Unicode's direction overrides, with which a text can look like another one."""


def console() -> Console:
    """For people. Plain text where stdout is no terminal or NO_COLOR is set; long lines stay whole there."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty())


def visible(text: str) -> str:
    """`text` from outside (a text message, a model's words) without what would steer the terminal."""
    return "".join(character if _is_plain(character) else "\ufffd" for character in text)


def _is_plain(character: str) -> bool:
    return character in "\n\t" or not (unicodedata.category(character) in {"Cc", "Cs"} or character in _STEERING)


def labelled(
    to: Console, label: str, text: str, *, style: str = "", label_style: str = "bold", width: int = LABEL_WIDTH
) -> None:
    """A label and, beside it, text that may wrap. `text` may come from outside."""
    from rich.table import Table
    from rich.text import Text

    body = Text(visible(text), style=style)
    if not to.is_terminal or to.width < _NARROW:
        to.print(Text.assemble((f"{label:<{width}}", label_style), body), soft_wrap=not to.is_terminal)
        return
    grid = Table.grid(padding=(0, 0))
    grid.add_column(width=width, no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(label, style=label_style), body)
    to.print(grid)


def print_json(document: Any, *, indent: int | None = 2) -> None:
    """For programs: stdout then holds nothing else. `indent` None writes one line."""
    print(json.dumps(document, indent=indent, ensure_ascii=False), flush=True)


def tell(sentence: str) -> None:
    """To the person, beside the result."""
    print(sentence, file=sys.stderr, flush=True)


def tell_error(code: str, detail: str) -> None:
    tell(f"offhook: {visible(detail)} [{code}]")
