"""What this domain is about."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Organization:
    """The tenant. `settings` is its policy as data, each key checked by the domain that reads it."""

    id: uuid.UUID
    name: str
    settings: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret, which is shown once, when it is made."""

    id: uuid.UUID
    organization_id: uuid.UUID
    name: str
    last4: str
    scopes: tuple[str, ...]
    expires_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class User:
    id: uuid.UUID
    email: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's place in an organization. Roles: owner, admin, editor, viewer."""

    organization_id: uuid.UUID
    user_id: uuid.UUID
    role: str
    created_at: datetime
