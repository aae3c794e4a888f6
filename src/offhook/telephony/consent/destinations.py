"""Who may be texted: the organization's destination policy, then its suppression list.

The policy stands in `organizations.settings` under `destinations`:

    {"countries": ["US", "CA"], "allow_numbers": ["+4930…"], "admit_magic": false}
"""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from offhook.core.clock import Clock, SystemClock
from offhook.core.db.pool import Database
from offhook.core.destination import Allowed, DestinationPolicy, Refused, decide
from offhook.core.errors import FieldProblem, InvalidInput
from offhook.core.phone import InvalidPhoneNumber, parse_e164
from offhook.core.recent import Recent
from offhook.telephony import queries
from offhook.telephony.accounts import CACHED_SECONDS
from offhook.telephony.consent import queries as suppressed_numbers
from offhook.telephony.consent.models import Verdict
from offhook.telephony.consent.opting import SUPPRESSED, refusal

SETTING: Final = "destinations"
_MAX_ALLOWED_NUMBERS: Final = 1000
_REMEMBERED_VERDICTS: Final = 4096


@dataclass(slots=True)
class Policy:
    """A policy and the verdicts it gave: reading a number costs more than all the rest of placing a text."""

    rules: DestinationPolicy
    verdicts: OrderedDict[str, Allowed | Refused] = field(
        default_factory=OrderedDict[str, Allowed | Refused], repr=False
    )

    def judge(self, number: str) -> Allowed | Refused:
        known = self.verdicts.get(number)
        if known is None:
            known = self.verdicts[number] = decide(self.rules, number)
            while len(self.verdicts) > _REMEMBERED_VERDICTS:
                self.verdicts.popitem(last=False)
        return known


class DestinationConsent:
    """Whether a number may be texted; what the Consent port of tools is filled with."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._policies: Recent[uuid.UUID, Policy] = Recent(clock or SystemClock(), CACHED_SECONDS)

    async def policy(self, organization_id: uuid.UUID) -> Policy:
        """The organization's policy as of the last seconds."""
        known = self._policies.get(organization_id)
        if known is not None:
            return known
        async with self._database.tenant(organization_id) as connection:
            settings = await queries.find_settings(connection, organization_id)
        return self._policies.put(organization_id, Policy(read_policy((settings or {}).get(SETTING))))

    def forget(self, organization_id: uuid.UUID) -> None:
        """The policy was changed in this process; others hear of it within CACHED_SECONDS."""
        self._policies.forget(organization_id)

    async def check(self, organization_id: uuid.UUID, number: str) -> Verdict:
        """Policy first, then the suppression list."""
        verdict = (await self.policy(organization_id)).judge(number)
        if isinstance(verdict, Refused):
            return Verdict(False, verdict.reason_code, verdict.sentence)
        async with self._database.tenant(organization_id) as connection:
            reason = await suppressed_numbers.find_reason(connection, organization_id, verdict.destination.number)
        return Verdict(True) if reason is None else Verdict(False, SUPPRESSED, refusal(reason))


def read_policy(setting: object) -> DestinationPolicy:
    """A stored policy; what is missing is the default."""
    given: Mapping[str, Any] = cast("Mapping[str, Any]", setting) if isinstance(setting, Mapping) else {}
    default = DestinationPolicy()
    return DestinationPolicy(
        countries=frozenset(given.get("countries", default.countries)),
        allow_numbers=frozenset(given.get("allow_numbers", ())),
        admit_magic=bool(given.get("admit_magic", False)),
    )


def check_destinations(sent: object) -> object:
    """The setting as it is stored. Raises InvalidInput with paths that begin with `destinations`."""
    if not isinstance(sent, dict):
        raise _wrong(SETTING, "Must be an object with countries, allow_numbers or admit_magic.")
    given = cast("dict[str, Any]", sent)
    unknown = sorted(set(given) - {"countries", "allow_numbers", "admit_magic"})
    if unknown:
        raise _wrong(f"{SETTING}.{unknown[0]}", "There is no such setting.")
    stored: dict[str, Any] = {}
    if "countries" in given:
        stored["countries"] = [_country(item, i) for i, item in enumerate(_texts(given, "countries"))]
    if "allow_numbers" in given:
        stored["allow_numbers"] = [_allowed(item, i) for i, item in enumerate(_texts(given, "allow_numbers"))]
    if "admit_magic" in given:
        if not isinstance(given["admit_magic"], bool):
            raise _wrong(f"{SETTING}.admit_magic", "Must be true or false.")
        stored["admit_magic"] = given["admit_magic"]
    return stored


def _texts(given: Mapping[str, Any], name: str) -> list[str]:
    value = given[name]
    if not isinstance(value, list) or len(cast("list[Any]", value)) > _MAX_ALLOWED_NUMBERS:
        raise _wrong(f"{SETTING}.{name}", f"Must be a list of at most {_MAX_ALLOWED_NUMBERS} texts.")
    items = cast("list[Any]", value)
    for index, item in enumerate(items):
        if not isinstance(item, str):
            raise _wrong(f"{SETTING}.{name}.{index}", "Must be a text.")
    return items


def _country(text: str, index: int) -> str:
    if len(text) != 2 or not (text.isascii() and text.isalpha()):
        raise _wrong(f"{SETTING}.countries.{index}", "Must be a country's two letters (ISO 3166), such as US.")
    return text.upper()


def _allowed(text: str, index: int) -> str:
    try:
        return parse_e164(text).e164
    except InvalidPhoneNumber as error:
        raise _wrong(f"{SETTING}.allow_numbers.{index}", f"This is not a phone number: {error.message}.") from None


def _wrong(path: str, message: str) -> InvalidInput:
    return InvalidInput(message, fields=[FieldProblem(path, message)])
