"""The SQL of carrier accounts, numbers, suppressions, policies and lists of messages."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from offhook.core.db.pool import Connection, Row
from offhook.core.http.paging import Page
from offhook.telephony.models import AccountRow, NumberRow

_ACCOUNT: Final = (
    "id, organization_id, carrier, label, external_account_id, base_url, messages_per_second, stopped_reason, "
    "created_at, updated_at, total_per_second, segment_price, media_price, price_currency"
)
_NUMBER: Final = (
    "id, organization_id, number, label, carrier_account_id, agent_id, created_at, messages_per_second,"
    " (select l.stopped_reason from lanes l where l.carrier_account_id = phone_numbers.carrier_account_id"
    "  and l.sender = phone_numbers.number) as stopped_reason"
)


def _account(row: Row) -> AccountRow:
    return AccountRow(**{name: row[name] for name in AccountRow.__slots__})


def _number(row: Row) -> NumberRow:
    return NumberRow(**{name: row[name] for name in NumberRow.__slots__})


async def find_sealed_account(connection: Connection, account_id: uuid.UUID) -> tuple[AccountRow, bytes] | None:
    """An account of whichever organization, with its sealed credentials: for webhooks and jobs."""
    row = await connection.fetchrow(f"select {_ACCOUNT}, credentials from carrier_accounts where id = $1", account_id)
    return None if row is None else (_account(row), row["credentials"])


async def find_account(connection: Connection, organization_id: uuid.UUID, account_id: uuid.UUID) -> AccountRow | None:
    row = await connection.fetchrow(
        f"select {_ACCOUNT} from carrier_accounts where organization_id = $1 and id = $2", organization_id, account_id
    )
    return None if row is None else _account(row)


async def find_account_by_external_id(
    connection: Connection, organization_id: uuid.UUID, carrier: str, external_account_id: str
) -> AccountRow | None:
    row = await connection.fetchrow(
        f"select {_ACCOUNT} from carrier_accounts"
        " where organization_id = $1 and carrier = $2 and external_account_id = $3",
        organization_id,
        carrier,
        external_account_id,
    )
    return None if row is None else _account(row)


async def list_accounts(connection: Connection, organization_id: uuid.UUID, page: Page) -> list[AccountRow]:
    rows = await connection.fetch(
        f"select {_ACCOUNT} from carrier_accounts where organization_id = $1"
        " and ($2::timestamptz is null or (created_at, id) < ($2, $3)) order by created_at desc, id desc limit $4",
        organization_id,
        page.before_time,
        page.before_id,
        page.fetch,
    )
    return [_account(row) for row in rows]


async def insert_account(connection: Connection, account: Mapping[str, Any]) -> AccountRow | None:
    """None if the organization has that account of the carrier already."""
    row = await connection.fetchrow(
        "insert into carrier_accounts (id, organization_id, carrier, label, external_account_id, base_url,"
        " credentials, messages_per_second, total_per_second, segment_price, media_price, price_currency)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        f" on conflict (organization_id, carrier, external_account_id) do nothing returning {_ACCOUNT}",
        *(account[name] for name in _NEW_ACCOUNT),
    )
    return None if row is None else _account(row)


_NEW_ACCOUNT: Final = (
    "id", "organization_id", "carrier", "label", "external_account_id", "base_url", "credentials",
    "messages_per_second", "total_per_second", "segment_price", "media_price", "price_currency",
)  # fmt: skip


async def update_account(
    connection: Connection, organization_id: uuid.UUID, account_id: uuid.UUID, changes: Mapping[str, Any]
) -> AccountRow | None:
    """What is not in `changes` stays; at least one is. New credentials take a stop back: it was the old ones'."""
    names, assignments = assigned(_CHANGEABLE_OF_ACCOUNT, changes)
    if "credentials" in changes:
        assignments += ", stopped_reason = null"
    row = await connection.fetchrow(
        f"update carrier_accounts set {assignments} where organization_id = $1 and id = $2 returning {_ACCOUNT}",
        organization_id,
        account_id,
        *(changes[name] for name in names),
    )
    return None if row is None else _account(row)


_CHANGEABLE_OF_ACCOUNT: Final = (
    "label", "base_url", "messages_per_second", "total_per_second", "segment_price", "media_price", "price_currency",
    "credentials",
)  # fmt: skip
_CHANGEABLE_OF_NUMBER: Final = ("label", "carrier_account_id", "agent_id", "messages_per_second")
_NEW_NUMBER: Final = (
    "id", "organization_id", "number", "label", "carrier_account_id", "agent_id", "messages_per_second",
)  # fmt: skip


def assigned(columns: Sequence[str], changes: Mapping[str, Any]) -> tuple[Sequence[str], str]:
    """The columns that change, and their assignments from $3 on."""
    names = [name for name in columns if name in changes]
    return names, ", ".join(f"{name} = ${place}" for place, name in enumerate(names, 3))


async def delete_account(connection: Connection, organization_id: uuid.UUID, account_id: uuid.UUID) -> bool:
    status = await connection.execute(
        "delete from carrier_accounts where organization_id = $1 and id = $2", organization_id, account_id
    )
    return not status.endswith(" 0")


async def list_numbers(connection: Connection, organization_id: uuid.UUID, page: Page) -> list[NumberRow]:
    rows = await connection.fetch(
        f"select {_NUMBER} from phone_numbers where organization_id = $1"
        " and ($2::timestamptz is null or (created_at, id) < ($2, $3)) order by created_at desc, id desc limit $4",
        organization_id,
        page.before_time,
        page.before_id,
        page.fetch,
    )
    return [_number(row) for row in rows]


async def find_number(
    connection: Connection, organization_id: uuid.UUID, *, number_id: uuid.UUID | None = None, number: str | None = None
) -> NumberRow | None:
    row = await connection.fetchrow(
        f"select {_NUMBER} from phone_numbers where organization_id = $1 and (id = $2 or number = $3)",
        organization_id,
        number_id,
        number,
    )
    return None if row is None else _number(row)


async def insert_number(connection: Connection, number: Mapping[str, Any]) -> NumberRow | None:
    """None if the organization has that number already."""
    row = await connection.fetchrow(
        "insert into phone_numbers"
        " (id, organization_id, number, label, carrier_account_id, agent_id, messages_per_second)"
        f" values ($1, $2, $3, $4, $5, $6, $7) on conflict (organization_id, number) do nothing returning {_NUMBER}",
        *(number[name] for name in _NEW_NUMBER),
    )
    return None if row is None else _number(row)


async def update_number(
    connection: Connection, organization_id: uuid.UUID, number_id: uuid.UUID, changes: Mapping[str, Any]
) -> NumberRow | None:
    """What is not in `changes` stays; at least one is."""
    names, assignments = assigned(_CHANGEABLE_OF_NUMBER, changes)
    row = await connection.fetchrow(
        f"update phone_numbers set {assignments} where organization_id = $1 and id = $2 returning {_NUMBER}",
        organization_id,
        number_id,
        *(changes[name] for name in names),
    )
    return None if row is None else _number(row)


async def attach_number(
    connection: Connection, organization_id: uuid.UUID, number: str, account_id: uuid.UUID
) -> NumberRow | None:
    row = await connection.fetchrow(
        f"update phone_numbers set carrier_account_id = $3 where organization_id = $1 and number = $2"
        f" returning {_NUMBER}",
        organization_id,
        number,
        account_id,
    )
    return None if row is None else _number(row)


async def delete_number(connection: Connection, organization_id: uuid.UUID, number_id: uuid.UUID) -> bool:
    status = await connection.execute(
        "delete from phone_numbers where organization_id = $1 and id = $2", organization_id, number_id
    )
    return not status.endswith(" 0")


async def list_senders(connection: Connection, organization_id: uuid.UUID) -> Sequence[Row]:
    """What can text: numbers (`number`) and messaging services (`service_id`, `external_id`), each with its pace and
    its account's carrier and prices."""
    return await connection.fetch(
        "select s.number, s.service_id, s.external_id, a.id as account_id, a.carrier,"
        " coalesce(s.messages_per_second, a.messages_per_second) as messages_per_second,"
        " a.segment_price, a.media_price, a.price_currency"
        " from (select carrier_account_id, number, null::uuid as service_id, null as external_id, messages_per_second"
        "  from phone_numbers where organization_id = $1"
        "  union all select carrier_account_id, null, id, external_id, messages_per_second"
        "  from messaging_services where organization_id = $1) s"
        " join carrier_accounts a on a.organization_id = $1 and a.id = s.carrier_account_id"
        " order by s.number, s.external_id",
        organization_id,
    )


async def find_settings(connection: Connection, organization_id: uuid.UUID) -> Mapping[str, Any] | None:
    return await connection.fetchval("select settings from organizations where id = $1", organization_id)
