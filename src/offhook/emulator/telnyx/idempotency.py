"""`Idempotency-Key`: the same request again gets the first one's answer (developers.telnyx.com "Idempotency").

A key belongs to the organization, the method and the path; only answers of success are kept, for 24 hours.
"""

from __future__ import annotations

import hashlib
import re

from aiohttp import web

from offhook.emulator.store import Record, Store
from offhook.emulator.tables import ANSWER_SECONDS
from offhook.emulator.telnyx.errors import TelnyxError

HEADER = "Idempotency-Key"

_KEY = re.compile(r"[A-Za-z0-9_:-]{1,255}")


class Key:
    """One request's key at one account, if it has one."""

    def __init__(self, request: web.Request, raw: bytes, account_sid: str) -> None:
        """Raises `TelnyxError` for a key of another form."""
        self._value = request.headers.get(HEADER)
        if self._value is not None and not _KEY.fullmatch(self._value):
            raise TelnyxError("10015", "The Idempotency-Key is not of the form ^[A-Za-z0-9_:-]{1,255}$.")
        self._account_sid = account_sid
        self._path = request.path
        self._request = hashlib.sha256(request.query_string.encode() + b"\n" + raw).hexdigest()

    def find_answer(self, store: Store, *, now: float) -> str | None:
        """The answer given before, as it was; None where there is none. Raises `TelnyxError` for another request."""
        if self._value is None:
            return None
        kept = store.answers.get((self._account_sid, self._path, self._value))
        if kept is None or now - kept["at"] >= ANSWER_SECONDS:
            return None
        if kept["request"] != self._request:
            raise TelnyxError("10015", "The Idempotency-Key was used with another request.", status=422)
        body: str = kept["body"]
        return body

    def records(self, body: str, *, now: float) -> tuple[Record, ...]:
        """What keeps an answer: written in one transaction with what it tells."""
        if self._value is None:
            return ()
        where: Record = {"account_sid": self._account_sid, "path": self._path, "key": self._value}
        return ({"type": "answer", **where, "request": self._request, "body": body, "at": now},)
