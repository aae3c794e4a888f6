"""Messaging services of an organization: a carrier's pools of senders, of which it picks the number itself."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg

from offhook.core.db.pool import Connection, Database, Row
from offhook.core.errors import Conflict, FieldProblem, InvalidInput, NotFound
from offhook.core.http.paging import Page
from offhook.core.ids import new_id
from offhook.telephony import queries
from offhook.telephony.accounts import Accounts
from offhook.telephony.models import MessagingServiceRow

_COLUMNS: Final = (
    "id, organization_id, carrier_account_id, external_id, label, messages_per_second, created_at,"
    " (select l.stopped_reason from lanes l where l.carrier_account_id = messaging_services.carrier_account_id"
    "  and l.sender = messaging_services.external_id) as stopped_reason"
)
_CHANGEABLE: Final = ("label", "messages_per_second")


class MessagingServices:
    """What an operator does with them."""

    def __init__(self, database: Database, accounts: Accounts) -> None:
        self._database = database
        self._accounts = accounts

    async def create(
        self,
        organization_id: uuid.UUID,
        carrier_account_id: uuid.UUID,
        external_id: str,
        *,
        label: str = "",
        messages_per_second: float | None = None,
    ) -> MessagingServiceRow:
        """Raises NotFound for another's account, InvalidInput for an id that is none of its carrier's, Conflict for
        one that is there."""
        async with self._database.tenant(organization_id) as connection:
            account = await queries.find_account(connection, organization_id, carrier_account_id)
            if account is None:
                raise NotFound("There is no such carrier account.", code="carrier_account_not_found")
            if not re.fullmatch(self._accounts.carrier(account.carrier).messaging_service_id_pattern, external_id):
                message = "This is not an id of a messaging service of that carrier's."
                raise InvalidInput(message, fields=[FieldProblem("external_id", message)])
            row = await connection.fetchrow(
                "insert into messaging_services"
                " (id, organization_id, carrier_account_id, external_id, label, messages_per_second)"
                f" values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning {_COLUMNS}",
                new_id(),
                organization_id,
                carrier_account_id,
                external_id,
                label,
                messages_per_second,
            )
        if row is None:
            raise Conflict("The account has that messaging service already.", code="messaging_service_exists")
        self._accounts.forget_senders(organization_id)
        return _service_of(row)

    async def get(self, organization_id: uuid.UUID, service_id: uuid.UUID) -> MessagingServiceRow:
        """Raises NotFound."""
        async with self._database.tenant(organization_id) as connection:
            row = await connection.fetchrow(
                f"select {_COLUMNS} from messaging_services where organization_id = $1 and id = $2",
                organization_id,
                service_id,
            )
        return _existing(row)

    async def list(self, organization_id: uuid.UUID, page: Page) -> tuple[Sequence[MessagingServiceRow], str | None]:
        async with self._database.tenant(organization_id) as connection:
            return page.cut(await _list(connection, organization_id, page))

    async def change(
        self, organization_id: uuid.UUID, service_id: uuid.UUID, fields: Mapping[str, Any]
    ) -> MessagingServiceRow:
        """`fields`: any of label, messages_per_second; what is not among them stays. Raises NotFound."""
        if not fields:
            return await self.get(organization_id, service_id)
        changes = {**fields, "label": fields["label"] or ""} if "label" in fields else fields
        names, assignments = queries.assigned(_CHANGEABLE, changes)
        async with self._database.tenant(organization_id) as connection:
            row = await connection.fetchrow(
                f"update messaging_services set {assignments} where organization_id = $1 and id = $2"
                f" returning {_COLUMNS}",
                organization_id,
                service_id,
                *(changes[name] for name in names),
            )
        self._accounts.forget_senders(organization_id)
        return _existing(row)

    async def delete(self, organization_id: uuid.UUID, service_id: uuid.UUID) -> None:
        """Raises NotFound, or Conflict where messages were sent with it."""
        try:
            async with self._database.tenant(organization_id) as connection:
                row = await connection.fetchrow(
                    f"delete from messaging_services where organization_id = $1 and id = $2 returning {_COLUMNS}",
                    organization_id,
                    service_id,
                )
        except asyncpg.ForeignKeyViolationError as error:
            raise Conflict("Messages were sent with it, and keep it.", code="messaging_service_in_use") from error
        _existing(row)
        self._accounts.forget_senders(organization_id)


async def _list(connection: Connection, organization_id: uuid.UUID, page: Page) -> list[MessagingServiceRow]:
    rows = await connection.fetch(
        f"select {_COLUMNS} from messaging_services where organization_id = $1"
        " and ($2::timestamptz is null or (created_at, id) < ($2, $3)) order by created_at desc, id desc limit $4",
        organization_id,
        page.before_time,
        page.before_id,
        page.fetch,
    )
    return [_service_of(row) for row in rows]


def _service_of(row: Row) -> MessagingServiceRow:
    return MessagingServiceRow(**{name: row[name] for name in MessagingServiceRow.__slots__})


def _existing(row: Row | None) -> MessagingServiceRow:
    if row is None:
        raise NotFound("There is no such messaging service.", code="messaging_service_not_found")
    return _service_of(row)
