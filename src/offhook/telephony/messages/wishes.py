"""The body of `POST /api/messages`, read by hand because it is a hot route: a table of fields, and what each takes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from offhook.core.errors import FieldProblem, InvalidInput
from offhook.core.texts import PLAIN, MediumWish, TextOptions
from offhook.telephony.messages.intake import MAX_VALIDITY_SECONDS
from offhook.telephony.messages.models import NewText, Priority

PRIORITIES: Final[Mapping[str, Priority]] = {item.name.lower(): item for item in Priority}
MAX_MEDIA: Final = 10
"""Of any carrier (facts/telephony.md 1.1); its own limit may be lower."""


class _Wrong(Exception):
    """A value that a field does not take."""

    def __init__(self, message: str, code: str, path: str = "") -> None:
        super().__init__(message)
        self.message, self.code, self.path = message, code, path


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _Wrong("Must be a text.", "string_type")
    return value


def _identity(value: object) -> uuid.UUID:
    try:
        return uuid.UUID(cast(str, value))
    except (ValueError, AttributeError, TypeError):
        raise _Wrong("Must be a UUID.", "uuid_parsing") from None


def _yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("Must be true or false.", "bool_type")
    return value


def _seconds(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_VALIDITY_SECONDS:
        raise _Wrong(f"Must be a whole number from 1 to {MAX_VALIDITY_SECONDS}.", "int_type")
    return value


def _priority(value: object) -> int:
    if not isinstance(value, str) or value not in PRIORITIES:
        raise _Wrong(f"Must be one of: {', '.join(PRIORITIES)}.", "enum")
    return PRIORITIES[value]


def _media(value: object) -> tuple[MediumWish, ...]:
    listed = cast("list[object]", value)
    if not isinstance(value, list) or len(listed) > MAX_MEDIA:
        raise _Wrong(f"Must be a list of at most {MAX_MEDIA}.", "list_type")
    return tuple(_medium(item, index) for index, item in enumerate(listed))


def _medium(value: object, index: int) -> MediumWish:
    named = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    match list(named.items()):
        case [("media_id", media_id)]:
            try:
                return MediumWish(media_id=_identity(media_id))
            except _Wrong as error:
                raise _Wrong(error.message, error.code, f".{index}.media_id") from None
        case [("url", str(url))]:
            return MediumWish(url=url)
        case _:
            raise _Wrong('Must be {"media_id": "…"} or {"url": "…"}.', "medium_type", f".{index}")


_FIELDS: Final[Mapping[str, Callable[[object], Any]]] = {
    "to": _text,
    "body": _text,
    "from": _text,
    "operation_id": _text,
    "conversation_id": _identity,
}
_OPTIONS: Final[Mapping[str, Callable[[object], Any]]] = {
    "media": _media,
    "priority": _priority,
    "messaging_service_id": _identity,
    "validity_seconds": _seconds,
    "recipient_time_zone": _text,
    "smart_encoding": _yes_or_no,
    "strip_markdown": _yes_or_no,
    "split": _yes_or_no,
}
"""Named as TextOptions has them."""

FIELDS: Final = frozenset({*_FIELDS, *_OPTIONS})


def read_wish(organization_id: uuid.UUID, body: Mapping[str, Any], operation_id: str | None = None) -> NewText:
    """`operation_id`: where the body gives none. Raises InvalidInput with every field that is wrong. Null is as good
    as not sent."""
    problems = [FieldProblem(name, "There is no such field.", "extra_forbidden") for name in body.keys() - FIELDS]
    given = _read(body, _FIELDS, problems)
    options = PLAIN if body.keys() <= _FIELDS.keys() else TextOptions(**_read(body, _OPTIONS, problems))
    failed = {problem.path.partition(".")[0] for problem in problems}
    wordless = options.media or "media" in failed
    for name in ("to", "body"):
        if name not in given and name not in failed and not (name == "body" and wordless):
            problems.append(FieldProblem(name, "Must be a text.", "missing"))
    if problems:
        raise InvalidInput("The text cannot be placed as it was sent.", fields=problems)
    return NewText(
        organization_id=organization_id,
        origin="api",
        to_number=given["to"],
        body=given.get("body", ""),
        operation_id=given.get("operation_id", operation_id),
        conversation_id=given.get("conversation_id"),
        from_number=given.get("from"),
        options=options,
    )


def _read(
    body: Mapping[str, Any], fields: Mapping[str, Callable[[object], Any]], problems: list[FieldProblem]
) -> dict[str, Any]:
    """What was sent of `fields`, read; what is wrong is added to `problems`."""
    found: dict[str, Any] = {}
    for name, read in fields.items():
        value = body.get(name)
        if value is None:
            continue
        try:
            found[name] = read(value)
        except _Wrong as error:
            problems.append(FieldProblem(f"{name}{error.path}", error.message, error.code))
    return found
