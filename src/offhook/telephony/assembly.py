"""Telephony put together: what the processes of Offhook take from this package."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import aiohttp

from offhook.core.clock import Clock, SystemClock
from offhook.core.db.jobs import Handler
from offhook.core.db.pool import Database
from offhook.core.egress import Egress
from offhook.core.http import Part
from offhook.core.http.idempotency import Once
from offhook.secrets import Sealer
from offhook.telephony import carriers as registry
from offhook.telephony import endpoints as accounts_and_numbers
from offhook.telephony.accounts import Accounts
from offhook.telephony.alerts import endpoints as alert_endpoints
from offhook.telephony.alerts.alerts import Alerts, Starts
from offhook.telephony.base_urls import Address
from offhook.telephony.consent import endpoints as suppression_list
from offhook.telephony.consent.destinations import DestinationConsent
from offhook.telephony.consent.gate import Gate
from offhook.telephony.consent.suppressions import Suppressions
from offhook.telephony.inbox import Inbox
from offhook.telephony.media import endpoints as media_endpoints
from offhook.telephony.media.part import MediaOptions, MediaPart, create_media
from offhook.telephony.messages import endpoints as messages
from offhook.telephony.messages.asking import Asking
from offhook.telephony.messages.attempts import Attempts
from offhook.telephony.messages.following import Following
from offhook.telephony.messages.intake import Intake
from offhook.telephony.messages.messaging import Messaging
from offhook.telephony.messages.pump import Pump
from offhook.telephony.messages.reading import MessageReader
from offhook.telephony.messages.reconcile import Reconciliation
from offhook.telephony.messages.redacting import Redacting
from offhook.telephony.messages.releasing import Releasing
from offhook.telephony.messages.sending import Sending
from offhook.telephony.messaging_services import MessagingServices
from offhook.telephony.service import CarrierAccountService, PhoneNumberService

MAX_CONNECTIONS = 400  # of all carriers together; one account uses at most attempts.MAX_PER_ACCOUNT


@dataclass(frozen=True, slots=True)
class Telephony:
    """One process's telephony. `messaging`, `consent` and `phone_numbers` fill the ports of tools."""

    messaging: Messaging
    pump: Pump
    releasing: Releasing
    consent: DestinationConsent
    phone_numbers: PhoneNumberService
    carrier_accounts: CarrierAccountService
    messaging_services: MessagingServices
    intake: Intake
    once: Once
    suppressions: Suppressions
    alerts: Alerts
    starts: Starts
    messages: MessageReader
    redacting: Redacting
    inbox: Inbox
    media: MediaPart
    egress: Egress
    session: aiohttp.ClientSession

    @property
    def job_handlers(self) -> Mapping[str, Handler]:
        """Entrypoint → handler, for the consumer."""
        return {
            **self.messaging.handlers,
            **self.releasing.handlers,
            **self.inbox.handlers,
            **self.media.handlers,
        }

    def part(self) -> Part:
        """What this package brings to the application."""
        return Part(
            services=(
                self.messaging,
                self.phone_numbers,
                self.carrier_accounts,
                self.messaging_services,
                self.intake,
                self.once,
                self.suppressions,
                self.alerts,
                self.starts,
                self.messages,
                self.redacting,
                self.inbox,
                *self.media.services,
            ),
            routers=(
                accounts_and_numbers.router,
                suppression_list.router,
                messages.router,
                media_endpoints.router,
                alert_endpoints.router,
            ),
            routes=(*messages.hot_routes, *media_endpoints.hot_routes),
        )

    async def close(self) -> None:
        """End what is under way (within a second) and the connections to carriers and foreign media."""
        await self.inbox.close()
        await self.messaging.close()
        await self.egress.close()
        await self.session.close()


def create_telephony(
    database: Database,
    sealer: Sealer,
    *,
    public_url: str | None,
    reconcile_gap_seconds: float,
    media: MediaOptions,
    egress_allow: Collection[Address] = (),
    clock: Clock | None = None,
) -> Telephony:
    """Call it inside the running event loop. `public_url`: the origin that carriers reach; None: no callbacks.
    `egress_allow`: where tenants' URLs may lead although that is neither on the public internet nor a carrier's."""
    session = aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS, keepalive_timeout=30),
    )
    egress = Egress(egress_allow)
    carriers = registry.carriers(session, egress)
    accounts = Accounts(database, sealer, carriers, clock, allowed=egress_allow)
    media_part = create_media(database, accounts, egress, media, public_url=public_url, clock=clock or SystemClock())
    consent = DestinationConsent(database, clock)
    intake = Intake(accounts, consent, media_part.media)
    messaging_services = MessagingServices(database, accounts)
    asking = Asking(accounts)
    reconciliation = Reconciliation(database, accounts, asking, reconcile_gap_seconds)
    attempts = Attempts(database, Sending(database, accounts, public_url, media_part.media), reconciliation)
    pump = Pump(database, accounts, attempts, Gate())
    return Telephony(
        messaging=Messaging(
            database,
            accounts,
            intake,
            pump,
            attempts,
            reconciliation,
            Following(database, accounts, asking),
        ),
        pump=pump,
        releasing=Releasing(database),
        consent=consent,
        phone_numbers=PhoneNumberService(database, accounts),
        carrier_accounts=CarrierAccountService(database, sealer, carriers, accounts, public_url),
        messaging_services=messaging_services,
        intake=intake,
        once=Once(database, clock),
        suppressions=Suppressions(database),
        alerts=Alerts(database),
        starts=Starts(database, accounts, messaging_services),
        messages=MessageReader(database),
        redacting=Redacting(database, accounts, media_part.media),
        inbox=Inbox(database, accounts, public_url),
        media=media_part,
        egress=egress,
        session=session,
    )
