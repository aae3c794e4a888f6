"""SQL of tools. Every query runs in the tenant's transaction and names the organization besides."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from offhook.core.db.pool import Connection, Row
from offhook.core.http import Page
from offhook.tools.models import Tool, UsingAgent

_TOOL = (
    "id, organization_id, name, label, description, type, function_schema, static_config, config_metadata,"
    ' "async" as is_async, platform_tool_id, created_at, updated_at'
)


def _tool(row: Row) -> Tool:
    return Tool(**row)


async def insert_tool(connection: Connection, tool: Tool) -> Tool:
    row = await connection.fetchrow(
        "insert into tools (id, organization_id, name, label, description, type, function_schema, static_config,"
        ' config_metadata, "async", platform_tool_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)'
        f" returning {_TOOL}",
        tool.id,
        tool.organization_id,
        tool.name,
        tool.label,
        tool.description,
        tool.type,
        tool.function_schema,
        tool.static_config,
        tool.config_metadata,
        tool.is_async,
        tool.platform_tool_id,
    )
    assert row is not None
    return _tool(row)


async def update_tool(connection: Connection, tool: Tool, unchanged_since: datetime) -> Tool | None:
    """None where the row is gone or was changed after `unchanged_since`."""
    row = await connection.fetchrow(
        "update tools set name = $4, label = $5, description = $6, type = $7, function_schema = $8,"
        ' static_config = $9, config_metadata = $10, "async" = $11'
        f" where organization_id = $1 and id = $2 and updated_at = $3 returning {_TOOL}",
        tool.organization_id,
        tool.id,
        unchanged_since,
        tool.name,
        tool.label,
        tool.description,
        tool.type,
        tool.function_schema,
        tool.static_config,
        tool.config_metadata,
        tool.is_async,
    )
    return _tool(row) if row is not None else None


async def find_tool(
    connection: Connection, organization_id: uuid.UUID, tool_id: uuid.UUID, *, locked: bool = False
) -> Tool | None:
    """`locked`: nobody changes it or attaches it to an agent until this transaction ends."""
    row = await connection.fetchrow(
        f"select {_TOOL} from tools where organization_id = $1 and id = $2{' for update' if locked else ''}",
        organization_id,
        tool_id,
    )
    return _tool(row) if row is not None else None


async def list_tools(
    connection: Connection, organization_id: uuid.UUID, page: Page, *, name: str | None, type_name: str | None
) -> Sequence[Tool]:
    """`name`: what the name contains, in any case."""
    rows = await connection.fetch(
        f"select {_TOOL} from tools where organization_id = $1"
        " and ($2::timestamptz is null or (created_at, id) < ($2, $3::uuid))"
        " and ($5::text is null or position(lower($5) in lower(name)) > 0)"
        " and ($6::text is null or type = $6)"
        " order by created_at desc, id desc limit $4",
        organization_id,
        page.before_time,
        page.before_id,
        page.fetch,
        name,
        type_name,
    )
    return [_tool(row) for row in rows]


async def delete_tool(connection: Connection, organization_id: uuid.UUID, tool_id: uuid.UUID) -> None:
    await connection.execute("delete from tools where organization_id = $1 and id = $2", organization_id, tool_id)


async def list_agents_using(connection: Connection, organization_id: uuid.UUID, tool_id: uuid.UUID) -> list[UsingAgent]:
    rows = await connection.fetch(
        "select a.id, a.name from agent_tools l join agents a on a.organization_id = l.organization_id"
        " and a.id = l.agent_id where l.organization_id = $1 and l.tool_id = $2 order by a.name, a.id",
        organization_id,
        tool_id,
    )
    return [UsingAgent(**row) for row in rows]


async def detach_everywhere(connection: Connection, organization_id: uuid.UUID, tool_id: uuid.UUID) -> None:
    await connection.execute(
        "delete from agent_tools where organization_id = $1 and tool_id = $2", organization_id, tool_id
    )


async def list_declared_variables(connection: Connection, organization_id: uuid.UUID) -> list[dict[str, Any]]:
    """What agents of the organization declare, then what it declares itself, as it was stored."""
    rows = await connection.fetch(
        "select jsonb_array_elements(a.variables) as variable from agents a where a.organization_id = $1"
        " union all select jsonb_array_elements(o.settings -> 'variables') from organizations o"
        " where o.id = $1 and jsonb_typeof(o.settings -> 'variables') = 'array'",
        organization_id,
    )
    return [row["variable"] for row in rows]
