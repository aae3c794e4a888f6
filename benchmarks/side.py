"""The same organization for either side: a database with its key, its carrier account and its numbers."""

from __future__ import annotations

import base64
import secrets
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from benchmarks.postgres import Postgres
from offhook.core.db.pool import Database
from offhook.core.destination import Allowed, DestinationPolicy, decide
from offhook.core.settings import Settings
from offhook.organizations import OrganizationService
from offhook.secrets import KeyRing, Sealer
from offhook.telephony.assembly import create_telephony
from offhook.telephony.consent.texting import SETTING as TEXTING
from offhook.telephony.consent.texting import check_texting
from offhook.telephony.media.part import MediaOptions
from offhook.telephony.media.store import MediaPlace

ACCOUNT_SID = "AC" + "b" * 32
AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
PUBLIC_URL = "https://offhook.example"
SENDERS = 64
"""Numbers that text. With a single one, each of the reference's transactions would wait for the one before: a lane's
row is locked until its commit."""
LINES = 300
"""Per area code: with all area codes, more numbers than a run texts."""


UNHINDERED: Mapping[str, object] = {"quiet_hours": None, "recipient_daily_cap": None, "daily_segments": None}
"""A texting policy with which every text goes at any hour."""
DEFAULT_LIMITS: Mapping[str, object] = {"quiet_hours": None}
"""The product's own limits per person and day, at any hour."""


@dataclass(frozen=True, slots=True)
class Side:
    """`environment`: what `offhook api` is configured by to serve it."""

    name: str
    dsn: str
    organization_id: uuid.UUID
    account_id: uuid.UUID
    senders: tuple[str, ...]
    key: str = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Paces:
    """Texts per second, as an account has them."""

    sender: float = 1.0
    total: float | None = None


STANDARD: Final = Paces()
"""A long code's pace (facts/telephony.md 1.9)."""


async def make_side(postgres: Postgres, name: str, *, carrier_url: str | None = None, paces: Paces = STANDARD) -> Side:
    """A new database called `name` with all that is needed to text, through the carrier's API at `carrier_url`."""
    dsn = await postgres.make_database(name)
    environment = {
        "DATABASE_URL": dsn,
        "OFFHOOK_HOME": tempfile.gettempdir(),  # nothing is kept there: database and keys are given
        "OFFHOOK_PUBLIC_URL": PUBLIC_URL,
        "OFFHOOK_MASTER_KEYS": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "OFFHOOK_KEY_PEPPER": secrets.token_urlsafe(32),
        "OFFHOOK_LOG_LEVEL": "warning",
        "OFFHOOK_EGRESS_ALLOW": carrier_url.removeprefix("http://") if carrier_url else "",
    }
    return await _add_organization(name, environment, "Spoke & Chain", carrier_url, paces, UNHINDERED)


async def add_neighbour(
    side: Side,
    *,
    carrier_url: str | None = None,
    paces: Paces = STANDARD,
    texting: Mapping[str, object] = UNHINDERED,
) -> Side:
    """Another organization in the same database: same processes, another tenant. `texting`: its policy."""
    return await _add_organization(side.name, side.environment, "Chain & Spoke", carrier_url, paces, texting)


async def _add_organization(
    name: str,
    environment: Mapping[str, str],
    called: str,
    carrier_url: str | None,
    paces: Paces,
    texting: Mapping[str, object],
) -> Side:
    ring = KeyRing.parse(environment["OFFHOOK_MASTER_KEYS"], environment["OFFHOOK_KEY_PEPPER"])
    senders = tuple(unassigned_numbers()[-SENDERS:])
    dsn = environment["DATABASE_URL"]
    database = Database(dsn, max_connections=2, application_name="offhook-benchmarks")
    await database.open()
    telephony = create_telephony(
        database,
        Sealer(database, ring),
        public_url=PUBLIC_URL,
        reconcile_gap_seconds=90,
        media=MediaOptions(MediaPlace.directory(Path(environment["OFFHOOK_HOME"]) / "media"), ring),
        egress_allow=Settings.from_environment(environment).egress_allow,
    )
    try:
        organizations = OrganizationService(database, ring.pepper, setting_checks={TEXTING: check_texting})
        organization = await organizations.create_organization(called, {TEXTING: texting})
        _, key = await organizations.create_api_key(organization.id, "benchmarks", ["worker"])
        account = await telephony.carrier_accounts.create(
            organization.id,
            carrier="twilio",
            external_account_id=ACCOUNT_SID,
            credentials={"auth_token": AUTH_TOKEN},
            base_url=carrier_url,
            messages_per_second=paces.sender,
        )
        for sender in senders:
            await telephony.phone_numbers.create(organization.id, sender, carrier_account_id=account.id)
        if paces.total is not None:
            await telephony.carrier_accounts.change(organization.id, account.id, {"total_per_second": paces.total})
    finally:
        await telephony.close()
        await database.close()
    return Side(name, dsn, organization.id, account.id, senders, key, environment)


@cache
def unassigned_numbers() -> Sequence[str]:
    """Enough numbers that no line has: those of the exchange 555, in every area code of the
    countries that may be texted by default."""
    policy = DestinationPolicy()
    area_codes = [code for code in range(201, 990) if isinstance(decide(policy, f"+1{code}5552000"), Allowed)]
    return [f"+1{code}555{last}" for last in range(2000, 2000 + LINES) for code in area_codes]
