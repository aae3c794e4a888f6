"""Carrier events as they are kept: stored once, and without what they said as soon as they are handled."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from offhook.core.db.jobs import queue_ids
from offhook.core.db.pool import Connection
from offhook.core.errors import OffhookError
from offhook.telephony.carrier import (
    INBOUND_TEXT,
    MESSAGE_STATUS,
    CarrierEvent,
    InboundMedium,
    InboundTextEvent,
    MessageStatusEvent,
)

HANDLE: Final = "carrier_events.handle"

_STORE: Final = f"""
with stored as (
    insert into carrier_events (id, organization_id, carrier_account_id, external_id, kind, payload)
    select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::jsonb[])
    on conflict (carrier_account_id, external_id) do nothing
    returning id
)
{queue_ids("stored", f"'{HANDLE}'")}"""

KEPT_DAYS: Final = 30
"""How long a handled event is known: a callback that is delivered once more by then is handled once all the same, and
after that it changes nothing, since statuses only go forward. Carriers give up within hours."""

FORGET_HANDLED: Final = f"""
with due as (
    select id from carrier_events where handled_at < now() - interval '{KEPT_DAYS} days'
    order by handled_at limit $1 for update skip locked
)
delete from carrier_events e using due d where e.id = d.id
"""
"""Deletes `$1` of those that were handled long ago."""

_SPENT: Final = ["body", "media", "from_number", "to_number"]
"""What is not kept of an event: the message has it."""


@dataclass(frozen=True, slots=True)
class Received:
    """A verified event on its way in."""

    id: uuid.UUID
    organization_id: uuid.UUID
    account_id: uuid.UUID
    event: CarrierEvent


@dataclass(frozen=True, slots=True)
class Waiting:
    """A stored event, locked, about to be handled."""

    organization_id: uuid.UUID
    account_id: uuid.UUID
    carrier: str
    event: CarrierEvent
    received_at: datetime


async def store(connection: Connection, events: Sequence[Received]) -> Sequence[OffhookError | None]:
    """Store each event once, and queue a job for those that are new."""
    await connection.execute(
        _STORE,
        [item.id for item in events],
        [item.organization_id for item in events],
        [item.account_id for item in events],
        [item.event.external_id for item in events],
        [_kind(item.event) for item in events],
        [_payload(item.event) for item in events],
    )
    return [None] * len(events)


async def find_waiting(connection: Connection, event_id: uuid.UUID) -> Waiting | None:
    """None: it has been handled."""
    row = await connection.fetchrow(
        "select e.organization_id, e.carrier_account_id, e.external_id, e.kind, e.payload, e.received_at, a.carrier"
        " from carrier_events e join carrier_accounts a"
        "  on a.organization_id = e.organization_id and a.id = e.carrier_account_id"
        " where e.id = $1 and e.handled_at is null for update of e",
        event_id,
    )
    if row is None:
        return None
    event = _event(row["kind"], row["external_id"], row["payload"])
    return Waiting(row["organization_id"], row["carrier_account_id"], row["carrier"], event, row["received_at"])


async def record_handled(connection: Connection, event_id: uuid.UUID) -> None:
    """What it said is forgotten here."""
    await connection.execute(
        "update carrier_events set handled_at = clock_timestamp(), payload = payload - $2::text[] where id = $1",
        event_id,
        _SPENT,
    )


def _kind(event: CarrierEvent) -> str:
    """By what it is: some carriers post every event to whichever address they know."""
    return MESSAGE_STATUS if isinstance(event, MessageStatusEvent) else INBOUND_TEXT


def _payload(event: CarrierEvent) -> dict[str, Any]:
    payload = asdict(event)
    del payload["external_id"]
    if isinstance(event, MessageStatusEvent):
        payload["operation_id"] = str(event.operation_id) if event.operation_id else None
    return payload


def _event(kind: str, external_id: str, payload: Mapping[str, Any]) -> CarrierEvent:
    told = dict(payload)
    if kind == MESSAGE_STATUS:
        named = told.pop("operation_id", None)
        return MessageStatusEvent(external_id, operation_id=uuid.UUID(named) if named else None, **told)
    media = tuple(InboundMedium(**medium) for medium in told.pop("media", ()))
    return InboundTextEvent(external_id, media=media, **told)
