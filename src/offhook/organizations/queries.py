"""SQL of organizations, keys and people."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from offhook.core.db.pool import Connection, Row
from offhook.core.http import Page
from offhook.organizations.models import ApiKey, Membership, Organization, User

_ORGANIZATION = "id, name, settings, created_at, updated_at"
_API_KEY = "id, organization_id, name, last4, scopes, expires_at, revoked_at, created_at"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What is needed to tell whether a key opens something."""

    id: uuid.UUID
    organization_id: uuid.UUID
    key_hash: bytes = field(repr=False)
    scopes: list[str]
    expires_at: datetime | None
    revoked_at: datetime | None


def _organization(row: Row) -> Organization:
    return Organization(**row)


def _api_key(row: Row) -> ApiKey:
    values: dict[str, Any] = {**row, "scopes": tuple(row["scopes"])}
    return ApiKey(**values)


async def insert_organization(
    connection: Connection, organization_id: uuid.UUID, name: str, settings: Mapping[str, Any]
) -> Organization:
    row = await connection.fetchrow(
        f"insert into organizations (id, name, settings) values ($1, $2, $3) returning {_ORGANIZATION}",
        organization_id,
        name,
        settings,
    )
    assert row is not None
    return _organization(row)


async def find_organization(
    connection: Connection, organization_id: uuid.UUID, *, locked: bool = False
) -> Organization | None:
    """`locked`: nobody else changes it until this transaction ends."""
    row = await connection.fetchrow(
        f"select {_ORGANIZATION} from organizations where id = $1{' for update' if locked else ''}", organization_id
    )
    return _organization(row) if row is not None else None


async def list_organizations(connection: Connection) -> list[Organization]:
    """All of the deployment's, oldest first: for the system door only."""
    rows = await connection.fetch(f"select {_ORGANIZATION} from organizations order by created_at, id")
    return [_organization(row) for row in rows]


async def update_organization(
    connection: Connection, organization_id: uuid.UUID, name: str, settings: Mapping[str, Any]
) -> Organization | None:
    row = await connection.fetchrow(
        f"update organizations set name = $2, settings = $3 where id = $1 returning {_ORGANIZATION}",
        organization_id,
        name,
        settings,
    )
    return _organization(row) if row is not None else None


async def insert_api_key(connection: Connection, key: ApiKey, key_hash: bytes) -> ApiKey:
    row = await connection.fetchrow(
        "insert into api_keys (id, organization_id, name, key_hash, last4, scopes, expires_at)"
        f" values ($1, $2, $3, $4, $5, $6, $7) returning {_API_KEY}",
        key.id,
        key.organization_id,
        key.name,
        key_hash,
        key.last4,
        list(key.scopes),
        key.expires_at,
    )
    assert row is not None
    return _api_key(row)


async def find_api_key(connection: Connection, key_id: uuid.UUID) -> StoredKey | None:
    """Of any organization: for the system door only."""
    row = await connection.fetchrow(
        "select id, organization_id, key_hash, scopes, expires_at, revoked_at from api_keys where id = $1", key_id
    )
    return StoredKey(**row) if row is not None else None


async def list_api_keys(connection: Connection, organization_id: uuid.UUID, page: Page) -> Sequence[ApiKey]:
    rows = await connection.fetch(
        f"select {_API_KEY} from api_keys where organization_id = $1"
        " and ($2::timestamptz is null or (created_at, id) < ($2, $3::uuid))"
        " order by created_at desc, id desc limit $4",
        organization_id,
        page.before_time,
        page.before_id,
        page.fetch,
    )
    return [_api_key(row) for row in rows]


async def revoke_api_key(
    connection: Connection, organization_id: uuid.UUID, key_id: uuid.UUID, now: datetime
) -> ApiKey | None:
    """The key with the moment of its first revocation; None where the organization has no such key."""
    row = await connection.fetchrow(
        "update api_keys set revoked_at = coalesce(revoked_at, $3) where organization_id = $1 and id = $2"
        f" returning {_API_KEY}",
        organization_id,
        key_id,
        now,
    )
    return _api_key(row) if row is not None else None


async def upsert_user(connection: Connection, user_id: uuid.UUID, email: str, name: str) -> User:
    row = await connection.fetchrow(
        "insert into users (id, email, name) values ($1, $2, $3)"
        " on conflict (email) do update set email = excluded.email returning id, email, name, created_at",
        user_id,
        email,
        name,
    )
    assert row is not None
    return User(**row)


async def upsert_membership(
    connection: Connection, organization_id: uuid.UUID, user_id: uuid.UUID, role: str
) -> Membership:
    row = await connection.fetchrow(
        "insert into memberships (organization_id, user_id, role) values ($1, $2, $3)"
        " on conflict (organization_id, user_id) do update set role = excluded.role"
        " returning organization_id, user_id, role, created_at",
        organization_id,
        user_id,
        role,
    )
    assert row is not None
    return Membership(**row)
