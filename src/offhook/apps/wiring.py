"""Ports filled, services made, parts put together: the only place that knows all of them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields

from offhook.agents.attachments import AttachmentService
from offhook.agents.endpoints import agents_part
from offhook.agents.service import AgentService
from offhook.apps.database import key_ring, resolve_dsn
from offhook.apps.environment_sender import adopt_environment_account, environment_addresses, sender_number
from offhook.conversations.agent_config import AgentConfigs
from offhook.conversations.ledger import PostgresLedger
from offhook.conversations.part import conversations_part
from offhook.conversations.reading import ConversationReader
from offhook.conversations.rooms import Rooms
from offhook.conversations.service import Conversations
from offhook.conversations.tallies import PostgresTallies
from offhook.conversations.texting import Texting
from offhook.conversations.tokens import PlainTokens
from offhook.core.clock import Clock, SystemClock
from offhook.core.db.jobs import Handler
from offhook.core.db.migrate import require_migrated
from offhook.core.db.pool import Connection, Database
from offhook.core.http import Part
from offhook.core.settings import Settings
from offhook.core.telemetry import get_logger
from offhook.core.texts import TextOptions
from offhook.organizations.auth import Authenticator
from offhook.organizations.endpoints import organizations_part
from offhook.organizations.service import OrganizationService
from offhook.secrets.envelope import Sealer
from offhook.secrets.keyring import KeyRing
from offhook.telephony.assembly import Telephony, create_telephony
from offhook.telephony.consent.destinations import SETTING as DESTINATIONS
from offhook.telephony.consent.destinations import check_destinations
from offhook.telephony.consent.texting import SETTING as TEXTING
from offhook.telephony.consent.texting import check_texting
from offhook.telephony.media.part import MediaOptions
from offhook.telephony.media.store import MediaPlace
from offhook.telephony.messages.releasing import rules_changed
from offhook.tools.endpoints import tools_part
from offhook.tools.execution import Road
from offhook.tools.platform.endpoints import platform_tools_part
from offhook.tools.platform.service import PlatformToolService
from offhook.tools.ports import DestinationVerdict, OwnNumber, Ports, TextEstimate, TextReceipt, TextRequest
from offhook.tools.service import ToolService

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TelephonyPorts:
    """Telephony in the shapes that tools ask for: neither package knows the other."""

    telephony: Telephony

    async def text(self, request: TextRequest) -> TextReceipt:
        receipt = await self.telephony.messaging.text(request)
        return TextReceipt(**{field.name: getattr(receipt, field.name) for field in fields(TextReceipt)})

    async def estimate(
        self, organization_id: uuid.UUID, body: str, from_number: str | None, options: TextOptions
    ) -> TextEstimate:
        content = await self.telephony.intake.content(organization_id, body, from_number, options)
        tariff = content.sender.tariff if content.cost is not None else None
        return TextEstimate(
            encoding=content.encoding,
            segments=content.segments,
            parts=len(content.parts),
            cost=content.cost,
            currency=None if tariff is None else tariff.currency,
            price_source=None if tariff is None else tariff.source,
        )

    async def check(self, organization_id: uuid.UUID, number: str) -> DestinationVerdict:
        verdict = await self.telephony.consent.check(organization_id, number)
        return DestinationVerdict(verdict.allowed, verdict.code, verdict.sentence)

    async def find(self, organization_id: uuid.UUID, phone_number_id: uuid.UUID) -> OwnNumber | None:
        own = await self.telephony.phone_numbers.find(organization_id, phone_number_id)
        return own and OwnNumber(own.phone_number_id, own.number)

    async def find_by_number(self, organization_id: uuid.UUID, number: str) -> OwnNumber | None:
        own = await self.telephony.phone_numbers.find_by_number(organization_id, number)
        return own and OwnNumber(own.phone_number_id, own.number)

    async def find_only(self, organization_id: uuid.UUID) -> OwnNumber | None:
        own = await self.telephony.phone_numbers.find_only(organization_id)
        return own and OwnNumber(own.phone_number_id, own.number)


@dataclass(frozen=True, slots=True)
class Services:
    """What one process of the server side works with."""

    settings: Settings
    clock: Clock
    database: Database
    sealer: Sealer
    authenticator: Authenticator
    organizations: OrganizationService
    telephony: Telephony
    ports: Ports
    road: Road

    @property
    def job_handlers(self) -> Mapping[str, Handler]:
        return self.telephony.job_handlers

    def parts(self) -> Sequence[Part]:
        """All that the HTTP application is made of."""
        tokens = PlainTokens(
            self.settings.default_organization, self.settings.agent_sms_secret, self.settings.agent_config_token
        )
        database, clock = self.database, self.clock
        return (
            Part(services=(database,)),
            organizations_part(self.organizations, self.authenticator),
            agents_part(AgentService(database, clock=clock), AttachmentService(database, self.sealer, clock=clock)),
            tools_part(ToolService(database, self.ports, clock=clock)),
            platform_tools_part(PlatformToolService(database, clock=clock)),
            self.telephony.part(),
            conversations_part(
                Conversations(database, clock),
                ConversationReader(database),
                self.road,
                Texting(
                    database,
                    self.ports.messenger,
                    self.ports.consent,
                    self.ports.numbers,
                    tokens,
                    sender_number(self.settings.environment),
                ),
                Rooms(database, tokens, self.settings.livekit_api_key, self.settings.livekit_api_secret),
                AgentConfigs(database, tokens, clock),
            ),
        )

    async def drain(self) -> None:
        """Let tool calls under way end, so that their answers are kept for whoever asks again."""
        try:
            await asyncio.wait_for(self.road.drain(), timeout=1.0)
        except TimeoutError:
            _log.warning("tool_calls_cut_off")


def make_services(settings: Settings, database: Database, ring: KeyRing, clock: Clock | None = None) -> Services:
    """Everything but connections; call it inside the running event loop."""
    clock = clock or SystemClock()
    sealer = Sealer(database, ring, clock=clock)
    authenticator = Authenticator(database, ring.pepper, worker_key=settings.worker_key, clock=clock)
    telephony = create_telephony(
        database,
        sealer,
        public_url=settings.public_url,
        reconcile_gap_seconds=settings.reconcile_gap_seconds,
        media=MediaOptions(_media_place(settings), ring),
        egress_allow=settings.egress_allow | environment_addresses(settings.environment),
        clock=clock,
    )

    async def policy_changed(_: Connection, organization_id: uuid.UUID) -> None:
        telephony.consent.forget(organization_id)

    filled = TelephonyPorts(telephony)
    ports = Ports(messenger=filled, consent=filled, numbers=filled)
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        sealer=sealer,
        authenticator=authenticator,
        organizations=OrganizationService(
            database,
            ring.pepper,
            authenticator=authenticator,
            setting_checks={DESTINATIONS: check_destinations, TEXTING: check_texting},
            setting_effects={DESTINATIONS: policy_changed, TEXTING: rules_changed},
            clock=clock,
        ),
        telephony=telephony,
        ports=ports,
        road=Road(ports, PostgresLedger(database, sealer), clock, PostgresTallies(database)),
    )


def _media_place(settings: Settings) -> MediaPlace:
    if settings.media_url is None:
        return MediaPlace.directory(settings.home / "media")
    return MediaPlace(
        settings.media_url,
        s3_endpoint=settings.media_s3_endpoint,
        s3_region=settings.media_s3_region,
        s3_access_key_id=settings.media_s3_access_key_id,
        s3_secret_access_key=settings.media_s3_secret_access_key,
    )


@asynccontextmanager
async def open_services(settings: Settings, *, name: str) -> AsyncGenerator[Services]:
    """The services of one process, connected; closed at the end. Raises ConfigurationError, Unavailable."""
    dsn = await resolve_dsn(settings)
    await require_migrated(dsn)
    database = Database(dsn, application_name=f"offhook {name}")
    await database.open()
    try:
        services = make_services(settings, database, key_ring(settings))
        try:
            await adopt_environment_account(services.telephony, settings)
            yield services
        finally:
            await services.telephony.close()
    finally:
        await database.close()
