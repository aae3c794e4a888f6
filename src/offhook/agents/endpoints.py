"""`/api/agents` and `/api/agents/{id}/tools`."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from offhook.agents.attachments import AttachmentService
from offhook.agents.schemas import (
    AgentChange,
    AgentEnvelope,
    AgentList,
    AgentOut,
    AgentToolEnvelope,
    AgentToolList,
    AgentToolOut,
    Attachment,
    AttachmentChange,
    NewAgent,
)
from offhook.agents.service import AgentService
from offhook.core.http import Paged, Part, Text, provided
from offhook.organizations import AdminCaller, AuthenticatedRoute, ReadCaller

router = APIRouter(prefix="/api/agents", tags=["agents"], route_class=AuthenticatedRoute)

Agents = Annotated[AgentService, Depends(provided(AgentService))]
Attachments = Annotated[AttachmentService, Depends(provided(AttachmentService))]


@router.get("")
async def list_agents(
    caller: ReadCaller,
    page: Paged,
    agents: Agents,
    name: Annotated[Text | None, Query(max_length=100, description="What the name contains, in any case.")] = None,
) -> AgentList:
    """The organization's agents, newest first."""
    found, next_cursor = await agents.list(caller.organization_id, page, name=name)
    return AgentList(agents=[AgentOut.model_validate(agent) for agent in found], next_cursor=next_cursor)


@router.post("", status_code=201)
async def create_agent(body: NewAgent, caller: AdminCaller, agents: Agents) -> AgentEnvelope:
    """A new agent. Variables in its instructions and greeting must be declared."""
    agent = await agents.create(caller.organization_id, body.model_dump(exclude_unset=True))
    return AgentEnvelope(agent=AgentOut.model_validate(agent))


@router.get("/{agent_id}")
async def read_agent(agent_id: uuid.UUID, caller: ReadCaller, agents: Agents) -> AgentEnvelope:
    """One agent."""
    return AgentEnvelope(agent=AgentOut.model_validate(await agents.get(caller.organization_id, agent_id)))


@router.patch("/{agent_id}")
async def change_agent(agent_id: uuid.UUID, body: AgentChange, caller: AdminCaller, agents: Agents) -> AgentEnvelope:
    """Change an agent; conversations that are open keep the release they began with."""
    agent = await agents.change(caller.organization_id, agent_id, body.model_dump(exclude_unset=True))
    return AgentEnvelope(agent=AgentOut.model_validate(agent))


@router.delete("/{agent_id}", status_code=204, response_class=Response)
async def delete_agent(agent_id: uuid.UUID, caller: AdminCaller, agents: Agents) -> None:
    """Delete an agent with its conversations; its tools stay, its numbers are answered by nobody."""
    await agents.delete(caller.organization_id, agent_id)


@router.get("/{agent_id}/tools")
async def list_agent_tools(agent_id: uuid.UUID, caller: ReadCaller, attachments: Attachments) -> AgentToolList:
    """The agent's tools, in the order in which they were attached, and what its model calls their functions."""
    links = await attachments.list(caller.organization_id, agent_id)
    return AgentToolList(agent_tools=[AgentToolOut.of(link) for link in links], next_cursor=None)


@router.post("/{agent_id}/tools", status_code=201)
async def attach_tool(
    agent_id: uuid.UUID, body: Attachment, caller: AdminCaller, attachments: Attachments
) -> AgentToolEnvelope:
    """Attach a tool: the agent has it from its next conversation on."""
    fields = body.model_dump(exclude={"tool_id"})
    link = await attachments.attach(caller.organization_id, agent_id, body.tool_id, fields)
    return AgentToolEnvelope(agent_tool=AgentToolOut.of(link))


@router.get("/{agent_id}/tools/{tool_id}")
async def read_agent_tool(
    agent_id: uuid.UUID, tool_id: uuid.UUID, caller: ReadCaller, attachments: Attachments
) -> AgentToolEnvelope:
    """One of the agent's tools."""
    return AgentToolEnvelope(
        agent_tool=AgentToolOut.of(await attachments.get(caller.organization_id, agent_id, tool_id))
    )


@router.patch("/{agent_id}/tools/{tool_id}")
async def change_agent_tool(
    agent_id: uuid.UUID, tool_id: uuid.UUID, body: AttachmentChange, caller: AdminCaller, attachments: Attachments
) -> AgentToolEnvelope:
    """Switch it or single functions on and off, or change its config."""
    fields = body.model_dump(exclude_unset=True)
    link = await attachments.change(caller.organization_id, agent_id, tool_id, fields)
    return AgentToolEnvelope(agent_tool=AgentToolOut.of(link))


@router.delete("/{agent_id}/tools/{tool_id}", status_code=204, response_class=Response)
async def detach_tool(agent_id: uuid.UUID, tool_id: uuid.UUID, caller: AdminCaller, attachments: Attachments) -> None:
    """Detach a tool; the tool itself stays."""
    await attachments.detach(caller.organization_id, agent_id, tool_id)


def agents_part(agents: AgentService, attachments: AttachmentService) -> Part:
    """What this package brings to the application."""
    return Part(services=(agents, attachments), routers=(router,))
