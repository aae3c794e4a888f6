"""Messages read and listed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from offhook.core.db.pool import Connection, Database
from offhook.core.errors import NotFound
from offhook.core.http.paging import Page
from offhook.telephony.messages.models import MESSAGE_COLUMNS, Message, message_of


class MessageReader:
    """Lists and reads messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, organization_id: uuid.UUID, message_id: uuid.UUID) -> Message:
        """Raises NotFound."""
        async with self._database.tenant(organization_id) as connection:
            found = await find_message(connection, organization_id, message_id)
        if found is None:
            raise NotFound("There is no such message.", code="message_not_found")
        return found

    async def list(
        self,
        organization_id: uuid.UUID,
        page: Page,
        *,
        status: str | None = None,
        to_number: str | None = None,
        held: bool | None = None,
    ) -> tuple[Sequence[Message], str | None]:
        """`held`: only queued texts that wait for something, or only others."""
        async with self._database.tenant(organization_id) as connection:
            found = await list_messages(connection, organization_id, page, status, to_number, held)
        return page.cut(found)


async def find_message(connection: Connection, organization_id: uuid.UUID, message_id: uuid.UUID) -> Message | None:
    row = await connection.fetchrow(
        f"select {MESSAGE_COLUMNS} from messages where organization_id = $1 and id = $2", organization_id, message_id
    )
    return None if row is None else message_of(row)


async def list_messages(
    connection: Connection,
    organization_id: uuid.UUID,
    page: Page,
    status: str | None,
    to_number: str | None,
    held: bool | None,
) -> list[Message]:
    rows = await connection.fetch(
        f"select {MESSAGE_COLUMNS} from messages where organization_id = $1"
        " and ($2::timestamptz is null or (created_at, id) < ($2, $3))"
        " and ($5::text is null or status = $5) and ($6::text is null or to_number = $6)"
        " and ($7::bool is null or (status = 'queued' and hold_reason is not null) = $7)"
        " order by created_at desc, id desc limit $4",
        organization_id,
        page.before_time,
        page.before_id,
        page.fetch,
        status,
        to_number,
        held,
    )
    return [message_of(row) for row in rows]
