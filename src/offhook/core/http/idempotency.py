"""`Idempotency-Key`: a request that acts on the world, sent again with its key, acts once and is answered the same.

    same key, same body        the stored answer, with `Idempotency-Replayed: true`
    same key, another request  422 idempotency_key_reused
    still under way elsewhere  waits for its answer; 409 idempotency_key_in_progress when that takes too long

Keys are an organization's own and kept for 24 hours, from the first request on and whatever came of it: a mended body
needs a new key, because what an attempt at the old one left behind may answer for it. Bodies are the same when they
are the same JSON, however they are spelled. Only good answers are kept. What a request places, it places under an
operation id that stays the key's through refusals, crashes and lost locks: placed again, the same is found. That is
what makes a crash between the act and the answer safe; the table only spares the work.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from offhook.core.clock import Clock, SystemClock
from offhook.core.db.pool import Connection, Database
from offhook.core.errors import BadRequest, Conflict, FieldProblem, InvalidInput, Unavailable
from offhook.core.ids import new_id

HEADER: Final = "idempotency-key"
REPLAYED: Final = "idempotency-replayed"
MAX_KEY_CHARACTERS: Final = 255

LOCK_SECONDS: Final = 30.0
"""How long a request may work before its process counts as dead: several times the longest answer to a text."""
WAIT_SECONDS: Final = 10.0
"""How long a second request waits for the first one's answer."""
_FIRST_PAUSE_SECONDS: Final = 0.02
_LONGEST_PAUSE_SECONDS: Final = 0.5

FORGET_EXPIRED: Final = """
with due as (
    select organization_id, key_hash from idempotency_keys
    where expires_at <= now() order by expires_at limit $1 for update skip locked
)
delete from idempotency_keys k using due d where k.organization_id = d.organization_id and k.key_hash = d.key_hash
"""
"""Deletes `$1` of those that nobody can use any more."""

PARAMETER: Final[Mapping[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Your name for this request, 1 to 255 visible ASCII characters. Sent again with the same key and "
    "body within 24 hours, it acts once, and the answer is the stored one (`Idempotency-Replayed: true`).",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARACTERS, "pattern": "^[!-~]+$"},
}
"""For the OpenAPI document of a route that takes the header."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A key that is ours to answer, until `locked_until`."""

    organization_id: uuid.UUID
    key_hash: bytes
    id: uuid.UUID
    locked_until: datetime


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the first request was answered."""

    status: int
    answer: bytes = field(repr=False)
    content_type: str | None

    def response(self) -> Response:
        return Response(self.answer, self.status, headers={REPLAYED: "true"}, media_type=self.content_type)


class Once:
    """Wraps what a route does. Safe over processes."""

    def __init__(
        self,
        database: Database,
        clock: Clock | None = None,
        *,
        lock_seconds: float = LOCK_SECONDS,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._database = database
        self._clock = clock or SystemClock()
        self._lock_seconds = lock_seconds
        self._wait_seconds = wait_seconds

    async def answer(
        self,
        request: Request,
        organization_id: uuid.UUID,
        body: object,
        act: Callable[[str | None], Awaitable[Response]],
    ) -> Response:
        """What `act` answers, or has answered before. `body` is the request's JSON; `act` gets the operation id to
        place things under, None where there is no key. Raises what `act` raises; BadRequest for a key of another form,
        InvalidInput for one of another request, Conflict while that one is under way; Unavailable."""
        key = _key_of(request)
        if key is None:
            return await act(None)
        held = await self._take(organization_id, hashlib.sha256(key.encode()).digest(), _hash_of(request, body))
        if isinstance(held, _Stored):
            return held.response()
        response: Response | None = None
        try:
            response = await act(f"key:{held.id}")
            return response
        finally:
            # A database that is away takes nothing back: the lock expires, and what was placed is found again.
            with contextlib.suppress(Unavailable):
                await self._settle(held, response)

    async def _take(self, organization_id: uuid.UUID, key_hash: bytes, request_hash: bytes) -> _Held | _Stored:
        """The key, once nobody else works under it."""
        deadline, pause = self._clock.monotonic() + self._wait_seconds, _FIRST_PAUSE_SECONDS
        while True:
            async with self._database.tenant(organization_id) as connection:
                taken = await _take(connection, organization_id, key_hash, request_hash, self._lock_seconds)
            if taken is not None:
                return taken
            if self._clock.monotonic() >= deadline:
                raise Conflict(
                    "A request with the same Idempotency-Key is still under way: ask again in a moment.",
                    code="idempotency_key_in_progress",
                )
            await self._clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _settle(self, held: _Held, response: Response | None) -> None:
        async with self._database.tenant(held.organization_id) as connection:
            if response is not None and response.status_code < 400:
                await _store(connection, held, response)
            else:
                await _give_back(connection, held)


async def _take(
    connection: Connection, organization_id: uuid.UUID, key_hash: bytes, request_hash: bytes, lock_seconds: float
) -> _Held | _Stored | None:
    """None: somebody else works under it, or has just let it go. Raises InvalidInput for another request's."""
    new = await connection.fetchrow(_INSERT, organization_id, key_hash, new_id(), request_hash, lock_seconds)
    if new is not None:
        return _Held(organization_id, key_hash, new["id"], new["locked_until"])
    row = await connection.fetchrow(_LOOK, organization_id, key_hash)
    if row is None:
        return None
    if not row["expired"]:
        if row["request_hash"] != request_hash:
            message = "This Idempotency-Key was sent with another request: take a new one for a new request."
            problem = FieldProblem("Idempotency-Key", message, "idempotency_key_reused")
            raise InvalidInput(message, code="idempotency_key_reused", fields=[problem])
        if row["status"] is not None:
            return _Stored(row["status"], row["answer"], row["content_type"])
        if row["locked"]:
            return None
    identity: uuid.UUID = new_id() if row["expired"] else row["id"]
    locked_until = await connection.fetchval(
        _RETAKE, organization_id, key_hash, identity, request_hash, lock_seconds, row["expired"]
    )
    return _Held(organization_id, key_hash, identity, locked_until)


_INSERT: Final = """
insert into idempotency_keys (organization_id, key_hash, id, request_hash, locked_until)
values ($1, $2, $3, $4, clock_timestamp() + make_interval(secs => $5))
on conflict do nothing returning id, locked_until"""

_LOOK: Final = """
select id, request_hash, status, answer, content_type, expires_at <= clock_timestamp() as expired,
    coalesce(locked_until > clock_timestamp(), false) as locked
from idempotency_keys where organization_id = $1 and key_hash = $2 for update"""

_RETAKE: Final = """
update idempotency_keys set id = $3, request_hash = $4, status = null, answer = null, content_type = null,
    locked_until = clock_timestamp() + make_interval(secs => $5),
    expires_at = case when $6 then now() + interval '24 hours' else expires_at end
where organization_id = $1 and key_hash = $2 returning locked_until"""


async def _store(connection: Connection, held: _Held, response: Response) -> None:
    """The first answer stands: where a lock was lost, two have worked, and placed the same."""
    await connection.execute(
        "update idempotency_keys set status = $4, answer = $5, content_type = $6, locked_until = null"
        " where organization_id = $1 and key_hash = $2 and id = $3 and status is null",
        held.organization_id,
        held.key_hash,
        held.id,
        response.status_code,
        bytes(response.body),
        response.media_type,
    )


async def _give_back(connection: Connection, held: _Held) -> None:
    """For the same request's next try. The id stays, so that nothing is placed a second time."""
    await connection.execute(
        "update idempotency_keys set locked_until = null"
        " where organization_id = $1 and key_hash = $2 and id = $3 and locked_until = $4",
        held.organization_id,
        held.key_hash,
        held.id,
        held.locked_until,
    )


def _key_of(request: Request) -> str | None:
    given = request.headers.getlist(HEADER)
    if not given:
        return None
    key = given[0]
    if len(given) > 1 or not (0 < len(key) <= MAX_KEY_CHARACTERS and all("!" <= char <= "~" for char in key)):
        raise BadRequest(
            f"Idempotency-Key must be one value of 1 to {MAX_KEY_CHARACTERS} visible ASCII characters.",
            code="idempotency_key_invalid",
        )
    return key


def _hash_of(request: Request, body: object) -> bytes:
    spelled = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{request.method} {request.url.path}\n{spelled}".encode()).digest()
