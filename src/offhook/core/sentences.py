"""What a person reads about a field that is wrong: a sentence per kind of pydantic's errors.

None of them repeats what was sent. Kinds that no form of ours can give keep pydantic's words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_NUMBER: Final = "Must be a number."
_WHOLE: Final = "Must be a whole number."
_OBJECT: Final = "Must be a JSON object."
_TEXT: Final = "Must be a text."
_TRUTH: Final = "Must be true or false."
_UUID: Final = "Must be a UUID."
_MOMENT: Final = "Must be a date and a time with its offset, such as 2026-11-21T10:05:00Z."

SENTENCES: Final[Mapping[str, str]] = {
    "missing": "Must be given.",
    "extra_forbidden": "There is no such field.",
    "string_type": _TEXT,
    "string_unicode": _TEXT,
    "string_pattern_mismatch": "Must be of the form {pattern}.",
    "string_too_short": "At least {min_length:characters}{this}.",
    "string_too_long": "At most {max_length:characters}{this}.",
    "too_short": "At least {min_length:entries}{this}.",
    "too_long": "At most {max_length:entries}{this}.",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": "This number is too large.",
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "greater_than": "Must be more than {gt}.",
    "greater_than_equal": "Must be at least {ge}.",
    "less_than": "Must be less than {lt}.",
    "less_than_equal": "Must be at most {le}.",
    "multiple_of": "Must be a multiple of {multiple_of}.",
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "list_type": "Must be a list.",
    "dict_type": _OBJECT,
    "mapping_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "literal_error": "Must be {expected}.",
    "enum": "Must be {expected}.",
    "union_tag_not_found": "Must name its kind in {discriminator}.",
    "union_tag_invalid": "Its {discriminator} must be one of {expected_tags}.",
    "uuid_type": _UUID,
    "uuid_parsing": _UUID,
    "uuid_version": _UUID,
    "datetime_type": _MOMENT,
    "datetime_parsing": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "datetime_object_invalid": _MOMENT,
    "timezone_aware": _MOMENT,
    "none_required": "Must be null.",
}
"""Pydantic's `type` of an error → the sentence. Names in braces are of the error's context."""

_UNITS: Final = {"characters": ("character", "characters"), "entries": ("entry", "entries")}


class _Amount(int):
    """A number that can say what it counts: `{n:characters}`."""

    def __format__(self, unit: str) -> str:
        one, many = _UNITS[unit]
        return f"{int(self):,} {one if self == 1 else many}"


def sentence(error: Mapping[str, Any]) -> str:
    """What is wrong with a field, of one of `ValidationError.errors()`."""
    kind, context = str(error["type"]), dict[str, Any](error.get("ctx") or {})
    # Pydantic counts a text as "items" where a validator stands before the length: it no longer knows its type.
    if kind in ("too_short", "too_long") and context.get("field_type") == "Value":
        kind = f"string_{kind}"
    template = SENTENCES.get(kind)
    if template is None:
        return _finished(str(error["msg"]))
    amounts = {name: _Amount(context[name]) for name in ("min_length", "max_length") if name in context}
    try:
        return template.format_map({**context, **amounts, "this": _this(error, context)})
    except KeyError:  # another version of pydantic tells less
        return _finished(str(error["msg"]))


def _this(error: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    given = error.get("input")
    length = len(given) if isinstance(given, str) else context.get("actual_length")
    return f"; this has {length:,}" if isinstance(length, int) else ""


def _finished(message: str) -> str:
    text = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    text = text.replace("Input should be ", "Must be ", 1)
    return text if text.endswith((".", "?", "!")) else f"{text}."
