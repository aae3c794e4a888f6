"""`/api/organization` (the one that the key belongs to) and `/api/api-keys`."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends

from offhook.core.http import Paged, Part, provided
from offhook.organizations.auth import AdminCaller, AuthenticatedRoute, Authenticator, ReadCaller
from offhook.organizations.schemas import (
    ApiKeyEnvelope,
    ApiKeyList,
    ApiKeyOut,
    NewApiKey,
    NewApiKeyEnvelope,
    OrganizationChange,
    OrganizationEnvelope,
    OrganizationOut,
)
from offhook.organizations.service import OrganizationService

router = APIRouter(prefix="/api", tags=["organization"], route_class=AuthenticatedRoute)

Organizations = Annotated[OrganizationService, Depends(provided(OrganizationService))]


@router.get("/organization")
async def read_organization(caller: ReadCaller, organizations: Organizations) -> OrganizationEnvelope:
    """The organization of the key."""
    found = await organizations.get_organization(caller.organization_id)
    return OrganizationEnvelope(organization=OrganizationOut.model_validate(found))


@router.patch("/organization")
async def change_organization(
    change: OrganizationChange, caller: AdminCaller, organizations: Organizations
) -> OrganizationEnvelope:
    """Change its name, or keys of its settings."""
    changed = await organizations.change_organization(
        caller.organization_id, name=change.name, settings=change.settings
    )
    return OrganizationEnvelope(organization=OrganizationOut.model_validate(changed))


@router.get("/api-keys")
async def list_api_keys(caller: AdminCaller, page: Paged, organizations: Organizations) -> ApiKeyList:
    """The organization's keys, newest first, revoked ones too."""
    keys, next_cursor = await organizations.list_api_keys(caller.organization_id, page)
    return ApiKeyList(api_keys=[ApiKeyOut.model_validate(key) for key in keys], next_cursor=next_cursor)


@router.post("/api-keys", status_code=201)
async def create_api_key(body: NewApiKey, caller: AdminCaller, organizations: Organizations) -> NewApiKeyEnvelope:
    """A new key. Its text is in this answer and nowhere else."""
    key, text = await organizations.create_api_key(caller.organization_id, body.name, body.scopes, body.expires_at)
    return NewApiKeyEnvelope(api_key=ApiKeyOut.model_validate(key), key=text)


@router.delete("/api-keys/{key_id}")
async def revoke_api_key(key_id: uuid.UUID, caller: AdminCaller, organizations: Organizations) -> ApiKeyEnvelope:
    """Revoke a key; doing it twice changes nothing."""
    key = await organizations.revoke_api_key(caller.organization_id, key_id)
    return ApiKeyEnvelope(api_key=ApiKeyOut.model_validate(key))


def organizations_part(organizations: OrganizationService, authenticator: Authenticator) -> Part:
    """What this package brings to the application."""
    return Part(services=(organizations, authenticator), routers=(router,))
