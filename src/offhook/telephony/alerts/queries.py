"""The SQL of alerts."""

from __future__ import annotations

import uuid
from typing import Final

from offhook.core.db.pool import Connection, Row
from offhook.core.http.paging import Page
from offhook.core.ids import new_id
from offhook.core.telemetry import get_logger
from offhook.telephony.alerts.models import Alert, AlertKind

_log = get_logger(__name__)

_ALERT: Final = "id, organization_id, kind, subject, sentence, seen_count, first_at, last_at, resolved_at"


def _alert(row: Row) -> Alert:
    return Alert(**{name: row[name] for name in Alert.__slots__})


async def raise_alert(
    connection: Connection, organization_id: uuid.UUID, kind: AlertKind, subject: str, sentence: str
) -> None:
    """Tell the operator, once per matter: what is open already is counted, with its newest sentence."""
    _log.warning("alert_raised", organization_id=str(organization_id), code=kind)
    await connection.execute(
        "insert into alerts (id, organization_id, kind, subject, sentence) values ($1, $2, $3, $4, $5)"
        " on conflict (organization_id, kind, subject) where resolved_at is null do update"
        " set seen_count = alerts.seen_count + 1, last_at = clock_timestamp(), sentence = excluded.sentence",
        new_id(),
        organization_id,
        kind,
        subject,
        sentence,
    )


async def resolve_alert(connection: Connection, organization_id: uuid.UUID, alert_id: uuid.UUID) -> Alert | None:
    """One that is resolved stays as it is. None: there is no such alert."""
    row = await connection.fetchrow(
        "update alerts set resolved_at = coalesce(resolved_at, clock_timestamp())"
        f" where organization_id = $1 and id = $2 returning {_ALERT}",
        organization_id,
        alert_id,
    )
    return None if row is None else _alert(row)


async def resolve_matter(connection: Connection, organization_id: uuid.UUID, kind: AlertKind, subject: str) -> None:
    """Somebody has acted, whether or not there is an alert."""
    await connection.execute(
        "update alerts set resolved_at = clock_timestamp()"
        " where organization_id = $1 and kind = $2 and subject = $3 and resolved_at is null",
        organization_id,
        kind,
        subject,
    )


async def list_alerts(connection: Connection, organization_id: uuid.UUID, page: Page, *, is_open: bool) -> list[Alert]:
    """Newest first by when they began; `is_open`: only those that nobody has resolved."""
    rows = await connection.fetch(
        f"select {_ALERT} from alerts where organization_id = $1 and (not $5 or resolved_at is null)"
        " and ($2::timestamptz is null or (first_at, id) < ($2, $3)) order by first_at desc, id desc limit $4",
        organization_id,
        page.before_time,
        page.before_id,
        page.fetch,
        is_open,
    )
    return [_alert(row) for row in rows]
