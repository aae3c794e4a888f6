"""`/api/alerts`, and the starts of what was stopped."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from offhook.core.http import Paged, provided
from offhook.organizations.auth import AdminCaller, AuthenticatedRoute, ReadCaller
from offhook.telephony.alerts.alerts import Alerts, Starts
from offhook.telephony.alerts.schemas import AlertEnvelope, AlertList, AlertOut, Started

router = APIRouter(prefix="/api", route_class=AuthenticatedRoute)

AlertsOf = Annotated[Alerts, Depends(provided(Alerts))]
StartsOf = Annotated[Starts, Depends(provided(Starts))]


@router.get("/alerts", tags=["alerts"])
async def list_alerts(
    caller: ReadCaller,
    page: Paged,
    alerts: AlertsOf,
    is_open: Annotated[bool, Query(alias="open", description="Only those that nobody has resolved.")] = False,
) -> AlertList:
    """What an operator must act on: one alert per matter, newest first."""
    found, cursor = await alerts.list(caller.organization_id, page, is_open=is_open)
    return AlertList(alerts=[AlertOut.model_validate(row) for row in found], next_cursor=cursor)


@router.post("/alerts/{alert_id}/resolve", tags=["alerts"])
async def resolve_alert(alert_id: uuid.UUID, caller: AdminCaller, alerts: AlertsOf) -> AlertEnvelope:
    """Say that somebody has acted. It starts nothing: starting a sender or an account resolves its alert."""
    resolved = await alerts.resolve(caller.organization_id, alert_id)
    return AlertEnvelope(alert=AlertOut.model_validate(resolved))


@router.post("/carrier-accounts/{account_id}/start", tags=["carrier accounts"])
async def start_carrier_account(account_id: uuid.UUID, caller: AdminCaller, starts: StartsOf) -> Started:
    """Send from a stopped account again: the texts that waited for it go on."""
    return Started(was_stopped=await starts.account(caller.organization_id, account_id))


@router.post("/phone-numbers/{number_id}/start", tags=["phone numbers"])
async def start_phone_number(number_id: uuid.UUID, caller: AdminCaller, starts: StartsOf) -> Started:
    """Send from a stopped number again: the texts that waited for it go on."""
    return Started(was_stopped=await starts.number(caller.organization_id, number_id))


@router.post("/messaging-services/{service_id}/start", tags=["messaging services"])
async def start_messaging_service(service_id: uuid.UUID, caller: AdminCaller, starts: StartsOf) -> Started:
    """Send from a stopped messaging service again: the texts that waited for it go on."""
    return Started(was_stopped=await starts.messaging_service(caller.organization_id, service_id))
