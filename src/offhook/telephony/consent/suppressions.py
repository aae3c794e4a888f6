"""Who has opted out of an organization's texts: read, entered and taken back by an operator; and the record of it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from offhook.core.db.pool import Database
from offhook.core.errors import FieldProblem, InvalidInput, NotFound
from offhook.core.http.paging import Page
from offhook.core.phone import InvalidPhoneNumber, find_e164, parse_e164
from offhook.telephony.consent import queries
from offhook.telephony.consent.models import ConsentEvent, Suppression
from offhook.telephony.consent.opting import How, Reason, opt_out, take_off


class Suppressions:
    """The organization's suppression list. What is changed here holds for the next text: nothing remembers it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(
        self, organization_id: uuid.UUID, number: str | None, page: Page
    ) -> tuple[Sequence[Suppression], str | None]:
        """`number` None: all of them. Raises InvalidInput for what is no number."""
        e164 = None if number is None else _e164(number)
        async with self._database.tenant(organization_id) as connection:
            return page.cut(await queries.list_suppressions(connection, organization_id, e164, page))

    async def add(self, organization_id: uuid.UUID, number: str, reason: str) -> Suppression:
        """One that is there already stays, with the stronger of the two reasons. What is queued for the number is
        canceled. Raises InvalidInput for what is no number."""
        e164 = _e164(number)
        async with self._database.tenant(organization_id) as connection:
            await opt_out(connection, organization_id, e164, reason=Reason(reason), how=How.OPERATOR)
            return await queries.get_suppression(connection, organization_id, e164)

    async def remove(self, organization_id: uuid.UUID, number: str) -> None:
        """The number may be texted again. Raises NotFound, also for what is no number: it is not on the list."""
        e164 = find_e164(number)
        removed = False
        if e164 is not None:
            async with self._database.tenant(organization_id) as connection:
                removed = await take_off(connection, organization_id, e164)
        if not removed:
            raise NotFound("That number is not on the suppression list.", code="suppression_not_found")

    async def list_events(
        self, organization_id: uuid.UUID, number: str | None, page: Page
    ) -> tuple[Sequence[ConsentEvent], str | None]:
        """What was wished, by whom and how; `number` None: by everybody. Raises InvalidInput for what is no number."""
        e164 = None if number is None else _e164(number)
        async with self._database.tenant(organization_id) as connection:
            return page.cut(await queries.list_events(connection, organization_id, e164, page))


def _e164(number: str) -> str:
    try:
        return parse_e164(number).e164
    except InvalidPhoneNumber as error:
        message = f"This is not a phone number: {error.message}."
        raise InvalidInput(message, fields=[FieldProblem("number", message, error.code)]) from None
