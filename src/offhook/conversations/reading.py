"""Reading conversations, their tool calls, and voice calls: newest first, in pages."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from offhook.core.db.pool import Database, Row
from offhook.core.errors import NotFound
from offhook.core.http import Page


@dataclass(frozen=True, slots=True)
class Record:
    """A row in a page. `created_at` is the time by which its list is ordered."""

    id: uuid.UUID
    created_at: datetime
    row: Row


_PAGED = " and ($2::timestamptz is null or ({time}, id) < ($2, $3)) order by {time} desc, id desc limit $4"

_CONVERSATIONS = (
    "select id, agent_id, channel, person_number, our_number, opened_at, closed_at, close_reason from conversations"
    " where organization_id = $1 and ($5::uuid is null or agent_id = $5)" + _PAGED.format(time="opened_at")
)
_VOICE_CALLS = (
    "select id, conversation_id, agent_id, room_name, client_phone, our_number, carrier_call_id, direction, status,"
    " opened_at, closed_at, close_reason from voice_calls"
    " where organization_id = $1 and ($5::text is null or room_name = $5)" + _PAGED.format(time="opened_at")
)
_TOOL_CALLS = (
    "select id, tool_id, function_name as function, user_turn, status, effect, error_code, error_detail, duration_ms,"
    " started_at, finished_at from tool_calls where organization_id = $1 and conversation_id = $5"
    + _PAGED.format(time="started_at")
)


class ConversationReader:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def conversations(
        self, organization_id: uuid.UUID, page: Page, agent_id: uuid.UUID | None
    ) -> tuple[Sequence[Record], str | None]:
        return await self._list(_CONVERSATIONS, "opened_at", organization_id, page, agent_id)

    async def voice_calls(
        self, organization_id: uuid.UUID, page: Page, room_name: str | None
    ) -> tuple[Sequence[Record], str | None]:
        return await self._list(_VOICE_CALLS, "opened_at", organization_id, page, room_name)

    async def tool_calls(
        self, organization_id: uuid.UUID, page: Page, conversation_id: uuid.UUID
    ) -> tuple[Sequence[Record], str | None]:
        """Raises NotFound for a conversation that is not there."""
        await self.get(organization_id, conversation_id)
        return await self._list(_TOOL_CALLS, "started_at", organization_id, page, conversation_id)

    async def get(self, organization_id: uuid.UUID, conversation_id: uuid.UUID) -> Row:
        """Raises NotFound."""
        async with self._database.tenant(organization_id) as connection:
            row = await connection.fetchrow(
                "select id, agent_id, channel, person_number, our_number, opened_at, closed_at, close_reason"
                " from conversations where organization_id = $1 and id = $2",
                organization_id,
                conversation_id,
            )
        if row is None:
            raise NotFound("There is no such conversation.", code="conversation_not_found")
        return row

    async def _list(
        self, query: str, time: str, organization_id: uuid.UUID, page: Page, wanted: Any
    ) -> tuple[Sequence[Record], str | None]:
        async with self._database.tenant(organization_id) as connection:
            rows = await connection.fetch(query, organization_id, page.before_time, page.before_id, page.fetch, wanted)
        return page.cut([Record(row["id"], row[time], row) for row in rows])
