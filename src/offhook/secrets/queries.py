"""SQL of the data keys."""

from __future__ import annotations

import uuid

from offhook.core.db.pool import Connection


async def find_data_key(connection: Connection, organization_id: uuid.UUID) -> tuple[bool, bytes | None]:
    """Whether there is the organization, and its wrapped data key if it has one."""
    row = await connection.fetchrow("select data_key from organizations where id = $1", organization_id)
    return row is not None, row["data_key"] if row is not None else None


async def create_data_key(connection: Connection, organization_id: uuid.UUID, wrapped: bytes) -> bytes:
    """The data key that stands after this: `wrapped`, or that of whoever was first."""
    return await connection.fetchval(
        # The second writer waits for the first one's row lock and then keeps what it finds.
        "update organizations set data_key = coalesce(data_key, $2) where id = $1 returning data_key",
        organization_id,
        wrapped,
    )


async def list_data_keys(connection: Connection) -> list[tuple[uuid.UUID, bytes]]:
    rows = await connection.fetch("select id, data_key from organizations where data_key is not null order by id")
    return [(row["id"], row["data_key"]) for row in rows]


async def replace_data_key(connection: Connection, organization_id: uuid.UUID, old: bytes, new: bytes) -> int:
    """1, or 0 when somebody else replaced it meanwhile."""
    status = await connection.execute(
        "update organizations set data_key = $3 where id = $1 and data_key = $2", organization_id, old, new
    )
    return int(status.rpartition(" ")[2])
