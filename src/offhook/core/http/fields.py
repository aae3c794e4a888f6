"""Types for what comes in: text that can be stored, and JSON of a sane size."""

from __future__ import annotations

from typing import Annotated, Any, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

from offhook.core.jsonvalue import UncleanJson, clean_json
from offhook.core.text import is_clean


def _storable(text: str) -> str:
    if not is_clean(text):
        raise PydanticCustomError(
            "unstorable_text", "Contains a NUL character or half of a surrogate pair, which cannot be stored"
        )
    return text


def _object(value: object) -> object:
    if isinstance(value, dict):
        try:
            return clean_json(cast("dict[object, object]", value), max_bytes=32 * 1024)
        except UncleanJson as error:
            raise PydanticCustomError("unclean_json", "{why}", {"why": error.message.rstrip(".")}) from None
    return value


Text = Annotated[str, AfterValidator(_storable)]
"""Text that PostgreSQL can store: also in query strings, which no JSON parser has seen."""

JsonObject = Annotated[dict[str, Any], BeforeValidator(_object)]
"""A JSON object of at most 32 KB and 32 levels."""


class Form(BaseModel):
    """A body that a client sends: what is not a field of it is a mistake, and said so."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
