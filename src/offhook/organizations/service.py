"""The rules of organizations and their keys."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from offhook.core.clock import Clock, SystemClock
from offhook.core.db.pool import Connection, Database
from offhook.core.declarations import Declarations
from offhook.core.errors import FieldProblem, InvalidInput, NotFound
from offhook.core.http import Page
from offhook.core.ids import new_id
from offhook.core.text import shorten
from offhook.organizations import queries
from offhook.organizations.auth import Authenticator
from offhook.organizations.models import ApiKey, Membership, Organization, User
from offhook.organizations.tokens import Token
from offhook.organizations.variables import check_variables, read_declarations

SettingCheck = Callable[[object], object]
"""Takes what was sent for one key of the settings, gives what is stored; raises InvalidInput with paths that begin
with the key."""

SettingEffect = Callable[[Connection, uuid.UUID], Awaitable[None]]
"""What a changed key of an organization's settings brings about, in the transaction that changes it."""

VARIABLES: Final = "variables"


class OrganizationService:
    """`setting_checks`: key of the settings → its check, given by the domains that read them. Other keys are refused,
    so that a typing error does not silently switch a limit off. `setting_effects`: what else a change of a key does."""

    def __init__(
        self,
        database: Database,
        pepper: bytes,
        *,
        authenticator: Authenticator | None = None,
        setting_checks: Mapping[str, SettingCheck] | None = None,
        setting_effects: Mapping[str, SettingEffect] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._database = database
        self._pepper = pepper
        self._authenticator = authenticator
        self._checks: dict[str, SettingCheck] = {VARIABLES: check_variables, **(setting_checks or {})}
        self._effects = setting_effects or {}
        self._clock = clock or SystemClock()

    async def create_organization(
        self, name: str, settings: Mapping[str, object] | None = None, *, organization_id: uuid.UUID | None = None
    ) -> Organization:
        """For the deployment's operator: no HTTP endpoint leads here."""
        stored = self._merged({}, settings or {})
        identity = organization_id or new_id()
        async with self._database.tenant(identity) as connection:
            return await queries.insert_organization(connection, identity, name, stored)

    async def list_organizations(self) -> Sequence[Organization]:
        """All of the deployment's, for its operator."""
        async with self._database.system("the operator lists organizations") as connection:
            return await queries.list_organizations(connection)

    async def get_organization(self, organization_id: uuid.UUID) -> Organization:
        """Raises NotFound."""
        async with self._database.tenant(organization_id) as connection:
            found = await queries.find_organization(connection, organization_id)
        return _existing(found)

    async def change_organization(
        self, organization_id: uuid.UUID, *, name: str | None, settings: Mapping[str, object] | None
    ) -> Organization:
        """Keys of `settings` replace those of the same name, null removes one, the others stay."""
        async with self._database.tenant(organization_id) as connection:
            known = _existing(await queries.find_organization(connection, organization_id, locked=True))
            merged = self._merged(known.settings, settings or {})
            changed = await queries.update_organization(connection, organization_id, name or known.name, merged)
            for key, bring_about in self._effects.items():
                if merged.get(key) != known.settings.get(key):
                    await bring_about(connection, organization_id)
        return _existing(changed)

    async def declarations(self, organization_id: uuid.UUID) -> Declarations:
        """The variables that are always there and those that the organization declares."""
        organization = await self.get_organization(organization_id)
        return read_declarations(organization.settings.get(VARIABLES, ()))

    async def create_api_key(
        self, organization_id: uuid.UUID, name: str, scopes: Collection[str], expires_at: datetime | None = None
    ) -> tuple[ApiKey, str]:
        """The key and its text, which is not kept. `scopes`: admin, worker, read; at least one."""
        if expires_at is not None and expires_at <= self._clock.now():
            message = "The moment of expiry is past."
            raise InvalidInput(message, fields=[FieldProblem("expires_at", message)])
        token = Token.new(new_id())
        wanted = ApiKey(
            id=token.key_id,
            organization_id=organization_id,
            name=name,
            last4=token.last4,
            scopes=tuple(sorted(set(scopes))),
            expires_at=expires_at,
            revoked_at=None,
            created_at=self._clock.now(),
        )
        async with self._database.tenant(organization_id) as connection:
            key = await queries.insert_api_key(connection, wanted, token.hash(self._pepper))
        return key, token.reveal()

    async def list_api_keys(self, organization_id: uuid.UUID, page: Page) -> tuple[Sequence[ApiKey], str | None]:
        async with self._database.tenant(organization_id) as connection:
            return page.cut(await queries.list_api_keys(connection, organization_id, page))

    async def revoke_api_key(self, organization_id: uuid.UUID, key_id: uuid.UUID) -> ApiKey:
        """It stops working here at once and in other processes within seconds. Raises NotFound."""
        async with self._database.tenant(organization_id) as connection:
            key = await queries.revoke_api_key(connection, organization_id, key_id, self._clock.now())
        if key is None:
            raise NotFound("There is no such API key.", code="api_key_not_found")
        if self._authenticator is not None:
            self._authenticator.forget(key_id)
        return key

    async def add_member(self, organization_id: uuid.UUID, email: str, role: str, *, name: str = "") -> Membership:
        """The person of this address as a member, made if new; for the deployment's operator."""
        async with self._database.system("the operator adds a member") as connection:
            user: User = await queries.upsert_user(connection, new_id(), email.strip().lower(), name)
        async with self._database.tenant(organization_id) as connection:
            return await queries.upsert_membership(connection, organization_id, user.id, role)

    def _merged(self, known: Mapping[str, Any], given: Mapping[str, object]) -> dict[str, Any]:
        merged = dict(known)
        for key, value in given.items():
            check = self._checks.get(key)
            if check is None:
                message = f"There is no such setting; there are: {', '.join(sorted(self._checks))}."
                path = f"settings.{shorten(key, 60)}"
                raise InvalidInput(f"{path}: {message}", fields=[FieldProblem(path, message, "unknown_setting")])
            if value is None:
                merged.pop(key, None)
            else:
                merged[key] = _checked(check, value)
        return merged


def _checked(check: SettingCheck, value: object) -> object:
    try:
        return check(value)
    except InvalidInput as error:
        fields = [FieldProblem(f"settings.{f.path}", f.message, f.code) for f in error.fields]
        raise InvalidInput(error.detail, fields=fields, code=error.code) from None


def _existing(organization: Organization | None) -> Organization:
    if organization is None:
        raise NotFound("There is no such organization.", code="organization_not_found")
    return organization
