"""Organizations and keys on the wire."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from offhook.core.http import Form, JsonObject, Text
from offhook.organizations.auth import Scope

Name = Annotated[Text, Field(min_length=1, max_length=100)]


class OrganizationOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    name: str
    settings: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class OrganizationEnvelope(BaseModel):
    organization: OrganizationOut


class OrganizationChange(Form):
    """What is not sent stays. Each key of `settings` replaces the one of that name; null removes it."""

    name: Name | None = None
    settings: JsonObject | None = None


class ApiKeyOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    name: str
    last4: str = Field(description="The last four characters of the key, to tell keys apart.")
    scopes: list[Scope]
    expires_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime


class ApiKeyEnvelope(BaseModel):
    api_key: ApiKeyOut


class NewApiKeyEnvelope(BaseModel):
    api_key: ApiKeyOut
    key: str = Field(description="The key itself. It is shown this once and not kept.")


class ApiKeyList(BaseModel):
    api_keys: list[ApiKeyOut]
    next_cursor: str | None


class NewApiKey(Form):
    name: Name
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)]
    expires_at: AwareDatetime | None = Field(None, description="With its UTC offset; null: never.")
