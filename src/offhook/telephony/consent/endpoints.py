"""`/api/suppressions`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from offhook.core.http import Paged, Text, provided
from offhook.organizations.auth import AdminCaller, AuthenticatedRoute, ReadCaller
from offhook.telephony.consent.schemas import NewSuppression, SuppressionEnvelope, SuppressionList, SuppressionOut
from offhook.telephony.consent.suppressions import Suppressions

router = APIRouter(prefix="/api", route_class=AuthenticatedRoute)

SuppressionsOf = Annotated[Suppressions, Depends(provided(Suppressions))]


@router.get("/suppressions", tags=["suppressions"])
async def list_suppressions(caller: ReadCaller, page: Paged, suppressions: SuppressionsOf) -> SuppressionList:
    """The numbers that have opted out of the organization's texts, newest first."""
    found, cursor = await suppressions.list(caller.organization_id, page)
    return SuppressionList(suppressions=[SuppressionOut.model_validate(row) for row in found], next_cursor=cursor)


@router.post("/suppressions", status_code=201, tags=["suppressions"])
async def create_suppression(
    body: NewSuppression, caller: AdminCaller, suppressions: SuppressionsOf
) -> SuppressionEnvelope:
    """Text a number no more. One that is on the list already stays as it is."""
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
