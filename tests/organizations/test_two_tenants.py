"""Two organizations in one database: through SQL, as the tenants' role, nothing crosses, whatever the table."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import asyncpg
import pytest

from fixtures.tenants import ROWS, Tenant, insert, make_tenant, new_row, rows_of
from offhook.core.db.pool import Database
from offhook.core.ids import new_id

# Foreign keys to what everybody may share; tests of their own are below.
SHARED_TARGETS = {"users", "platform_tools"}


@dataclass(frozen=True)
class ForeignKey:
    table: str
    column: str
    target: str


@pytest.fixture
async def theirs(database: Database, organization: uuid.UUID) -> Tenant:
    """The organization that is not ours."""
    return await make_tenant(database, organization)


@pytest.fixture
async def ours(database: Database, other_organization: uuid.UUID) -> Tenant:
    return await make_tenant(database, other_organization)


async def foreign_keys(database: Database) -> list[ForeignKey]:
    """Links between tenants' rows, by the column that is not the organization's."""
    async with database.system("a test reads the catalogue") as connection:
        rows = await connection.fetch(
            "select child.relname as table, parent.relname as target,"
            " array(select a.attname from unnest(k.conkey) u join pg_attribute a"
            "       on a.attrelid = k.conrelid and a.attnum = u)::text[] as columns"
            " from pg_constraint k join pg_class child on child.oid = k.conrelid"
            " join pg_class parent on parent.oid = k.confrelid join pg_namespace n on n.oid = child.relnamespace"
            " where k.contype = 'f' and n.nspname = 'offhook'"
        )
    return [
        ForeignKey(row["table"], column, row["target"])
        for row in rows
        if row["target"] not in SHARED_TARGETS
        for column in row["columns"]
        if column != "organization_id"
    ]


async def test_every_table_with_an_organization_is_tried_here(database: Database) -> None:
    async with database.system("a test reads the catalogue") as connection:
        rows = await connection.fetch(
            "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped"
            " where n.nspname = 'offhook' and c.relkind in ('r', 'p')"
        )
    assert {row["relname"] for row in rows} == set(ROWS), "give the new table a row in tests/fixtures/tenants.py"


async def test_another_organizations_rows_are_neither_read_nor_changed_nor_deleted(
    database: Database, theirs: Tenant, other_organization: uuid.UUID
) -> None:
    before = await rows_of(database, theirs.organization_id)
    assert all(before.values())
    async with database.tenant(other_organization) as connection:
        for table in ROWS:
            assert await connection.fetch(f"select * from {table}") == [], table
            mine = "where organization_id = $1"
            found = await connection.fetch(f"select * from {table} {mine} for update", theirs.organization_id)
            assert found == [], table
            assert await connection.execute(f"update {table} set organization_id = organization_id") == "UPDATE 0", (
                table
            )
            stolen = f"update {table} set organization_id = $2 {mine}"
            assert await connection.execute(stolen, theirs.organization_id, other_organization) == "UPDATE 0", table
            assert await connection.execute(f"delete from {table}") == "DELETE 0", table
    assert await rows_of(database, theirs.organization_id) == before


@pytest.mark.parametrize("table", ROWS)
async def test_a_row_is_neither_made_for_nor_moved_to_another_organization(
    database: Database, theirs: Tenant, ours: Tenant, table: str
) -> None:
    before = await rows_of(database, theirs.organization_id)
    for ids in (theirs.ids, ours.ids):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.tenant(ours.organization_id) as connection:
                await insert(connection, table, new_row(table, theirs.organization_id, ids))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.tenant(ours.organization_id) as connection:
            await connection.execute(f"update {table} set organization_id = $1", theirs.organization_id)
    assert await rows_of(database, theirs.organization_id) == before


async def test_links_do_not_cross(database: Database, theirs: Tenant, ours: Tenant) -> None:
    links = await foreign_keys(database)
    assert {link.table for link in links} > {"agent_tools", "messages", "tool_calls", "voice_calls", "phone_numbers"}
    for link in links:
        moved = f"update {link.table} set {link.column} = $1 where organization_id = $2"
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            async with database.tenant(ours.organization_id) as connection:
                await connection.execute(moved, theirs.ids[link.target], ours.organization_id)
        row = new_row(link.table, ours.organization_id, {**ours.ids, link.target: theirs.ids[link.target]})
        row |= {name: f"{row[name]}0" for name in ("number", "sender", "digest", "external_id", "name") if name in row}
        row |= {"position": 1} if "position" in row else {}
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            async with database.tenant(ours.organization_id) as connection:
                await insert(connection, link.table, row)


async def test_a_tool_does_not_use_another_organizations_catalogue_entry(
    database: Database, organization: uuid.UUID, other_organization: uuid.UUID
) -> None:
    entry_id = (await make_tenant(database, other_organization)).ids["platform_tools"]
    tool_id = (await make_tenant(database, organization)).ids["tools"]
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
