"""Lists in pages: newest first, `limit` at a time, with an opaque cursor that names the last row seen."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Protocol, TypeVar

from fastapi import Depends, Query

from offhook.core.errors import FieldProblem, InvalidInput

MAX_LIMIT: Final = 100
DEFAULT_LIMIT: Final = 50


class Dated(Protocol):
    """What lists are made of."""

    @property
    def id(self) -> uuid.UUID: ...
    @property
    def created_at(self) -> datetime: ...


R = TypeVar("R", bound=Dated)


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows are wanted: `limit` of those before `(created_at, id)`, in descending order of that pair."""

    limit: int = DEFAULT_LIMIT
    before: tuple[datetime, uuid.UUID] | None = None

    @property
    def before_time(self) -> datetime | None:
        return self.before[0] if self.before else None

    @property
    def before_id(self) -> uuid.UUID | None:
        return self.before[1] if self.before else None

    @property
    def fetch(self) -> int:
        """Rows to ask the database for: one more, which says whether there is a next page."""
        return self.limit + 1

    def cut(self, rows: Sequence[R]) -> tuple[Sequence[R], str | None]:
        """The rows of this page, of those fetched, and the cursor of the next one."""
        if len(rows) <= self.limit:
            return rows, None
        shown = rows[: self.limit]
        return shown, encode_cursor(shown[-1])


def encode_cursor(row: Dated) -> str:
    text = f"{row.created_at.isoformat()}|{row.id.hex}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[datetime, uuid.UUID]:
    """Raises InvalidInput for anything that `encode_cursor` did not make."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        moment, _, identity = text.partition("|")
        created_at = datetime.fromisoformat(moment)
        if created_at.tzinfo is None or len(identity) != 32:
            raise ValueError(text)
        return created_at, uuid.UUID(hex=identity)
    except (ValueError, binascii.Error):
        message = "This is not a cursor; take next_cursor of the page before, as it is."
        raise InvalidInput(message, fields=[FieldProblem("cursor", message)]) from None


def _wanted(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows of a page.")] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=200, description="The `next_cursor` of the page before.")] = None,
) -> Page:
    return Page(limit, decode_cursor(cursor) if cursor else None)


Paged = Annotated[Page, Depends(_wanted)]
"""The page that a request asks for, as a parameter of an endpoint."""
