"""A tool's JSON answer as words to say aloud: what the rehearsal model has instead of a gift for phrasing.

Of any answer the same way: what is plain first, then what is nested, a few items of each; the words stay the tool's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, cast

PHRASING: Final = "A real model would phrase this."
FOR_THE_MODEL: Final = frozenset({"hint", "hints", "instructions", "note", "notes"})
"""Members that tell a model how to speak of the answer; nobody says them aloud."""

ALREADY_DONE: Final = "already_done"
"""The member with which the gateway tells a model that an answer is an earlier one, and what to do about it."""

MOST_ITEMS: Final = 4
MOST_CHARACTERS: Final = 160
"""Of one piece of text: ten seconds of speech."""


def report(output: str, is_error: bool) -> str:
    """`output` as the model got it: JSON, or a sentence already; an error is told as it is. Ends with a full stop."""
    if is_error:
        return f"That did not work: {_ended(output)}"
    try:
        answer: Any = json.loads(output)
    except ValueError:
        return _ended(output.strip() or "Done")
    if isinstance(answer, dict) and "error" in answer:
        return f"That did not work: {_ended(_said(cast('Any', answer)['error']))}"
    done = "Done."
    if isinstance(answer, dict) and isinstance(cast("Any", answer).get(ALREADY_DONE), str):
        done = "That was already done."
        answer = {name: value for name, value in cast("dict[str, Any]", answer).items() if name != ALREADY_DONE}
    words = _said(answer)
    return f"{done} {_ended(words[0].upper() + words[1:])} {PHRASING}" if words else done


def _said(value: Any) -> str:
    """ "" where there is nothing to say."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case dict():
            return _members(cast("dict[str, Any]", value))
        case list():
            return _few([_row(one) for one in cast("list[Any]", value)], ", ")
        case _:
            words = " ".join(str(value).split()).rstrip(".")
            return words if len(words) <= MOST_CHARACTERS else _beginning(words)


def _beginning(words: str) -> str:
    """Whole words only."""
    kept = words[: MOST_CHARACTERS + 1].rpartition(" ")[0].rstrip(" .,;:")
    return f"{kept} and so on" if kept else "a long text"


def _members(members: Mapping[str, Any]) -> str:
    plain_first = sorted(members.items(), key=lambda member: isinstance(member[1], dict | list))
    said = [(name, value, _said(value)) for name, value in plain_first if name not in FOR_THE_MODEL]
    return _few(
        [words if _speaks_for_itself(value) else f"{_name(name)}: {words}" for name, value, words in said if words]
    )


def _speaks_for_itself(value: Any) -> bool:
    """A list of objects is said row by row, and each row names its own parts."""
    return isinstance(value, list) and any(isinstance(one, dict) for one in cast("list[Any]", value))


def _row(value: Any) -> str:
    """An object in a list: its first member is what it is about, the others what there is to say of it."""
    if not isinstance(value, dict):
        return _said(value)
    members = [
        (name, given, words)
        for name, given in cast("dict[str, Any]", value).items()
        if name not in FOR_THE_MODEL and (words := _said(given))
    ]
    if not members:
        return ""
    (name, _, about), *others = members
    said = _few([words if isinstance(given, str) else f"{_name(name)} {words}" for name, given, words in others], ", ")
    return f"{_name(name)} {about}: {said}" if said else f"{_name(name)} {about}"


def _few(parts: list[str], between: str = "; ") -> str:
    parts = [part for part in parts if part]
    left = len(parts) - MOST_ITEMS
    return between.join(parts[:MOST_ITEMS] + ([f"and {left} more"] if left > 0 else []))


def _name(name: str) -> str:
    return name.replace("_", " ")


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
