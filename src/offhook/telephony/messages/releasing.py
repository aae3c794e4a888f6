"""Texts that the gate held are looked at before their time: the rules were changed, or the person has written.

They only go back to their lanes, where the gate is asked again. A lane's row is locked before its texts, as the pump
does it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from offhook.core.db.jobs import Handler, enqueue
from offhook.core.db.pool import Connection, Database
from offhook.telephony.consent.tallies import forget_days
from offhook.telephony.messages import queries
from offhook.telephony.messages.lanes import LaneKey, wake

LOOK_AGAIN: Final = "messages.look_again"
BATCH: Final = 500
"""Texts of one transaction, so that nobody waits long for the lane."""

_BY_THE_HOUR: Final = ("quiet_hours", "time_zone_unknown")
_BY_THE_RULES: Final = (*_BY_THE_HOUR, "recipient_cap", "daily_cap")

_HELD: Final = (
    "m.organization_id = $1 and m.status = 'queued' and m.not_before is not null and m.hold_reason = any($2)"
    " and ($3::text is null or m.to_number = $3)"
)


async def rules_changed(connection: Connection, organization_id: uuid.UUID) -> None:
    """In the transaction that changes an organization's rules for texts: all that they hold is judged anew."""
    await forget_days(connection, organization_id)
    await enqueue(connection, LOOK_AGAIN, {"organization_id": str(organization_id), "message_id": None})


async def person_wrote(connection: Connection, organization_id: uuid.UUID, number: str, message_id: uuid.UUID) -> None:
    """In the transaction that stores the person's text: who has just written is not asleep."""
    if await connection.fetchval(
        f"select exists (select from messages m where {_HELD})", organization_id, _BY_THE_HOUR, number
    ):
        payload = {"organization_id": str(organization_id), "message_id": str(message_id)}
        await enqueue(connection, LOOK_AGAIN, payload)


class Releasing:
    """Gives held texts back to their lanes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {LOOK_AGAIN: self._on_job}

    async def _on_job(self, payload: bytes) -> None:
        told: dict[str, Any] = json.loads(payload)
        organization_id = uuid.UUID(told["organization_id"])
        reasons, number = _BY_THE_RULES, None
        if told["message_id"] is not None:
            reasons = _BY_THE_HOUR
            async with self._database.system("see who has written") as connection:
                message = await queries.find(connection, uuid.UUID(told["message_id"]))
            if message is None or message[0].from_number is None:
                return
            number = message[0].from_number
        async with self._database.system("list lanes that hold texts") as connection:
            keys = await _lanes(connection, organization_id, reasons, number)
        for key in keys:
            last: uuid.UUID | None = None
            while True:
                released = await self._release(key, organization_id, reasons, number, last)
                if len(released) < BATCH:
                    break
                last = max(released)

    async def _release(
        self,
        key: LaneKey,
        organization_id: uuid.UUID,
        reasons: Sequence[str],
        number: str | None,
        last: uuid.UUID | None,
    ) -> Sequence[uuid.UUID]:
        """A batch of those after `last`: none twice, though the gate holds it again meanwhile."""
        async with self._database.system("give held texts back to their lane") as connection:
            now = await queries.now(connection)
            await wake(connection, key, now)
            rows = await connection.fetch(
                "update messages set not_before = null, hold_reason = null, decision = null, send_at = $6"
                " where id in (select m.id from messages m"
                f"  where {_HELD} and m.carrier_account_id = $4 and m.sender = $5 and ($8::uuid is null or m.id > $8)"
                "  order by m.id limit $7) returning id",
                organization_id,
                list(reasons),
                number,
                key.account_id,
                key.sender,
                now,
                BATCH,
                last,
            )
        return [row["id"] for row in rows]


async def _lanes(
    connection: Connection, organization_id: uuid.UUID, reasons: Sequence[str], number: str | None
) -> Sequence[LaneKey]:
    rows = await connection.fetch(
        f"select distinct m.carrier_account_id, m.sender from messages m where {_HELD} order by 1, 2",
        organization_id,
        list(reasons),
        number,
    )
    return [LaneKey(row["carrier_account_id"], row["sender"]) for row in rows]
