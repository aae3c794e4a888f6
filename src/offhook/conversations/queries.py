"""SQL of conversations and voice calls. Runs in the transaction that the caller holds."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from offhook.core.db.pool import Connection, Row
from offhook.core.ids import new_id

_COLUMNS = (
    "id, organization_id, agent_id, release_id, channel, person_number, our_number, variables,"
    " opened_at, closed_at, close_reason"
)


async def find_conversation(
    connection: Connection, organization_id: uuid.UUID, conversation_id: uuid.UUID
) -> Row | None:
    return await connection.fetchrow(
        f"select {_COLUMNS} from conversations where organization_id = $1 and id = $2",
        organization_id,
        conversation_id,
    )


async def insert_conversation(
    connection: Connection,
    *,
    conversation_id: uuid.UUID,
    organization_id: uuid.UUID,
    agent_id: uuid.UUID,
    release_id: uuid.UUID,
    channel: str,
    person_number: str | None,
    our_number: str | None,
    variables: Mapping[str, Any],
) -> Row | None:
    """None: the id is taken."""
    return await connection.fetchrow(
        "insert into conversations (id, organization_id, agent_id, release_id, channel, person_number, our_number,"
        " variables) values ($1, $2, $3, $4, $5, $6, $7, $8)"
        f" on conflict (id) do nothing returning {_COLUMNS}",
        conversation_id,
        organization_id,
        agent_id,
        release_id,
        channel,
        person_number,
        our_number,
        variables,
    )


async def close_conversation(
    connection: Connection, organization_id: uuid.UUID, conversation_id: uuid.UUID, reason: str
) -> Row | None:
    """Closes once: the first reason stands."""
    return await connection.fetchrow(
        "update conversations set closed_at = coalesce(closed_at, now()), close_reason = coalesce(close_reason, $3)"
        f" where organization_id = $1 and id = $2 returning {_COLUMNS}",
        organization_id,
        conversation_id,
        reason,
    )


async def merge_variables(
    connection: Connection, organization_id: uuid.UUID, conversation_id: uuid.UUID, variables: Mapping[str, Any]
) -> None:
    await connection.execute(
        "update conversations set variables = variables || $3 where organization_id = $1 and id = $2",
        organization_id,
        conversation_id,
        variables,
    )


async def expire_answers(
    connection: Connection, organization_id: uuid.UUID, conversation_id: uuid.UUID, hours: int
) -> None:
    """Answers of a closed conversation are kept for a while, so that a late retry still gets its own."""
    await connection.execute(
        "update tool_calls set answer_expires_at = now() + make_interval(hours => $3)"
        " where organization_id = $1 and conversation_id = $2 and answer_expires_at is null",
        organization_id,
        conversation_id,
        hours,
    )


_RETURNED = "voice_calls.close_reason = 'caller_left' and $11 > voice_calls.closed_at"
_OPEN_VOICE_CALL = f"""
insert into voice_calls (id, organization_id, conversation_id, agent_id, room_name, room_sid, client_phone,
                         our_number, participant_identity, carrier_call_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (organization_id, room_sid) do update set
    conversation_id = coalesce(excluded.conversation_id, voice_calls.conversation_id),
    agent_id = coalesce(excluded.agent_id, voice_calls.agent_id),
    client_phone = coalesce(excluded.client_phone, voice_calls.client_phone),
    our_number = coalesce(excluded.our_number, voice_calls.our_number),
    participant_identity = coalesce(excluded.participant_identity, voice_calls.participant_identity),
    carrier_call_id = coalesce(excluded.carrier_call_id, voice_calls.carrier_call_id),
    status = case when {_RETURNED} then 'open' else voice_calls.status end,
    closed_at = case when {_RETURNED} then null else voice_calls.closed_at end,
    close_reason = case when {_RETURNED} then null else voice_calls.close_reason end
returning id
"""


async def open_voice_call(
    connection: Connection,
    *,
    organization_id: uuid.UUID,
    room_name: str,
    room_sid: str | None,
    client_phone: str | None,
    our_number: str | None,
    participant_identity: str | None,
    carrier_call_id: str | None,
    conversation_id: uuid.UUID | None = None,
    agent_id: uuid.UUID | None = None,
    happened_at: datetime | None = None,
) -> uuid.UUID:
    """One row per room: whoever comes first (the worker, LiveKit's webhook) opens it, the other adds what it knows.

    A call that was closed because its caller left opens again when the caller returned later (`happened_at`).
    """
    return await connection.fetchval(
        _OPEN_VOICE_CALL,
        new_id(),
        organization_id,
        conversation_id,
        agent_id,
        room_name,
        room_sid,
        client_phone,
        our_number,
        participant_identity,
        carrier_call_id,
        happened_at,
    )


async def close_voice_calls(
    connection: Connection, *, room_sid: str, participant_identity: str | None, reason: str, at: datetime
) -> list[Row]:
    """Close a room's open calls in whichever organization they are (system door); with an identity, only that
    caller's. Returns organization_id and conversation_id of what was closed."""
    return await connection.fetch(
        "update voice_calls set status = 'closed', closed_at = greatest(opened_at, $3), close_reason = $4"
        " where room_sid = $1 and status = 'open' and ($2::text is null or participant_identity = $2)"
        " returning organization_id, conversation_id",
        room_sid,
        participant_identity,
        at,
        reason,
    )


async def close_voice_call_of(
    connection: Connection, organization_id: uuid.UUID, conversation_id: uuid.UUID, reason: str
) -> None:
    await connection.execute(
        "update voice_calls set status = 'closed', closed_at = now(), close_reason = $3"
        " where organization_id = $1 and conversation_id = $2 and status = 'open'",
        organization_id,
        conversation_id,
        reason,
    )


async def find_voice_call(connection: Connection, organization_id: uuid.UUID, room_name: str) -> Row | None:
    """The newest call in a room of that name; it may have ended."""
    return await connection.fetchrow(
        "select id, agent_id, conversation_id, client_phone, our_number, status from voice_calls"
        " where organization_id = $1 and room_name = $2 order by opened_at desc, id desc limit 1",
        organization_id,
        room_name,
    )
