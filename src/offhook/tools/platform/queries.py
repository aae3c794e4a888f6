"""SQL of the catalogue. Row-level security shows everybody's entries and the organization's own."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from offhook.core.db.pool import Connection, Row
from offhook.core.http import Page
from offhook.tools.platform.models import PlatformTool

_COLUMNS = (
    "id, organization_id, name, display_name, description, config_schema, auth_type, auth_config,"
    " tool_functions_schema, source, version, retired_at, created_at, updated_at"
)


def _platform_tool(row: Row) -> PlatformTool:
    return PlatformTool(**row)


async def insert_platform_tool(connection: Connection, entry: PlatformTool) -> PlatformTool | None:
    """None where the organization has an entry of that name."""
    row = await connection.fetchrow(
        "insert into platform_tools (id, organization_id, name, display_name, description, config_schema, auth_type,"
        " auth_config, tool_functions_schema, source, version)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        f" on conflict (organization_id, name) do nothing returning {_COLUMNS}",
        entry.id,
        entry.organization_id,
        entry.name,
        entry.display_name,
        entry.description,
        entry.config_schema,
        entry.auth_type,
        entry.auth_config,
        entry.tool_functions_schema,
        entry.source,
        entry.version,
    )
    return _platform_tool(row) if row is not None else None


async def update_platform_tool(connection: Connection, entry: PlatformTool) -> PlatformTool | None:
    """None where it is gone or not the organization's own."""
    row = await connection.fetchrow(
        "update platform_tools set display_name = $3, description = $4, config_schema = $5, auth_type = $6,"
        " auth_config = $7, tool_functions_schema = $8, version = $9"
        f" where organization_id = $1 and id = $2 and source = 'database' returning {_COLUMNS}",
        entry.organization_id,
        entry.id,
        entry.display_name,
        entry.description,
        entry.config_schema,
        entry.auth_type,
        entry.auth_config,
        entry.tool_functions_schema,
        entry.version,
    )
    return _platform_tool(row) if row is not None else None


async def find_platform_tool(
    connection: Connection, organization_id: uuid.UUID, entry_id: uuid.UUID, *, locked: bool = False
) -> PlatformTool | None:
    row = await connection.fetchrow(
        f"select {_COLUMNS} from platform_tools where (organization_id = $1 or organization_id is null) and id = $2"
        f"{' and organization_id is not null for update' if locked else ''}",
        organization_id,
        entry_id,
    )
    return _platform_tool(row) if row is not None else None


async def list_platform_tools(
    connection: Connection, organization_id: uuid.UUID, page: Page, *, name: str | None, source: str | None
) -> Sequence[PlatformTool]:
    """`name`: what the name or the display name contains, in any case. Retired entries are left out."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from platform_tools where (organization_id = $1 or organization_id is null)"
        " and retired_at is null and ($2::timestamptz is null or (created_at, id) < ($2, $3::uuid))"
        " and ($5::text is null or position(lower($5) in lower(name || ' ' || display_name)) > 0)"
        " and ($6::text is null or source = $6)"
        " order by created_at desc, id desc limit $4",
        organization_id,
        page.before_time,
        page.before_id,
        page.fetch,
        name,
        source,
    )
    return [_platform_tool(row) for row in rows]


async def list_tools_using(
    connection: Connection, organization_id: uuid.UUID, entry_id: uuid.UUID
) -> list[tuple[uuid.UUID, str]]:
    rows = await connection.fetch(
        "select id, name from tools where organization_id = $1 and platform_tool_id = $2 order by name, id",
        organization_id,
        entry_id,
    )
    return [(row["id"], row["name"]) for row in rows]


async def delete_platform_tool(connection: Connection, organization_id: uuid.UUID, entry_id: uuid.UUID) -> None:
    await connection.execute(
        "delete from platform_tools where organization_id = $1 and id = $2", organization_id, entry_id
    )
