"""SQL of agents and their tools. Every query runs in the tenant's transaction and names the organization besides."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from offhook.agents.models import Agent, AgentTool
from offhook.core.db.pool import Connection, Row
from offhook.core.http import Page

_AGENT = "id, organization_id, name, instructions, greeting, settings, variables, created_at, updated_at"
_LINK = """
select l.id, l.organization_id, l.agent_id, l.tool_id, l.is_enabled, l.config, l.sensitive_config,
       l.disabled_functions, l.created_at, t.name as tool_name, t.type as tool_type, t.function_schema, t.static_config
from agent_tools l join tools t on t.organization_id = l.organization_id and t.id = l.tool_id
where l.organization_id = $1 and l.agent_id = $2
"""


def _agent(row: Row) -> Agent:
    return Agent(**row)


def _link(row: Row) -> AgentTool:
    return AgentTool(**row, called_as={})


async def insert_agent(connection: Connection, agent: Agent) -> Agent:
    row = await connection.fetchrow(
        "insert into agents (id, organization_id, name, instructions, greeting, settings, variables)"
        f" values ($1, $2, $3, $4, $5, $6, $7) returning {_AGENT}",
        agent.id,
        agent.organization_id,
        agent.name,
        agent.instructions,
        agent.greeting,
        agent.settings,
        agent.variables,
    )
    assert row is not None
    return _agent(row)


async def update_agent(connection: Connection, agent: Agent) -> Agent:
    row = await connection.fetchrow(
        "update agents set name = $3, instructions = $4, greeting = $5, settings = $6, variables = $7"
        f" where organization_id = $1 and id = $2 returning {_AGENT}",
        agent.organization_id,
        agent.id,
        agent.name,
        agent.instructions,
        agent.greeting,
        agent.settings,
        agent.variables,
    )
    assert row is not None
    return _agent(row)


async def find_agent(
    connection: Connection, organization_id: uuid.UUID, agent_id: uuid.UUID, *, locked: bool = False
) -> Agent | None:
    """`locked`: nobody changes it, attaches or detaches a tool until this transaction ends."""
    row = await connection.fetchrow(
        f"select {_AGENT} from agents where organization_id = $1 and id = $2{' for update' if locked else ''}",
        organization_id,
        agent_id,
    )
    return _agent(row) if row is not None else None


async def list_agents(
    connection: Connection, organization_id: uuid.UUID, page: Page, *, name: str | None
) -> Sequence[Agent]:
    """`name`: what the name contains, in any case."""
    rows = await connection.fetch(
        f"select {_AGENT} from agents where organization_id = $1"
        " and ($2::timestamptz is null or (created_at, id) < ($2, $3::uuid))"
        " and ($5::text is null or position(lower($5) in lower(name)) > 0)"
        " order by created_at desc, id desc limit $4",
        organization_id,
        page.before_time,
        page.before_id,
        page.fetch,
        name,
    )
    return [_agent(row) for row in rows]


async def delete_agent(connection: Connection, organization_id: uuid.UUID, agent_id: uuid.UUID) -> bool:
    """Whether there was one."""
    status = await connection.execute(
        "delete from agents where organization_id = $1 and id = $2", organization_id, agent_id
    )
    return status.endswith(" 1")


async def list_links(connection: Connection, organization_id: uuid.UUID, agent_id: uuid.UUID) -> list[AgentTool]:
    """All tools of an agent, in the order in which they were attached."""
    rows = await connection.fetch(f"{_LINK} order by l.created_at, l.id", organization_id, agent_id)
    return [_link(row) for row in rows]


async def insert_link(connection: Connection, link: AgentTool) -> bool:
    """False where the tool is attached already."""
    status = await connection.execute(
        "insert into agent_tools (id, organization_id, agent_id, tool_id, is_enabled, config, sensitive_config,"
        " disabled_functions) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (agent_id, tool_id) do nothing",
        link.id,
        link.organization_id,
        link.agent_id,
        link.tool_id,
        link.is_enabled,
        link.config,
        link.sensitive_config,
        list(link.disabled_functions),
    )
    return status.endswith(" 1")


async def update_link(connection: Connection, link: AgentTool) -> None:
    await connection.execute(
        "update agent_tools set is_enabled = $3, config = $4, sensitive_config = $5, disabled_functions = $6"
        " where organization_id = $1 and id = $2",
        link.organization_id,
        link.id,
        link.is_enabled,
        link.config,
        link.sensitive_config,
        list(link.disabled_functions),
    )


async def delete_link(
    connection: Connection, organization_id: uuid.UUID, agent_id: uuid.UUID, tool_id: uuid.UUID
) -> bool:
    """Whether it was attached."""
    status = await connection.execute(
        "delete from agent_tools where organization_id = $1 and agent_id = $2 and tool_id = $3",
        organization_id,
        agent_id,
        tool_id,
    )
    return status.endswith(" 1")
