"""What an operator does with carrier accounts and phone numbers, and how both are found again."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import asyncpg
import jsonschema_rs

from offhook.core.db.pool import Database
from offhook.core.errors import Conflict, FieldProblem, InvalidInput, NotFound
from offhook.core.http.paging import Page
from offhook.core.ids import new_id
from offhook.core.phone import InvalidPhoneNumber, parse_e164
from offhook.secrets import Sealer
from offhook.telephony import queries
from offhook.telephony.accounts import NOT_ALLOWED, Accounts
from offhook.telephony.base_urls import address_of
from offhook.telephony.carrier import INBOUND_TEXT, Carrier
from offhook.telephony.messages.stops import resume_account
from offhook.telephony.models import AccountRow, AccountTerms, NumberRow, OwnNumber

DEFAULT_MESSAGES_PER_SECOND: Final = 1.0  # one long code: facts/telephony.md 1.9

_UNSET_OF_ACCOUNT: Final[Mapping[str, Any]] = {
    "label": "",
    "messages_per_second": DEFAULT_MESSAGES_PER_SECOND,
    "price_currency": AccountTerms().price_currency,
}
"""What null stands for in a change, where it does not stand for null."""


class CarrierAccountService:
    """Carrier accounts of an organization. Credentials go in and never come out."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        carriers: Mapping[str, Carrier],
        accounts: Accounts,
        public_url: str | None = None,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._carriers = carriers
        self._accounts = accounts
        self._public_url = public_url

    def inbound_url(self, account_id: uuid.UUID) -> str | None:
        """What an operator enters at the carrier for texts to the account's numbers; None where it cannot reach us."""
        if self._public_url is None:
            return None
        return f"{self._public_url}/webhooks/carriers/{account_id}/{INBOUND_TEXT}"

    async def create(
        self,
        organization_id: uuid.UUID,
        *,
        carrier: str,
        external_account_id: str,
        credentials: Mapping[str, Any],
        label: str = "",
        base_url: str | None = None,
        messages_per_second: float = DEFAULT_MESSAGES_PER_SECOND,
        terms: AccountTerms | None = None,
        account_id: uuid.UUID | None = None,
    ) -> AccountRow:
        """Raises InvalidInput that names the fields, Conflict if the organization has that account already."""
        self._check(carrier, external_account_id, credentials, base_url)
        identity = account_id or new_id()
        sealed = await self._seal(organization_id, identity, credentials)
        async with self._database.tenant(organization_id) as connection:
            created = await queries.insert_account(
                connection,
                {
                    "id": identity,
                    "organization_id": organization_id,
                    "carrier": carrier,
                    "label": label,
                    "external_account_id": external_account_id,
                    "base_url": base_url,
                    "credentials": sealed,
                    "messages_per_second": messages_per_second,
                    **asdict(terms or AccountTerms()),
                },
            )
        if created is None:
            raise Conflict("The organization has that account already.", code="carrier_account_exists")
        return created

    async def adopt(
        self,
        organization_id: uuid.UUID,
        *,
        carrier: str,
        external_account_id: str,
        credentials: Mapping[str, Any],
        base_url: str | None = None,
        messages_per_second: float = DEFAULT_MESSAGES_PER_SECOND,
    ) -> AccountRow:
        """The account as given, made or brought up to date: for credentials that stand in the environment."""
        self._check(carrier, external_account_id, credentials, base_url)
        async with self._database.tenant(organization_id) as connection:
            known = await queries.find_account_by_external_id(connection, organization_id, carrier, external_account_id)
        if known is None:
            try:
                return await self.create(
                    organization_id,
                    carrier=carrier,
                    external_account_id=external_account_id,
                    credentials=credentials,
                    base_url=base_url,
                    messages_per_second=messages_per_second,
                )
            except Conflict:  # another process was quicker
                return await self.adopt(
                    organization_id,
                    carrier=carrier,
                    external_account_id=external_account_id,
                    credentials=credentials,
                    base_url=base_url,
                )
        sealed = await self._seal(organization_id, known.id, credentials)
        async with self._database.tenant(organization_id) as connection:
            changed = await queries.update_account(
                connection, organization_id, known.id, {"base_url": base_url, "credentials": sealed}
            )
            await resume_account(connection, organization_id, known.id)
        self._accounts.forget(known.id, organization_id)
        return _existing_account(changed)

    async def get(self, organization_id: uuid.UUID, account_id: uuid.UUID) -> AccountRow:
        """Raises NotFound."""
        async with self._database.tenant(organization_id) as connection:
            return _existing_account(await queries.find_account(connection, organization_id, account_id))

    async def list(self, organization_id: uuid.UUID, page: Page) -> tuple[Sequence[AccountRow], str | None]:
        async with self._database.tenant(organization_id) as connection:
            return page.cut(await queries.list_accounts(connection, organization_id, page))

    async def change(self, organization_id: uuid.UUID, account_id: uuid.UUID, fields: Mapping[str, Any]) -> AccountRow:
        """`fields`: any of label, base_url, messages_per_second, credentials and AccountTerms; what is not among them
        stays, and null means what a new account has. Credentials entered anew take back a stop.

        Another `base_url` needs the credentials with it: they are never sent where nobody who knows them sent them.
        Raises NotFound, InvalidInput.
        """
        known = await self.get(organization_id, account_id)
        given = {name: _UNSET_OF_ACCOUNT.get(name) if value is None else value for name, value in fields.items()}
        # What stays is not written: another request may be changing it.
        changes = {name: value for name, value in given.items() if value != getattr(known, name, None)}
        if not changes:
            return known
        credentials: Mapping[str, Any] | None = changes.get("credentials")
        carrier = self._known_carrier(known.carrier)
        if "base_url" in changes:
            self._check_base_url(changes["base_url"], carrier)
            if credentials is None:
                raise _wrong("credentials", "Enter them again: they are to be sent to another base_url.")
        if credentials is not None:
            self._check_credentials(carrier, credentials)
            changes["credentials"] = await self._seal(organization_id, account_id, credentials)
        async with self._database.tenant(organization_id) as connection:
            changed = await queries.update_account(connection, organization_id, account_id, changes)
            if credentials is not None:
                await resume_account(connection, organization_id, account_id)
        self._accounts.forget(account_id, organization_id)
        return _existing_account(changed)

    async def delete(self, organization_id: uuid.UUID, account_id: uuid.UUID) -> None:
        """Raises NotFound, or Conflict while numbers or messages belong to it."""
        try:
            async with self._database.tenant(organization_id) as connection:
                deleted = await queries.delete_account(connection, organization_id, account_id)
        except asyncpg.ForeignKeyViolationError as error:
            raise Conflict(
                "The account has numbers or messages: delete the numbers; messages keep their account.",
                code="carrier_account_in_use",
            ) from error
        if not deleted:
            _existing_account(None)
        self._accounts.forget(account_id, organization_id)

    async def _seal(self, organization_id: uuid.UUID, account_id: uuid.UUID, credentials: Mapping[str, Any]) -> bytes:
        plain = json.dumps(dict(credentials)).encode()
        return await self._sealer.seal(organization_id, "carrier_accounts", account_id, "credentials", plain)

    def _check(
        self, carrier: str, external_account_id: str, credentials: Mapping[str, Any], base_url: str | None
    ) -> None:
        known = self._known_carrier(carrier)
        if not re.fullmatch(known.external_account_id_pattern, external_account_id):
            raise _wrong("external_account_id", "This is not an account id of that carrier's.")
        self._check_base_url(base_url, known)
        self._check_credentials(known, credentials)

    def _known_carrier(self, name: str) -> Carrier:
        known = self._carriers.get(name)
        if known is None:
            raise _wrong("carrier", f"There is no such carrier; there are: {', '.join(sorted(self._carriers))}.")
        return known

    def _check_base_url(self, base_url: str | None, carrier: Carrier) -> None:
        if base_url is not None and address_of(base_url) is None:
            raise _wrong("base_url", "Must be an origin such as http://127.0.0.1:8712.")
        if not self._accounts.allows(base_url, carrier):
            raise _wrong(
                "base_url", f"This is not {carrier.name}'s own address, and {NOT_ALLOWED}.", "base_url_not_allowed"
            )

    @staticmethod
    def _check_credentials(carrier: Carrier, credentials: Mapping[str, Any]) -> None:
        schema = dict(carrier.credentials_schema())
        problems = [
            # The message would quote the value, which is a secret.
            FieldProblem(
                ".".join(["credentials", *(str(part) for part in error.instance_path)]), "Is not valid here.", "invalid"
            )
            for error in jsonschema_rs.validator_for(schema).iter_errors(dict(credentials))
        ]
        if problems:
            raise InvalidInput("The credentials are not those of the carrier's form.", fields=problems)


class PhoneNumberService:
    """Phone numbers of an organization; what the Numbers port of tools is filled with."""

    def __init__(self, database: Database, accounts: Accounts) -> None:
        self._database = database
        self._accounts = accounts

    async def create(
        self,
        organization_id: uuid.UUID,
        number: str,
        *,
        label: str = "",
        carrier_account_id: uuid.UUID | None = None,
        agent_id: uuid.UUID | None = None,
        messages_per_second: float | None = None,
    ) -> NumberRow:
        """Raises InvalidInput, NotFound for another's account or agent, Conflict for a number that is there."""
        e164 = _e164(number)
        try:
            async with self._database.tenant(organization_id) as connection:
                created = await queries.insert_number(
                    connection,
                    {
                        "id": new_id(),
                        "organization_id": organization_id,
                        "number": e164,
                        "label": label,
                        "carrier_account_id": carrier_account_id,
                        "agent_id": agent_id,
                        "messages_per_second": messages_per_second,
                    },
                )
        except asyncpg.ForeignKeyViolationError as error:
            raise NotFound("There is no such carrier account or agent.", code="not_found") from error
        if created is None:
            raise Conflict("The organization has that number already.", code="phone_number_exists")
        self._accounts.forget_senders(organization_id)
        return created

    async def adopt(self, organization_id: uuid.UUID, number: str, carrier_account_id: uuid.UUID) -> NumberRow:
        """The number with that account, made or brought up to date."""
        e164 = _e164(number)
        async with self._database.tenant(organization_id) as connection:
            attached = await queries.attach_number(connection, organization_id, e164, carrier_account_id)
        if attached is not None:
            self._accounts.forget_senders(organization_id)
            return attached
        return await self.create(organization_id, e164, carrier_account_id=carrier_account_id)

    async def get(self, organization_id: uuid.UUID, number_id: uuid.UUID) -> NumberRow:
        """Raises NotFound."""
        async with self._database.tenant(organization_id) as connection:
            return _existing_number(await queries.find_number(connection, organization_id, number_id=number_id))

    async def list(self, organization_id: uuid.UUID, page: Page) -> tuple[Sequence[NumberRow], str | None]:
        async with self._database.tenant(organization_id) as connection:
            return page.cut(await queries.list_numbers(connection, organization_id, page))

    async def change(self, organization_id: uuid.UUID, number_id: uuid.UUID, fields: Mapping[str, Any]) -> NumberRow:
        """`fields`: any of label, carrier_account_id, agent_id, messages_per_second; what is not among them stays,
        null clears.

        Raises NotFound, also for another's account or agent.
        """
        if not fields:
            return await self.get(organization_id, number_id)
        changes = {**fields, "label": fields["label"] or ""} if "label" in fields else fields
        try:
            async with self._database.tenant(organization_id) as connection:
                changed = await queries.update_number(connection, organization_id, number_id, changes)
        except asyncpg.ForeignKeyViolationError as error:
            raise NotFound("There is no such carrier account or agent.", code="not_found") from error
        self._accounts.forget_senders(organization_id)
        return _existing_number(changed)

    async def delete(self, organization_id: uuid.UUID, number_id: uuid.UUID) -> None:
        """Raises NotFound."""
        async with self._database.tenant(organization_id) as connection:
            deleted = await queries.delete_number(connection, organization_id, number_id)
        if not deleted:
            _existing_number(None)
        self._accounts.forget_senders(organization_id)

    async def find(self, organization_id: uuid.UUID, phone_number_id: uuid.UUID) -> OwnNumber | None:
        """The organization's number with that id."""
        async with self._database.tenant(organization_id) as connection:
            row = await queries.find_number(connection, organization_id, number_id=phone_number_id)
        return None if row is None else OwnNumber(row.id, row.number)

    async def find_by_number(self, organization_id: uuid.UUID, number: str) -> OwnNumber | None:
        """The organization's number that reads so (E.164)."""
        async with self._database.tenant(organization_id) as connection:
            row = await queries.find_number(connection, organization_id, number=number)
        return None if row is None else OwnNumber(row.id, row.number)

    async def find_only(self, organization_id: uuid.UUID) -> OwnNumber | None:
        """The organization's number that can text, where there is exactly one; messaging services beside it or not."""
        async with self._database.tenant(organization_id) as connection:
            rows = await connection.fetch(
                "select id, number from phone_numbers"
                " where organization_id = $1 and carrier_account_id is not null limit 2",
                organization_id,
            )
        return OwnNumber(rows[0]["id"], rows[0]["number"]) if len(rows) == 1 else None


def _existing_account(account: AccountRow | None) -> AccountRow:
    if account is None:
        raise NotFound("There is no such carrier account.", code="carrier_account_not_found")
    return account


def _existing_number(number: NumberRow | None) -> NumberRow:
    if number is None:
        raise NotFound("There is no such phone number.", code="phone_number_not_found")
    return number


def _e164(number: str) -> str:
    try:
        return parse_e164(number).e164
    except InvalidPhoneNumber as error:
        raise _wrong("number", f"This is not a phone number: {error.message}.") from None


def _wrong(field: str, message: str, code: str = "invalid") -> InvalidInput:
    return InvalidInput(message, fields=[FieldProblem(field, message, code)])
