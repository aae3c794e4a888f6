"""Webhooks of carriers: verified over the bytes as received, stored once, handled once.

The route does no more than that, because carriers give few seconds and repeat what is slow; a job does the rest.
Statuses only move forward, so events that come late, twice or out of order are harmless.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from offhook.core.db.jobs import Handler, queue_ids
from offhook.core.db.pool import Connection, Database
from offhook.core.db.shared import SharedCommit
from offhook.core.errors import ConfigurationError, OffhookError
from offhook.core.ids import new_id
from offhook.core.telemetry import get_logger
from offhook.telephony.accounts import Accounts
from offhook.telephony.carrier import CarrierAccount, MessageStatusEvent
from offhook.telephony.messages import queries
from offhook.telephony.messages.refusals import apply_refusal

_log = get_logger(__name__)

HANDLE: Final = "carrier_events.handle"
MAX_WEBHOOK_BYTES: Final = 64 * 1024

_STORE: Final = f"""
with stored as (
    insert into carrier_events (id, organization_id, carrier_account_id, external_id, kind, payload)
    select id, organization_id, account_id, external_id, kind,
        jsonb_build_object('carrier_message_id', carrier_message_id, 'status', status,
            'operation_id', operation_id, 'error_code', error_code)
    from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::uuid[],
                $9::text[])
        as event (id, organization_id, account_id, external_id, kind, carrier_message_id, status, operation_id,
                  error_code)
    on conflict (carrier_account_id, external_id) do nothing
    returning id
)
{queue_ids("stored", f"'{HANDLE}'")}"""

_EMPTY: Final = Response(status_code=204)
_REFUSED: Final = Response(status_code=403)
_UNKNOWN: Final = Response(status_code=404)
_MALFORMED: Final = Response(status_code=400)
_TOO_LARGE: Final = Response(status_code=413)


@dataclass(frozen=True, slots=True)
class Received:
    """A verified event on its way into the inbox."""

    id: uuid.UUID
    organization_id: uuid.UUID
    account_id: uuid.UUID
    kind: str
    event: MessageStatusEvent


class Inbox:
    """Receives and handles carrier events."""

    def __init__(self, database: Database, accounts: Accounts, public_url: str | None) -> None:
        self._database = database
        self._accounts = accounts
        self._public_url = public_url
        self._commit: SharedCommit[Received, None] = SharedCommit(database, "store carrier events", _store)

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """The jobs that this module's events need run."""
        return {HANDLE: self._on_event}

    async def close(self) -> None:
        """Wait for what is being stored."""
        await self._commit.close()

    async def receive(self, request: Request) -> Response:
        """`POST /webhooks/carriers/{account_id}/{kind}`. Says nothing about why it refuses."""
        account = await self._account(request.path_params["account_id"])
        if account is None:
            return _UNKNOWN
        body = await _body(request)
        if body is None:
            return _TOO_LARGE
        carrier = self._accounts.carrier(account.carrier)
        scope = request.scope
        query: bytes = scope["query_string"]
        # The path as it was sent: what was signed is the text, not its meaning.
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        sent = path + b"?" + query if query else path
        url = f"{self._public_url}{sent.decode('latin-1')}"
        if self._public_url is None or not carrier.verify(account, url=url, headers=request.headers, body=body):
            return _REFUSED
        kind: str = request.path_params["kind"]
        try:
            event = carrier.parse_event(kind=kind, query=dict(parse_qsl(query.decode("latin-1"))), body=body)
        except ValueError:
            return _MALFORMED
        if isinstance(event, MessageStatusEvent):
            await self._commit.submit(Received(new_id(), account.organization_id, account.id, kind, event))
        return _EMPTY

    async def _account(self, text: str) -> CarrierAccount | None:
        try:
            return await self._accounts.find_open(uuid.UUID(text))
        except ValueError:
            return None
        except ConfigurationError as error:
            _log.error("carrier_account_unreadable", account_id=text, code=error.code)
            return None

    async def _on_event(self, payload: bytes) -> None:
        event_id = uuid.UUID(bytes=payload)
        async with self._database.system("handle a carrier event") as connection:
            row = await connection.fetchrow(
                "select carrier_account_id, payload, (select carrier from carrier_accounts a"
                "  where a.organization_id = e.organization_id and a.id = e.carrier_account_id) as carrier"
                " from carrier_events e where id = $1 and handled_at is null for update",
                event_id,
            )
            if row is None:
                return
            await self._apply(connection, row["carrier_account_id"], row["carrier"], row["payload"])
            await connection.execute("update carrier_events set handled_at = clock_timestamp() where id = $1", event_id)

    async def _apply(
        self, connection: Connection, account_id: uuid.UUID, carrier_name: str, told: Mapping[str, Any]
    ) -> None:
        named = uuid.UUID(told["operation_id"]) if told["operation_id"] else None
        sid: str = told["carrier_message_id"]
        message = await queries.find_owner(connection, account_id, sid, named)
        if message is None:
            _log.info("carrier_event_without_message", account_id=str(account_id), status=told["status"])
            return
        code: str | None = told["error_code"]
        refusal = self._accounts.carrier(carrier_name).refusal_of(code) if code else None
        moved = await queries.move_forward(
            connection, message, sid, told["status"], code, refusal.sentence if refusal else None
        )
        if moved and refusal is not None:
            await apply_refusal(connection, message, refusal)


async def _body(request: Request) -> bytes | None:
    """The whole body; None if it passes the limit."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > MAX_WEBHOOK_BYTES:
        return None
    received = bytearray()
    try:
        async for chunk in request.stream():
            received += chunk
            if len(received) > MAX_WEBHOOK_BYTES:
                return None
    except ClientDisconnect:
        return None
    return bytes(received)


async def _store(connection: Connection, events: Sequence[Received]) -> Sequence[OffhookError | None]:
    """Store each event once, and queue a job for those that are new."""
    await connection.execute(
        _STORE,
        [item.id for item in events],
        [item.organization_id for item in events],
        [item.account_id for item in events],
        [item.event.external_id for item in events],
        [item.kind for item in events],
        [item.event.carrier_message_id for item in events],
        [item.event.status for item in events],
        [item.event.operation_id for item in events],
        [item.event.error_code for item in events],
    )
    return [None] * len(events)
