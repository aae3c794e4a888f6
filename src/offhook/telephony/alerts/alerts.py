"""What an operator must act on, and the starts that are the acting."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from offhook.core.db.pool import Database
from offhook.core.errors import NotFound
from offhook.core.http.paging import Page
from offhook.telephony import queries as telephony
from offhook.telephony.accounts import Accounts
from offhook.telephony.alerts import queries
from offhook.telephony.alerts.models import Alert
from offhook.telephony.messages import stops
from offhook.telephony.messages.lanes import LaneKey
from offhook.telephony.messaging_services import MessagingServices


class Alerts:
    """The organization's alerts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(
        self, organization_id: uuid.UUID, page: Page, *, is_open: bool = False
    ) -> tuple[Sequence[Alert], str | None]:
        async with self._database.tenant(organization_id) as connection:
            return page.cut(await queries.list_alerts(connection, organization_id, page, is_open=is_open))

    async def resolve(self, organization_id: uuid.UUID, alert_id: uuid.UUID) -> Alert:
        """Somebody has acted. It starts nothing that is stopped. Raises NotFound."""
        async with self._database.tenant(organization_id) as connection:
            resolved = await queries.resolve_alert(connection, organization_id, alert_id)
        if resolved is None:
            raise NotFound("There is no such alert.", code="alert_not_found")
        return resolved


class Starts:
    """Starts what was stopped, once its cause is gone. Each says whether it was stopped, and raises NotFound."""

    def __init__(self, database: Database, accounts: Accounts, services: MessagingServices) -> None:
        self._database = database
        self._accounts = accounts
        self._services = services

    async def account(self, organization_id: uuid.UUID, account_id: uuid.UUID) -> bool:
        async with self._database.tenant(organization_id) as connection:
            if await telephony.find_account(connection, organization_id, account_id) is None:
                raise NotFound("There is no such carrier account.", code="carrier_account_not_found")
            started = await stops.start_account(connection, organization_id, account_id)
        self._accounts.forget(account_id, organization_id)
        return started

    async def number(self, organization_id: uuid.UUID, number_id: uuid.UUID) -> bool:
        async with self._database.tenant(organization_id) as connection:
            found = await telephony.find_number(connection, organization_id, number_id=number_id)
            if found is None:
                raise NotFound("There is no such phone number.", code="phone_number_not_found")
            if found.carrier_account_id is None:
                return False
            return await stops.start_sender(
                connection, organization_id, LaneKey(found.carrier_account_id, found.number)
            )

    async def messaging_service(self, organization_id: uuid.UUID, service_id: uuid.UUID) -> bool:
        service = await self._services.get(organization_id, service_id)
        async with self._database.tenant(organization_id) as connection:
            return await stops.start_sender(
                connection, organization_id, LaneKey(service.carrier_account_id, service.external_id)
            )
