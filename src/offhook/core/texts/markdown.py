"""Markdown as plain words: models write it, and a handset shows its signs.

Links become `text (address)`, lists stay lists, tables lines, code itself. Struck text and images keep what they say.
What only looks like Markdown stays: dial codes (`*21*`), sums (`2*3*4`), addresses with underscores.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MAX_SIGNS: Final = 2000
"""Ours: a text with more characters of Markdown's is hostile or no text. It stays as it is, and costs nobody time."""

_SIGNS: Final = "*_`[]()<>!~|&\\"
_NESTING: Final = 20


def strip_markdown(text: str) -> str:
    """`text` in plain words; as it is where nothing of it would be left, or where it is no Markdown of a sane size."""
    if sum(map(text.count, _SIGNS)) > MAX_SIGNS:
        return text
    tokens = _parser().parse(text)
    if any(token.level >= _NESTING - 1 for token in tokens):
        return text  # what is nested deeper, the parser leaves out
    plain = _Writer().write(tokens)
    return plain if plain.strip() else text


@cache
def _parser() -> MarkdownIt:
    # Loaded here: most texts are no Markdown, and it costs every start 50 ms (measured).
    from markdown_it import MarkdownIt

    # Without references: a definition that nothing refers to would vanish.
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": _NESTING}).enable("table").disable("reference")
    parser.normalizeLink = _as_written
    return parser


def _as_written(url: str) -> str:
    return url


@dataclass(slots=True)
class _List:
    number: int | None
    """Of the next item; None: bullets."""


@dataclass(slots=True)
class _Writer:
    """Turns block tokens into lines."""

    lines: list[str] = field(default_factory=list[str])
    lists: list[_List] = field(default_factory=list[_List])
    marker: str = ""
    """What the next line begins with: an item's bullet or number."""
    cells: list[str] = field(default_factory=list[str])
    in_table: bool = False

    def write(self, tokens: Sequence[Token]) -> str:
        for token in tokens:
            self._take(token)
        text = "\n".join(self.lines).strip("\n")
        while "\n\n\n" in text:
            text = text.replace("\n\n\n", "\n\n")
        return text

    def _take(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open":
                self.lists.append(_List(None))
            case "ordered_list_open":
                self.lists.append(_List(int(token.attrGet("start") or 1) if token.attrGet("start") != 0 else 0))
            case "bullet_list_close" | "ordered_list_close":
                self.lists.pop()
                self._gap(not self.lists)
            case "list_item_open":
                self.marker = self._next_marker(token)
            case "list_item_close":
                if self.marker:  # an item without words
                    self._say("")
            case "inline":
                words = inline_text(token.children or ())
                if self.in_table:
                    self.cells.append(words)
                else:
                    self._say(words)
            case "fence" | "code_block":
                self._say(token.content.rstrip("\n"))
                self._gap(True)
            case "table_open":
                self.in_table = True
            case "tr_close":
                self._say(", ".join(self.cells))
                self.cells = []
            case "table_close":
                self.in_table = False
                self._gap(True)
            case "paragraph_close" | "heading_close":
                self._gap(not token.hidden)
            case "hr":
                self._gap(True)
            case _:
                return

    def _next_marker(self, item: Token) -> str:
        current = self.lists[-1]
        if current.number is None:
            return "- "
        current.number, number = current.number + 1, current.number
        return f"{number}{item.markup} "

    def _say(self, words: str) -> None:
        indent = "  " * max(len(self.lists) - 1, 0)
        rest = indent + "  " if self.lists else ""
        first, *others = words.split("\n")
        self.lines.append((indent + self.marker + first if self.marker else rest + first).rstrip())
        self.lines += [(rest + line).rstrip() for line in others]
        self.marker = ""

    def _gap(self, wanted: bool) -> None:
        if wanted and self.lines and self.lines[-1]:
            self.lines.append("")


def inline_text(tokens: Sequence[Token]) -> str:
    """The words of one block."""
    written: list[str] = []
    kept: list[bool] = []
    links: list[tuple[str, int]] = []
    for index, token in enumerate(tokens):
        match token.type:
            case "em_open" | "strong_open":
                literal = _is_literal(tokens, index, "".join(written))
                kept.append(literal)
                written.append(token.markup if literal else "")
            case "em_close" | "strong_close":
                written.append(token.markup if kept.pop() else "")
            case "link_open":
                links.append((str(token.attrGet("href") or ""), len(written)))
            case "link_close":
                address, start = links.pop()
                words = "".join(written[start:])
                del written[start:]
                written.append(_link(words, address))
            case "image":
                written.append(_link(inline_text(token.children or ()), str(token.attrGet("src") or "")))
            case "softbreak" | "hardbreak":
                written.append("\n")
            case _:
                written.append(token.content)
    return "".join(written)


def _link(words: str, address: str) -> str:
    shown = address.removeprefix("mailto:").removeprefix("tel:")
    if not address or _bare(words) == _bare(shown):
        return words or shown
    return f"{words} ({shown})" if words.strip() else shown


def _bare(address: str) -> str:
    return address.removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/").lower()


def _is_literal(tokens: Sequence[Token], opening: int, before: str) -> bool:
    """Whether a pair of signs is no emphasis: inside a word or an address, or, if single, around no letter."""
    closing = _closing(tokens, opening)
    inside = "".join(_contents(tokens[opening + 1 : closing]))
    after = next(_contents(tokens[closing + 1 :]), "")
    word = before.rpartition("\n")[2].rpartition(" ")[2]
    if "://" in word or (before[-1:].isalnum() or after[:1].isalnum()):
        return True
    return tokens[opening].type == "em_open" and not any(char.isalpha() for char in inside)


def _contents(tokens: Sequence[Token]) -> Iterator[str]:
    return (token.content for token in tokens if token.content)


def _closing(tokens: Sequence[Token], opening: int) -> int:
    kind = tokens[opening].type.removesuffix("_open")
    depth = 0
    for index in range(opening, len(tokens)):
        depth += (tokens[index].type == f"{kind}_open") - (tokens[index].type == f"{kind}_close")
        if depth == 0:
            return index
    return len(tokens) - 1


__all__ = ["MAX_SIGNS", "strip_markdown"]
