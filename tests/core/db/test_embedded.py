"""The embedded PostgreSQL: real servers, real kills."""

from __future__ import annotations

import asyncpg

from fixtures.postgres import DatabaseServer, postgres_server

__all__ = ["postgres_server"]


async def test_a_clone_of_a_template_holds_its_rows(postgres_server: DatabaseServer) -> None:
    template = await postgres_server.create_database()
    connection = await asyncpg.connect(postgres_server.dsn(template))
    await connection.execute("create table t (x int); insert into t values (7)")
    await connection.close()

    clone = await postgres_server.clone_database(template)

    connection = await asyncpg.connect(postgres_server.dsn(clone))
    assert await connection.fetchval("select x from t") == 7
    await connection.close()
    await postgres_server.drop_database(clone)
    await postgres_server.drop_database(template)
