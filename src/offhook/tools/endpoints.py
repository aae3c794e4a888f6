"""`/api/tools`."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from offhook.core.http import Paged, Part, Text, provided
from offhook.organizations import AdminCaller, AuthenticatedRoute, ReadCaller
from offhook.tools.schemas import (
    FunctionSchema,
    NewTool,
    PreviewEnvelope,
    PreviewOut,
    PreviewRequest,
    ToolChange,
    ToolEnvelope,
    ToolList,
    ToolOut,
)
from offhook.tools.service import ToolService

router = APIRouter(prefix="/api/tools", tags=["tools"], route_class=AuthenticatedRoute)

Tools = Annotated[ToolService, Depends(provided(ToolService))]


@router.get("")
async def list_tools(
    caller: ReadCaller,
    page: Paged,
    tools: Tools,
    name: Annotated[Text | None, Query(max_length=50, description="What the name contains, in any case.")] = None,
    type_name: Annotated[Text | None, Query(alias="type", max_length=64, description="The tool type.")] = None,
) -> ToolList:
    """The organization's tools, newest first."""
    found, next_cursor = await tools.list(caller.organization_id, page, name=name, type_name=type_name)
    return ToolList(tools=[ToolOut.of(tool) for tool in found], next_cursor=next_cursor)


@router.post("", status_code=201)
async def create_tool(body: NewTool, caller: AdminCaller, tools: Tools) -> ToolEnvelope:
    """A new tool. Its form is checked and compiled; with a name alone it is a draft."""
    tool = await tools.create(caller.organization_id, body.name, body.form(), is_async=body.is_async)
    return ToolEnvelope(tool=ToolOut.of(tool))


@router.post("/preview")
async def preview_tool(body: PreviewRequest, caller: ReadCaller, tools: Tools) -> PreviewEnvelope:
    """What a form would compile to, and what it costs and risks. Nothing is stored and nobody is asked."""
    name = body.name or body.label or "Untitled tool"
    compiled, insight = await tools.preview(caller.organization_id, name, body.form())
    preview = PreviewOut(
        function_schema=FunctionSchema.model_validate(compiled.function_schema),
        static_config=compiled.static_config,
        config_metadata=compiled.config_metadata,
        insight=dict(insight),
    )
    return PreviewEnvelope(preview=preview)


@router.get("/{tool_id}")
async def read_tool(tool_id: uuid.UUID, caller: ReadCaller, tools: Tools) -> ToolEnvelope:
    """One tool with its form."""
    return ToolEnvelope(tool=ToolOut.of(await tools.get(caller.organization_id, tool_id)))


@router.patch("/{tool_id}")
async def change_tool(tool_id: uuid.UUID, body: ToolChange, caller: AdminCaller, tools: Tools) -> ToolEnvelope:
    """Change its name or fields of its form; calls see it from the next one on."""
    is_async = body.is_async if "is_async" in body.model_fields_set else None
    tool = await tools.change(caller.organization_id, tool_id, body.form(), name=body.name, is_async=is_async)
    return ToolEnvelope(tool=ToolOut.of(tool))


@router.delete("/{tool_id}", status_code=204, response_class=Response)
async def delete_tool(
    tool_id: uuid.UUID,
    caller: AdminCaller,
    tools: Tools,
    detach: Annotated[bool, Query(description="Also detach it from the agents that use it.")] = False,
) -> None:
    """Delete a tool. One that agents use is refused (409, with `agents`) unless `detach` is true."""
    await tools.delete(caller.organization_id, tool_id, detach=detach)


def tools_part(tools: ToolService) -> Part:
    return Part(services=(tools,), routers=(router,))
