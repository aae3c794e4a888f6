"""Who is asking. An endpoint's signature says who may: `caller: AdminCaller`.

    admin   everything
    worker  open conversations, run tool calls, send texts, and read
    read    read

A key belongs to one organization. The deployment's own worker key (OFFHOOK_WORKER_KEY) belongs to none: it opens
conversations of all of them, and reads nothing else.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from fastapi import Depends, Security
from fastapi.security import HTTPBearer
from starlette.requests import Request

from offhook.core.clock import Clock, SystemClock
from offhook.core.db.pool import Database
from offhook.core.errors import Forbidden, Unauthenticated
from offhook.core.http import ApiRoute, provided
from offhook.core.recent import Recent
from offhook.organizations import queries
from offhook.organizations.tokens import Token, keyed_hash

CACHED_SECONDS: Final = 3.0
"""How long a process may go on honouring a key that was revoked through another one."""

_LONGEST_TOKEN: Final = 256
_CALLER: Final = "offhook.caller"


class Scope(StrEnum):
    ADMIN = "admin"
    WORKER = "worker"
    READ = "read"


_IMPLIED: Final[dict[Scope, frozenset[Scope]]] = {
    Scope.ADMIN: frozenset(Scope),
    Scope.WORKER: frozenset({Scope.WORKER, Scope.READ}),
    Scope.READ: frozenset({Scope.READ}),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request. `scopes` holds the implied ones too. `organization_id` None: the deployment's own worker."""

    organization_id: uuid.UUID | None
    key_id: uuid.UUID | None
    scopes: frozenset[str]

    def require(self, scope: Scope) -> None:
        """Raises Forbidden."""
        if scope not in self.scopes:
            raise Forbidden(f"This needs a key with the scope {scope}.", code="scope_missing")

    def of_organization(self) -> TenantCaller:
        """This caller where an organization is needed. Raises Forbidden for the deployment's own worker."""
        if self.organization_id is None:
            raise Forbidden(
                "The deployment's worker key belongs to no organization: use an API key of the organization.",
                code="organization_required",
            )
        return self if isinstance(self, TenantCaller) else TenantCaller(self.organization_id, self.key_id, self.scopes)


@dataclass(frozen=True, slots=True)
class TenantCaller(Caller):
    """A caller that acts for one organization."""

    organization_id: uuid.UUID


def implied(scopes: list[str]) -> frozenset[str]:
    """The scopes themselves and those that they include."""
    return frozenset(inner for scope in scopes for inner in _IMPLIED[Scope(scope)])


class Authenticator:
    """Finds the caller of a bearer token. A good answer is kept for a few seconds under the token's keyed hash, so
    that a busy client costs one hash per request; never longer than the key's own expiry."""

    def __init__(
        self, database: Database, pepper: bytes, *, worker_key: str | None = None, clock: Clock | None = None
    ) -> None:
        self._database = database
        self._pepper = pepper
        self._worker_hash = keyed_hash(pepper, worker_key) if worker_key else None
        self._clock = clock or SystemClock()
        self._known: Recent[bytes, Caller] = Recent(self._clock, CACHED_SECONDS)

    async def authenticate(self, authorization: str | None) -> Caller:
        """The caller of an `Authorization` header. Raises Unauthenticated, which never says what was wrong with a key
        of the right form."""
        if not authorization:
            raise Unauthenticated("Send an API key: Authorization: Bearer offhook_live_…", code="no_key")
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or len(token) > _LONGEST_TOKEN:
            raise Unauthenticated("The header is not of the form: Authorization: Bearer <key>", code="bad_key")
        hashed = keyed_hash(self._pepper, token)
        return self._known.get(hashed) or await self._look_up(token, hashed)

    def forget(self, key_id: uuid.UUID) -> None:
        """A key was revoked in this process: it stops working here at once."""
        self._known.forget_where(lambda caller: caller.key_id == key_id)

    async def _look_up(self, token: str, hashed: bytes) -> Caller:
        if self._worker_hash is not None and hmac.compare_digest(hashed, self._worker_hash):
            return Caller(None, None, implied([Scope.WORKER]))
        parsed = Token.parse(token)
        if parsed is None:
            raise Unauthenticated("This is not an API key of Offhook's.", code="bad_key")
        async with self._database.system("look an API key up") as connection:
            found = await queries.find_api_key(connection, parsed.key_id)
        # An unknown id is compared too, so that the time tells nothing.
        matches = hmac.compare_digest(parsed.hash(self._pepper), found.key_hash if found else bytes(32))
        now = self._clock.now()
        if found is None or not matches or found.revoked_at is not None or _is_over(found.expires_at, now):
            raise Unauthenticated("This API key opens nothing here: unknown, revoked or expired.", code="bad_key")
        caller = TenantCaller(found.organization_id, found.id, implied(found.scopes))
        left = (found.expires_at - now).total_seconds() if found.expires_at is not None else None
        return self._known.put(hashed, caller, at_most_seconds=left)


def _is_over(expires_at: datetime | None, now: datetime) -> bool:
    return expires_at is not None and expires_at <= now


_find_authenticator = provided(Authenticator)


async def authenticate(request: Request, scope: Scope) -> Caller:
    """Who sent this request, with the scope that it needs: for dependencies and plain routes alike.

    Raises Unauthenticated and Forbidden.
    """
    caller = await _caller_of(request)
    caller.require(scope)
    return caller


async def _caller_of(request: Request) -> Caller:
    """Asked twice, found once."""
    known: Caller | None = request.scope.get(_CALLER)
    if known is not None:
        return known
    caller = await _find_authenticator(request).authenticate(request.headers.get("authorization"))
    request.scope[_CALLER] = caller
    return caller


class AuthenticatedRoute(ApiRoute):
    """A route that wants a key before it reads anything of the body: `APIRouter(route_class=AuthenticatedRoute)`."""

    async def admit(self, request: Request) -> None:
        await _caller_of(request)


# Only for the OpenAPI document; the header is read by `authenticate`, which says more when it is wrong.
_bearer = HTTPBearer(scheme_name="ApiKey", description="An API key: `offhook_live_<id>_<secret>`.", auto_error=False)


def _needs(scope: Scope) -> Callable[..., object]:
    async def caller(request: Request, _: Annotated[object, Security(_bearer)]) -> TenantCaller:
        return (await authenticate(request, scope)).of_organization()

    return caller


AdminCaller = Annotated[TenantCaller, Depends(_needs(Scope.ADMIN))]
WorkerCaller = Annotated[TenantCaller, Depends(_needs(Scope.WORKER))]
ReadCaller = Annotated[TenantCaller, Depends(_needs(Scope.READ))]
