"""Names that models call functions by, made from the names that people give to tools."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Final

MAX_LENGTH: Final = 64
FUNCTION_NAME: Final = re.compile(r"^[a-zA-Z_][a-zA-Z0-9_]{0,63}$")
"""What every provider of models takes."""

# Letters that Unicode does not take apart into a Latin letter and an accent. Cyrillic after ISO 9 as passports
# write it (ICAO 9303), Greek after ELOT 743.
_LATIN: Final = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ħ": "h", "ı": "i"}
_GREEK: Final = "α-a β-v γ-g δ-d ε-e ζ-z η-i θ-th ι-i κ-k λ-l μ-m ν-n ξ-x ο-o π-p ρ-r σ-s ς-s τ-t υ-y φ-f χ-ch ψ-ps ω-o"
_CYRILLIC: Final = (
    "а-a б-b в-v г-g д-d е-e ж-zh з-z и-i к-k л-l м-m н-n о-o п-p р-r с-s т-t у-u ф-f х-kh ц-ts ч-ch ш-sh щ-shch "
    "ъ-ie ы-y ь- э-e ю-iu я-ia і-i є-ie ґ-g ђ-d љ-lj њ-nj ћ-c џ-dz"
)
_PAIRS: Final = {pair[0]: pair[2:] for pair in f"{_GREEK} {_CYRILLIC}".split()}
_LETTERS: Final = str.maketrans({**_LATIN, **_PAIRS, "'": "", "’": ""})

# Scripts whose letters are named by their sound: HIRAGANA LETTER KA, HANGUL SYLLABLE GA.
_SOUNDED: Final = re.compile(r"(?:HIRAGANA|KATAKANA) LETTER (?:SMALL )?([A-Z]+)|HANGUL SYLLABLE ([A-Z]+)")


def function_name(tool_name: str) -> str:
    """A valid function name that reads like `tool_name`: `Send the link!` gives `send_the_link`.

    Where nothing of the name can be written in Latin letters, a name made from its hash; never empty.
    """
    text = unicodedata.normalize("NFC", tool_name).lower()
    text = "".join(_sound(char) for char in text).translate(_LETTERS)
    text = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    slug = re.sub(r"[^a-z0-9]+", "_", text.translate(_LETTERS).lower()).strip("_")
    if not slug:
        raw = tool_name.encode("utf-8", "surrogatepass")
        return f"tool_{hashlib.sha256(raw).hexdigest()[:8]}"
    if slug[0].isdigit():
        slug = f"_{slug}"
    return slug[:MAX_LENGTH].rstrip("_")


def _sound(char: str) -> str:
    if char < "\u3040":
        return char
    match = _SOUNDED.fullmatch(unicodedata.name(char, ""))
    return (match[1] or match[2]).lower() if match else char


def distinct_names(named: Sequence[tuple[str, str]]) -> list[str]:
    """One name for each (function name, tool name), in order. Those that collide are prefixed with their tool's name,
    and numbered where that is not enough."""
    counts = Counter(name for name, _ in named)
    taken = {name for name, count in counts.items() if count == 1}
    chosen: list[str] = []
    for name, tool_name in named:
        chosen.append(name if counts[name] == 1 else _free(_prefixed(name, tool_name), taken))
        taken.add(chosen[-1])
    return chosen


def _prefixed(name: str, tool_name: str) -> str:
    prefix = function_name(tool_name)
    return name if prefix == name else f"{prefix}_{name}"[:MAX_LENGTH]


def _free(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        suffix = f"_{number}"
        candidate = name[: MAX_LENGTH - len(suffix)] + suffix
    return candidate
