"""What a model sends as arguments, before anything is known about the function."""

from __future__ import annotations

from typing import Final

from offhook.core.errors import ToolError
from offhook.core.jsonvalue import JSON, UncleanJson, clean_json
from offhook.tools.compile import AGAIN

MAX_ARGUMENTS_BYTES: Final = 64 * 1024


def read_arguments(arguments: object, has_effect: bool) -> tuple[dict[str, JSON], bool]:
    """The arguments without `again`, and whether it was set. Raises ToolError (effect none) for what cannot be used."""
    if arguments is None:
        return {}, False
    try:
        cleaned = clean_json(arguments, max_bytes=MAX_ARGUMENTS_BYTES)
    except (UncleanJson, RecursionError) as error:
        reason = error.message if isinstance(error, UncleanJson) else "The value is nested too deeply."
        say = f"The arguments cannot be read: {reason} Nothing was done."
        raise ToolError(
            say, detail="the model's arguments are too large or no JSON", code="invalid_arguments"
        ) from None
    if not isinstance(cleaned, dict):
        raise ToolError("The arguments must be one JSON object. Nothing was done.", code="invalid_arguments")
    if cleaned != arguments:
        say = "The arguments contain a broken character or number; write them again without it. Nothing was done."
        raise ToolError(say, code="invalid_arguments")
    again = has_effect and cleaned.pop(AGAIN, None) in (True, "true")
    return cleaned, again
