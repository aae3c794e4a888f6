"""Webhooks of carriers: verified over the bytes as received, stored once, handled once.

The route does no more than that, because carriers give few seconds and repeat what is slow; a job does the rest.
Statuses only move forward and a text is stored once, so events that come late, twice or out of order are harmless.
The answer is empty: nothing is said to whoever texted, because carriers answer STOP, START and HELP themselves.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from offhook.core.db.jobs import Handler
from offhook.core.db.pool import Connection, Database
from offhook.core.db.shared import SharedCommit
from offhook.core.errors import ConfigurationError
from offhook.core.ids import new_id
from offhook.core.telemetry import get_logger
from offhook.telephony import carrier_events
from offhook.telephony.accounts import Accounts
from offhook.telephony.carrier import CarrierAccount, MessageStatusEvent
from offhook.telephony.carrier_events import HANDLE, Received, Waiting
from offhook.telephony.messages import inbound, queries
from offhook.telephony.messages.hearing import Told, hear

_log = get_logger(__name__)

MAX_WEBHOOK_BYTES: Final = 64 * 1024

_EMPTY: Final = Response(status_code=204)
_REFUSED: Final = Response(status_code=403)
_UNKNOWN: Final = Response(status_code=404)
_MALFORMED: Final = Response(status_code=400)
_TOO_LARGE: Final = Response(status_code=413)


class Inbox:
    """Receives and handles carrier events."""

    def __init__(self, database: Database, accounts: Accounts, public_url: str | None) -> None:
        self._database = database
        self._accounts = accounts
        self._public_url = public_url
        self._commit: SharedCommit[Received, None] = SharedCommit(
            database, "store carrier events", carrier_events.store
        )

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
        if event is not None:
            await self._commit.submit(Received(new_id(), account.organization_id, account.id, event))
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
            waiting = await carrier_events.find_waiting(connection, event_id)
            if waiting is None:
                return
            if isinstance(waiting.event, MessageStatusEvent):
                await self._apply(connection, waiting, waiting.event)
            else:
                await inbound.take_in(connection, waiting, waiting.event)
            await carrier_events.record_handled(connection, event_id)

    async def _apply(self, connection: Connection, waiting: Waiting, event: MessageStatusEvent) -> None:
        message = await queries.find_owner(connection, waiting.account_id, event.carrier_message_id, event.operation_id)
        if message is None:
            _log.info("carrier_event_without_message", account_id=str(waiting.account_id), status=event.status)
            return
        carrier = self._accounts.carrier(waiting.carrier)
        await hear(connection, message, Told.by(event), carrier)


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
