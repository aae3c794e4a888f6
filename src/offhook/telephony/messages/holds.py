"""Holding texts back and canceling them, by what the gate says."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Final

from offhook.core.db.pool import Connection
from offhook.telephony.alerts.models import AlertKind
from offhook.telephony.alerts.queries import raise_alert
from offhook.telephony.consent.gate import Held, Withdrawn

_DAY_USED_UP: Final = (
    "The segments that the organization allows a day (texting.daily_segments) are used up: texts wait for the next "
    "day, or until an operator allows more."
)


async def apply_verdicts(
    connection: Connection, organization_id: uuid.UUID, verdicts: Mapping[uuid.UUID, Held | Withdrawn]
) -> None:
    """Write onto queued texts why they wait, and until when, or that they will not be sent."""
    if any(isinstance(one, Held) and one.reason == "daily_cap" for one in verdicts.values()):
        await raise_alert(connection, organization_id, AlertKind.DAY_USED_UP, "texting.daily_segments", _DAY_USED_UP)
    held = {message_id: one for message_id, one in verdicts.items() if isinstance(one, Held)}
    withdrawn = {message_id: one for message_id, one in verdicts.items() if isinstance(one, Withdrawn)}
    if held:
        # One that expires meanwhile is looked at again when it does; none at once, however the gate's clock goes.
        await connection.execute(
            "update messages m set not_before ="
            "  greatest(least(held.until, m.expires_at), clock_timestamp() + interval '1 second'),"
            " send_at = least(held.until, m.expires_at), hold_reason = held.reason, decision = held.sentence"
            " from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[]) as held (id, until, reason, sentence)"
            " where m.id = held.id and m.status = 'queued'",
            list(held),
            [one.until for one in held.values()],
            [one.reason for one in held.values()],
            [one.sentence for one in held.values()],
        )
    if withdrawn:
        await connection.execute(
            "update messages m set status = 'canceled', error_code = gone.code, decision = gone.sentence,"
            " finished_at = clock_timestamp() from unnest($1::uuid[], $2::text[], $3::text[])"
            " as gone (id, code, sentence) where m.id = gone.id and m.status = 'queued'",
            list(withdrawn),
            [one.code for one in withdrawn.values()],
            [one.sentence for one in withdrawn.values()],
        )
