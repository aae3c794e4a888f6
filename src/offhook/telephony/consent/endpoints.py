"""`/api/suppressions` and `/api/consent-events`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from offhook.core.http import Paged, Text, provided
from offhook.organizations.auth import AdminCaller, AuthenticatedRoute, ReadCaller, WorkerCaller
from offhook.telephony.consent.schemas import (
    ConsentEventList,
    ConsentEventOut,
    NewSuppression,
    SuppressionEnvelope,
    SuppressionList,
    SuppressionOut,
)
from offhook.telephony.consent.suppressions import Suppressions

router = APIRouter(prefix="/api", route_class=AuthenticatedRoute)

SuppressionsOf = Annotated[Suppressions, Depends(provided(Suppressions))]


OneNumber = Annotated[Text | None, Query(max_length=64, description="E.164; without it, everybody's.")]


def _plus(number: str | None) -> str | None:
    """An unencoded plus arrives as a space."""
    return f"+{number[1:]}" if number and number[0] == " " else number


@router.get("/suppressions", tags=["suppressions"])
async def list_suppressions(
    caller: ReadCaller, page: Paged, suppressions: SuppressionsOf, number: OneNumber = None
) -> SuppressionList:
    """The numbers that the organization's texts do not go to, newest first; with `number`, that one if it is there."""
    found, cursor = await suppressions.list(caller.organization_id, _plus(number), page)
    return SuppressionList(suppressions=[SuppressionOut.model_validate(row) for row in found], next_cursor=cursor)


@router.post("/suppressions", status_code=201, tags=["suppressions"])
async def create_suppression(
    body: NewSuppression, caller: WorkerCaller, suppressions: SuppressionsOf
) -> SuppressionEnvelope:
    """Text a number no more, as an agent may be told on a call; what is queued for it is canceled. One that is on the
    list already keeps the stronger reason: operator before what the person wrote, that before carrier, that before
    unreachable."""
    added = await suppressions.add(caller.organization_id, body.number, body.reason)
    return SuppressionEnvelope(suppression=SuppressionOut.model_validate(added))


@router.delete("/suppressions/{number}", status_code=204, tags=["suppressions"])
async def delete_suppression(
    number: Annotated[Text, Path(max_length=64, description="E.164")],
    caller: AdminCaller,
    suppressions: SuppressionsOf,
) -> None:
    """Text a number again, once its owner has agreed to it."""
    await suppressions.remove(caller.organization_id, number)


@router.get("/consent-events", tags=["suppressions"])
async def list_consent_events(
    caller: ReadCaller,
    page: Paged,
    suppressions: SuppressionsOf,
    number: OneNumber = None,
) -> ConsentEventList:
    """Who asked for what, when and how, newest first. Nothing here is changed or deleted."""
    found, cursor = await suppressions.list_events(caller.organization_id, _plus(number), page)
    return ConsentEventList(consent_events=[ConsentEventOut.model_validate(row) for row in found], next_cursor=cursor)
