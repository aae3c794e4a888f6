"""Stopping a sender or a whole account, and starting it again. Its texts wait meanwhile: pump.py holds them."""

from __future__ import annotations

import uuid
from typing import Final

from offhook.core.db.pool import Connection
from offhook.core.ids import new_id
from offhook.telephony.alerts.models import AlertKind
from offhook.telephony.alerts.queries import raise_alert, resolve_matter
from offhook.telephony.messages import queries
from offhook.telephony.messages.lanes import ACCOUNT, LaneKey, wake
from offhook.telephony.messages.placing import queue_pumps

# Before their texts, as the pump does it; without the account's own lane, which it locks after a sender's.
_LOCK_ALL: Final = (
    f"select from lanes where carrier_account_id = $1 and sender <> '{ACCOUNT}' order by sender for update"
)

# Whatever was promised: what a stop or a start means for the texts that wait is to be seen at once.
_WAKE_ALL: Final = (
    "with lane as (update lanes l set pump_at = clock_timestamp(), pump_by = $2 where l.id in"
    " (select l.id from lanes l where l.carrier_account_id = $1 and exists (select from messages m"
    "   where m.carrier_account_id = l.carrier_account_id and m.sender = l.sender and m.status = 'queued')"
    "   order by l.sender for update) returning l.id, l.pump_at, l.pump_by) " + queue_pumps("lane")
)
_RELEASE: Final = (
    "update messages set not_before = null, hold_reason = null, decision = null where organization_id = $1"
    " and carrier_account_id = $2 and status = 'queued' and not_before is not null and hold_reason = $3"
)


async def stop_sender(connection: Connection, organization_id: uuid.UUID, key: LaneKey, reason: str) -> None:
    """Nothing more is sent from it until an operator has acted, who is told."""
    await connection.execute(
        "update lanes set stopped_reason = coalesce(stopped_reason, $3),"
        " stopped_at = coalesce(stopped_at, clock_timestamp()) where carrier_account_id = $1 and sender = $2",
        key.account_id,
        key.sender,
        reason,
    )
    await raise_alert(connection, organization_id, AlertKind.SENDER_STOPPED, key.sender, reason)
    await wake(connection, key, await queries.now(connection))


async def stop_account(connection: Connection, organization_id: uuid.UUID, account_id: uuid.UUID, reason: str) -> None:
    """Nothing more is sent from any of its senders until an operator has acted, who is told."""
    await connection.execute(
        "update carrier_accounts set stopped_reason = coalesce(stopped_reason, $3)"
        " where organization_id = $1 and id = $2",
        organization_id,
        account_id,
        reason,
    )
    await raise_alert(connection, organization_id, AlertKind.ACCOUNT_STOPPED, str(account_id), reason)
    await connection.execute(_WAKE_ALL, account_id, new_id())


async def start_sender(connection: Connection, organization_id: uuid.UUID, key: LaneKey) -> bool:
    """Whether it was stopped. What waited for it goes on; the alert is resolved."""
    status = await connection.execute(
        "update lanes set stopped_reason = null, stopped_at = null"
        " where organization_id = $1 and carrier_account_id = $2 and sender = $3 and stopped_reason is not null",
        organization_id,
        key.account_id,
        key.sender,
    )
    await resolve_matter(connection, organization_id, AlertKind.SENDER_STOPPED, key.sender)
    await connection.execute(
        f"{_RELEASE} and sender = $4", organization_id, key.account_id, AlertKind.SENDER_STOPPED, key.sender
    )
    await wake(connection, key, await queries.now(connection))
    return not status.endswith(" 0")


async def start_account(connection: Connection, organization_id: uuid.UUID, account_id: uuid.UUID) -> bool:
    """As `start_sender`. Senders of it that are stopped themselves stay so."""
    status = await connection.execute(
        "update carrier_accounts set stopped_reason = null"
        " where organization_id = $1 and id = $2 and stopped_reason is not null",
        organization_id,
        account_id,
    )
    await resume_account(connection, organization_id, account_id)
    return not status.endswith(" 0")


async def resume_account(connection: Connection, organization_id: uuid.UUID, account_id: uuid.UUID) -> None:
    """Its stop has been taken back: what waited for it goes on, and the alert is resolved."""
    await resolve_matter(connection, organization_id, AlertKind.ACCOUNT_STOPPED, str(account_id))
    await connection.execute(_LOCK_ALL, account_id)
    await connection.execute(_RELEASE, organization_id, account_id, AlertKind.ACCOUNT_STOPPED)
    await connection.execute(_WAKE_ALL, account_id, new_id())
