"""`/api/platform-tools`."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from offhook.core.http import Paged, Part, Text, provided
from offhook.organizations import AdminCaller, AuthenticatedRoute, ReadCaller
from offhook.tools.platform.schemas import (
    NewPlatformTool,
    PlatformToolChange,
    PlatformToolEnvelope,
    PlatformToolList,
    PlatformToolOut,
    Source,
)
from offhook.tools.platform.service import PlatformToolService

router = APIRouter(prefix="/api/platform-tools", tags=["platform tools"], route_class=AuthenticatedRoute)

Catalogue = Annotated[PlatformToolService, Depends(provided(PlatformToolService))]


@router.get("")
async def list_platform_tools(
    caller: ReadCaller,
    page: Paged,
    catalogue: Catalogue,
    name: Annotated[Text | None, Query(max_length=100, description="What a name contains, in any case.")] = None,
    source: Annotated[Source | None, Query(description="Where its functions are defined.")] = None,
) -> PlatformToolList:
    """Everybody's entries and the organization's own, newest first."""
    found, next_cursor = await catalogue.list(caller.organization_id, page, name=name, source=source)
    return PlatformToolList(
        platform_tools=[PlatformToolOut.model_validate(entry) for entry in found], next_cursor=next_cursor
    )


@router.post("", status_code=201)
async def create_platform_tool(
    body: NewPlatformTool, caller: AdminCaller, catalogue: Catalogue
) -> PlatformToolEnvelope:
    """An entry of the organization's own, its functions defined as data."""
    entry = await catalogue.create(caller.organization_id, body.name, body.model_dump(exclude={"name"}))
    return PlatformToolEnvelope(platform_tool=PlatformToolOut.model_validate(entry))


@router.get("/{platform_tool_id}")
async def read_platform_tool(
    platform_tool_id: uuid.UUID, caller: ReadCaller, catalogue: Catalogue
) -> PlatformToolEnvelope:
    """One entry."""
    entry = await catalogue.get(caller.organization_id, platform_tool_id)
    return PlatformToolEnvelope(platform_tool=PlatformToolOut.model_validate(entry))


@router.patch("/{platform_tool_id}")
async def change_platform_tool(
    platform_tool_id: uuid.UUID, body: PlatformToolChange, caller: AdminCaller, catalogue: Catalogue
) -> PlatformToolEnvelope:
    """Change an entry of the organization's own."""
    fields = {name: value for name, value in body.model_dump().items() if value is not None}
    entry = await catalogue.change(caller.organization_id, platform_tool_id, fields)
    return PlatformToolEnvelope(platform_tool=PlatformToolOut.model_validate(entry))


@router.delete("/{platform_tool_id}", status_code=204, response_class=Response)
async def delete_platform_tool(platform_tool_id: uuid.UUID, caller: AdminCaller, catalogue: Catalogue) -> None:
    """Delete an entry of the organization's own. One that tools use is refused (409, with `tools`)."""
    await catalogue.delete(caller.organization_id, platform_tool_id)


def platform_tools_part(catalogue: PlatformToolService) -> Part:
    return Part(services=(catalogue,), routers=(router,))
