"""Two organizations in one database: through SQL, as the tenants' role, nothing crosses."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from offhook.core.db.pool import Connection, Database
from offhook.core.ids import new_id

Make = Callable[[Connection, uuid.UUID], Awaitable[uuid.UUID]]


async def _key(connection: Connection, organization_id: uuid.UUID) -> uuid.UUID:
    return await connection.fetchval(
        "insert into api_keys (id, organization_id, name, key_hash, last4, scopes)"
        " values ($1, $2, 'k', '\\x00', 'abcd', array['read']) returning id",
        new_id(),
        organization_id,
    )


async def _agent(connection: Connection, organization_id: uuid.UUID) -> uuid.UUID:
    return await connection.fetchval(
        "insert into agents (id, organization_id, name) values ($1, $2, 'a') returning id", new_id(), organization_id
    )


async def _tool(connection: Connection, organization_id: uuid.UUID) -> uuid.UUID:
    return await connection.fetchval(
        "insert into tools (id, organization_id, name) values ($1, $2, 'tool') returning id", new_id(), organization_id
    )


async def _platform_tool(connection: Connection, organization_id: uuid.UUID) -> uuid.UUID:
    return await connection.fetchval(
        "insert into platform_tools (id, organization_id, name, display_name, source)"
        " values ($1, $2, 'crm', 'CRM', 'database') returning id",
        new_id(),
        organization_id,
    )


async def _agent_tool(connection: Connection, organization_id: uuid.UUID) -> uuid.UUID:
    return await _link(
        connection,
        organization_id,
        await _agent(connection, organization_id),
        await _tool(connection, organization_id),
    )


async def _link(
    connection: Connection, organization_id: uuid.UUID, agent_id: uuid.UUID, tool_id: uuid.UUID
) -> uuid.UUID:
    return await connection.fetchval(
        "insert into agent_tools (id, organization_id, agent_id, tool_id) values ($1, $2, $3, $4) returning id",
        new_id(),
        organization_id,
        agent_id,
        tool_id,
    )


MAKERS: dict[str, Make] = {
    "api_keys": _key,
    "agents": _agent,
    "tools": _tool,
    "platform_tools": _platform_tool,
    "agent_tools": _agent_tool,
}


async def _make(database: Database, make: Make, organization_id: uuid.UUID) -> uuid.UUID:
    async with database.tenant(organization_id) as connection:
        return await make(connection, organization_id)


async def _snapshot(database: Database, table: str, row_id: uuid.UUID) -> dict[str, Any]:
    async with database.system("a test looks at a row") as connection:
        row = await connection.fetchrow(f"select * from {table} where id = $1", row_id)
    assert row is not None
    return dict(row)


@pytest.mark.parametrize("table", MAKERS)
async def test_another_organizations_row_is_neither_read_nor_changed_nor_deleted(
    database: Database, organization: uuid.UUID, other_organization: uuid.UUID, table: str
) -> None:
    row_id = await _make(database, MAKERS[table], organization)
    before = await _snapshot(database, table, row_id)
    async with database.tenant(other_organization) as connection:
        assert await connection.fetch(f"select id from {table}") == []
        assert await connection.fetchrow(f"select id from {table} where id = $1 for update", row_id) is None
        assert await connection.execute(f"update {table} set created_at = now()") == "UPDATE 0"
        assert await connection.execute(f"delete from {table} where id = $1", row_id) == "DELETE 0"
    assert await _snapshot(database, table, row_id) == before


@pytest.mark.parametrize("table", MAKERS)
async def test_a_row_is_neither_made_for_nor_moved_to_another_organization(
    database: Database, organization: uuid.UUID, other_organization: uuid.UUID, table: str
) -> None:
    row_id = await _make(database, MAKERS[table], organization)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.tenant(organization) as connection:
            await connection.execute(f"update {table} set organization_id = $1", other_organization)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.tenant(organization) as connection:
            await MAKERS[table](connection, other_organization)
    assert (await _snapshot(database, table, row_id))["organization_id"] == organization


async def test_links_do_not_cross(database: Database, organization: uuid.UUID, other_organization: uuid.UUID) -> None:
    agent_id = await _make(database, _agent, organization)
    tool_id = await _make(database, _tool, organization)
    foreign_agent = await _make(database, _agent, other_organization)
    foreign_tool = await _make(database, _tool, other_organization)
    for pair in ((agent_id, foreign_tool), (foreign_agent, tool_id), (foreign_agent, foreign_tool)):
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            async with database.tenant(organization) as connection:
                await _link(connection, organization, *pair)


async def test_a_tool_does_not_use_another_organizations_catalogue_entry(
    database: Database, organization: uuid.UUID, other_organization: uuid.UUID
) -> None:
    entry_id = await _make(database, _platform_tool, other_organization)
    tool_id = await _make(database, _tool, organization)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with database.tenant(organization) as connection:
            await connection.execute("update tools set platform_tool_id = $1 where id = $2", entry_id, tool_id)


async def test_everybodys_catalogue_entry_is_not_made_by_a_tenant(database: Database, organization: uuid.UUID) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.tenant(organization) as connection:
            await connection.execute(
                "insert into platform_tools (id, name, display_name, source) values ($1, 'x', 'X', 'code')", new_id()
            )


async def test_another_organization_itself_is_out_of_reach(
    database: Database, organization: uuid.UUID, other_organization: uuid.UUID
) -> None:
    async with database.tenant(other_organization) as connection:
        assert await connection.fetch("select id from organizations where id = $1", organization) == []
        assert await connection.execute("delete from organizations where id = $1", organization) == "DELETE 0"
        changed = "update organizations set data_key = null where id = $1"
        assert await connection.execute(changed, organization) == "UPDATE 0"


async def test_a_person_is_seen_only_where_they_are_a_member(
    database: Database, organization: uuid.UUID, other_organization: uuid.UUID
) -> None:
    user_id = new_id()
    async with database.system("a test makes a person") as connection:
        await connection.execute("insert into users (id, email) values ($1, 'ada@example.com')", user_id)
    async with database.tenant(organization) as connection:
        await connection.execute(
            "insert into memberships (organization_id, user_id, role) values ($1, $2, 'owner')", organization, user_id
        )
        assert await connection.fetchval("select count(*) from users") == 1
    async with database.tenant(other_organization) as connection:
        assert await connection.fetchval("select count(*) from users") == 0
