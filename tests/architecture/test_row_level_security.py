"""The walls, read from the database itself: a table, policy or foreign key that leaves a gap fails here."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import asyncpg
import pytest

# Tables that hold nobody's data, with the reason.
NOT_TENANT = {
    "schema_migrations": "which migrations were applied",
}
# The queue's own tables hold ids only and belong to no organization.
QUEUE_PREFIX = "pgqueuer"
# Foreign keys to something that everybody may share; what keeps them honest instead.
SHARED_TARGETS = {
    ("memberships", "users"): "people belong to several organizations",
    ("tools", "platform_tools"): "trigger check_tools_platform_tool_owner",
}


@pytest.fixture
async def catalogue(superuser_dsn: str) -> AsyncGenerator[Any]:
    connection = await asyncpg.connect(superuser_dsn)
    yield connection
    await connection.close()


async def _tables(catalogue: Any) -> list[str]:
    rows = await catalogue.fetch(
        "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = 'offhook' and c.relkind in ('r', 'p') order by 1"
    )
    return [row["relname"] for row in rows]


async def _tenant_tables(catalogue: Any) -> list[str]:
    return [name for name in await _tables(catalogue) if name not in NOT_TENANT and not name.startswith(QUEUE_PREFIX)]


async def test_every_tenant_table_has_row_level_security_enabled_and_forced(catalogue: Any) -> None:
    tables = await _tenant_tables(catalogue)
    rows = await catalogue.fetch(
        "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = 'offhook' and c.relrowsecurity and c.relforcerowsecurity"
    )
    assert len(tables) > 15
    assert set(tables) - {row["relname"] for row in rows} == set()


async def test_every_tenant_table_names_its_organization(catalogue: Any) -> None:
    rows = await catalogue.fetch(
        "select table_name from information_schema.columns"
        " where table_schema = 'offhook' and column_name = 'organization_id'"
    )
    without = set(await _tenant_tables(catalogue)) - {row["table_name"] for row in rows}
    assert without == {"organizations", "users"}


async def test_every_policy_of_the_tenant_role_names_the_current_organization(catalogue: Any) -> None:
    rows = await catalogue.fetch(
        "select tablename, policyname, coalesce(qual, '') || coalesce(with_check, '') as rule, roles::text[] as roles"
        " from pg_policies where schemaname = 'offhook'"
    )
    for row in rows:
        assert row["roles"] in (["offhook_app"], ["offhook_system"]), row["policyname"]
        if row["roles"] == ["offhook_app"]:
            assert "current_organization()" in row["rule"], row["tablename"]
    covered = {row["tablename"] for row in rows if row["roles"] == ["offhook_app"]}
    assert set(await _tenant_tables(catalogue)) - covered == set()


async def test_every_foreign_key_between_tenant_tables_carries_the_organization(catalogue: Any) -> None:
    rows = await catalogue.fetch(
        "select child.relname as child, parent.relname as parent,"
        " array(select a.attname from unnest(k.conkey) u join pg_attribute a"
        "       on a.attrelid = k.conrelid and a.attnum = u)::text[] as columns"
        " from pg_constraint k join pg_class child on child.oid = k.conrelid"
        " join pg_class parent on parent.oid = k.confrelid join pg_namespace n on n.oid = child.relnamespace"
        " where k.contype = 'f' and n.nspname = 'offhook'"
    )
    assert rows
    gaps = [
        (row["child"], row["parent"])
        for row in rows
        if "organization_id" not in row["columns"] and (row["child"], row["parent"]) not in SHARED_TARGETS
    ]
    assert gaps == []


async def test_no_unique_index_tells_one_organization_of_another(catalogue: Any) -> None:
    """A unique index over something a tenant chooses must begin with its organization (or with what it owns)."""
    owned = {"organization_id", "carrier_account_id", "agent_id", "id"}
    rows = await catalogue.fetch(
        "select t.relname as table_name, i.relname as index_name,"
        " array(select a.attname from unnest(x.indkey) u join pg_attribute a"
        "       on a.attrelid = t.oid and a.attnum = u)::text[] as columns"
        " from pg_index x join pg_class t on t.oid = x.indrelid join pg_class i on i.oid = x.indexrelid"
        " join pg_namespace n on n.oid = t.relnamespace where n.nspname = 'offhook' and x.indisunique"
    )
    tables = set(await _tenant_tables(catalogue)) - {"users"}  # an email is a person, not a tenant
    leaking = [row["index_name"] for row in rows if row["table_name"] in tables and not owned & set(row["columns"])]
    assert leaking == []


async def test_the_roles_neither_bypass_the_walls_nor_truncate(catalogue: Any) -> None:
    rows = await catalogue.fetch(
        "select rolname, rolsuper, rolbypassrls, rolcanlogin from pg_roles where rolname like 'offhook\\_%'"
        " and rolname in ('offhook_owner', 'offhook_app', 'offhook_system')"
    )
    assert len(rows) == 3
    assert not any(row["rolsuper"] or row["rolbypassrls"] or row["rolcanlogin"] for row in rows)
    granted = await catalogue.fetchval(
        "select count(*) from information_schema.role_table_grants where table_schema = 'offhook'"
        " and grantee in ('offhook_app', 'offhook_system', 'PUBLIC') and privilege_type in ('TRUNCATE', 'TRIGGER')"
    )
    assert granted == 0


async def test_no_view_runs_with_its_owners_eyes(catalogue: Any) -> None:
    rows = await catalogue.fetch(
        "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = 'offhook' and c.relkind in ('v', 'm')"
        " and not coalesce('security_invoker=true' = any(c.reloptions), false)"
    )
    assert rows == []
