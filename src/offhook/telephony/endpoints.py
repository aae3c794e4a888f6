"""`/api/carrier-accounts`, `/api/phone-numbers` and `/api/messaging-services`."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends

from offhook.core.http import Paged, provided
from offhook.organizations.auth import AdminCaller, AuthenticatedRoute, ReadCaller
from offhook.telephony.messaging_services import MessagingServices
from offhook.telephony.models import AccountRow
from offhook.telephony.schemas import (
    CarrierAccountChange,
    CarrierAccountEnvelope,
    CarrierAccountList,
    MessagingServiceChange,
    MessagingServiceEnvelope,
    MessagingServiceList,
    MessagingServiceOut,
    NewCarrierAccount,
    NewMessagingService,
    NewPhoneNumber,
    PhoneNumberChange,
    PhoneNumberEnvelope,
    PhoneNumberList,
    PhoneNumberOut,
    account_view,
)
from offhook.telephony.service import CarrierAccountService, PhoneNumberService

router = APIRouter(prefix="/api", route_class=AuthenticatedRoute)

CarrierAccounts = Annotated[CarrierAccountService, Depends(provided(CarrierAccountService))]
PhoneNumbers = Annotated[PhoneNumberService, Depends(provided(PhoneNumberService))]
ServicesOf = Annotated[MessagingServices, Depends(provided(MessagingServices))]


def _envelope(accounts: CarrierAccountService, account: AccountRow) -> CarrierAccountEnvelope:
    return CarrierAccountEnvelope(carrier_account=account_view(account, accounts.inbound_url(account.id)))


@router.get("/carrier-accounts", tags=["carrier accounts"])
async def list_carrier_accounts(caller: ReadCaller, page: Paged, accounts: CarrierAccounts) -> CarrierAccountList:
    """The organization's accounts at carriers, newest first."""
    found, cursor = await accounts.list(caller.organization_id, page)
    return CarrierAccountList(
        carrier_accounts=[account_view(row, accounts.inbound_url(row.id)) for row in found], next_cursor=cursor
    )


@router.post("/carrier-accounts", status_code=201, tags=["carrier accounts"])
async def create_carrier_account(
    body: NewCarrierAccount, caller: AdminCaller, accounts: CarrierAccounts
) -> CarrierAccountEnvelope:
    """Connect an account. Its credentials are encrypted and never shown again."""
    created = await accounts.create(
        caller.organization_id,
        carrier=body.carrier,
        external_account_id=body.external_account_id,
        credentials=body.credentials,
        label=body.label,
        base_url=body.base_url,
        messages_per_second=body.messages_per_second,
        terms=body.terms(),
    )
    return _envelope(accounts, created)


@router.get("/carrier-accounts/{account_id}", tags=["carrier accounts"])
async def read_carrier_account(
    account_id: uuid.UUID, caller: ReadCaller, accounts: CarrierAccounts
) -> CarrierAccountEnvelope:
    found = await accounts.get(caller.organization_id, account_id)
    return _envelope(accounts, found)


@router.patch("/carrier-accounts/{account_id}", tags=["carrier accounts"])
async def change_carrier_account(
    account_id: uuid.UUID, body: CarrierAccountChange, caller: AdminCaller, accounts: CarrierAccounts
) -> CarrierAccountEnvelope:
    """Change an account, or enter its credentials anew, which takes back a stop."""
    changed = await accounts.change(caller.organization_id, account_id, body.model_dump(exclude_unset=True))
    return _envelope(accounts, changed)


@router.delete("/carrier-accounts/{account_id}", status_code=204, tags=["carrier accounts"])
async def delete_carrier_account(account_id: uuid.UUID, caller: AdminCaller, accounts: CarrierAccounts) -> None:
    """Forget an account and its credentials; not while numbers or messages belong to it."""
    await accounts.delete(caller.organization_id, account_id)


@router.get("/phone-numbers", tags=["phone numbers"])
async def list_phone_numbers(caller: ReadCaller, page: Paged, numbers: PhoneNumbers) -> PhoneNumberList:
    """The organization's numbers, newest first."""
    found, cursor = await numbers.list(caller.organization_id, page)
    return PhoneNumberList(phone_numbers=[PhoneNumberOut.model_validate(row) for row in found], next_cursor=cursor)


@router.post("/phone-numbers", status_code=201, tags=["phone numbers"])
async def create_phone_number(body: NewPhoneNumber, caller: AdminCaller, numbers: PhoneNumbers) -> PhoneNumberEnvelope:
    """Add a number that the organization has at its carrier."""
    created = await numbers.create(
        caller.organization_id,
        body.number,
        label=body.label,
        carrier_account_id=body.carrier_account_id,
        agent_id=body.agent_id,
        messages_per_second=body.messages_per_second,
    )
    return PhoneNumberEnvelope(phone_number=PhoneNumberOut.model_validate(created))


@router.get("/phone-numbers/{number_id}", tags=["phone numbers"])
async def read_phone_number(number_id: uuid.UUID, caller: ReadCaller, numbers: PhoneNumbers) -> PhoneNumberEnvelope:
    found = await numbers.get(caller.organization_id, number_id)
    return PhoneNumberEnvelope(phone_number=PhoneNumberOut.model_validate(found))


@router.patch("/phone-numbers/{number_id}", tags=["phone numbers"])
async def change_phone_number(
    number_id: uuid.UUID, body: PhoneNumberChange, caller: AdminCaller, numbers: PhoneNumbers
) -> PhoneNumberEnvelope:
    """Change who answers a number, the account that it texts with, or its label."""
    changed = await numbers.change(caller.organization_id, number_id, body.model_dump(exclude_unset=True))
    return PhoneNumberEnvelope(phone_number=PhoneNumberOut.model_validate(changed))


@router.delete("/phone-numbers/{number_id}", status_code=204, tags=["phone numbers"])
async def delete_phone_number(number_id: uuid.UUID, caller: AdminCaller, numbers: PhoneNumbers) -> None:
    """Remove a number; messages that it sent keep it as text."""
    await numbers.delete(caller.organization_id, number_id)


@router.get("/messaging-services", tags=["messaging services"])
async def list_messaging_services(caller: ReadCaller, page: Paged, services: ServicesOf) -> MessagingServiceList:
    """The organization's pools of senders at carriers, newest first."""
    found, cursor = await services.list(caller.organization_id, page)
    return MessagingServiceList(
        messaging_services=[MessagingServiceOut.model_validate(row) for row in found], next_cursor=cursor
    )


@router.post("/messaging-services", status_code=201, tags=["messaging services"])
async def create_messaging_service(
    body: NewMessagingService, caller: AdminCaller, services: ServicesOf
) -> MessagingServiceEnvelope:
    """Add a pool of senders that the organization has at its carrier: texts sent with it let the carrier pick."""
    created = await services.create(
        caller.organization_id,
        body.carrier_account_id,
        body.external_id,
        label=body.label,
        messages_per_second=body.messages_per_second,
    )
    return MessagingServiceEnvelope(messaging_service=MessagingServiceOut.model_validate(created))


@router.get("/messaging-services/{service_id}", tags=["messaging services"])
async def read_messaging_service(
    service_id: uuid.UUID, caller: ReadCaller, services: ServicesOf
) -> MessagingServiceEnvelope:
    found = await services.get(caller.organization_id, service_id)
    return MessagingServiceEnvelope(messaging_service=MessagingServiceOut.model_validate(found))


@router.patch("/messaging-services/{service_id}", tags=["messaging services"])
async def change_messaging_service(
    service_id: uuid.UUID, body: MessagingServiceChange, caller: AdminCaller, services: ServicesOf
) -> MessagingServiceEnvelope:
    """Change its label or its pace."""
    changed = await services.change(caller.organization_id, service_id, body.model_dump(exclude_unset=True))
    return MessagingServiceEnvelope(messaging_service=MessagingServiceOut.model_validate(changed))


@router.delete("/messaging-services/{service_id}", status_code=204, tags=["messaging services"])
async def delete_messaging_service(service_id: uuid.UUID, caller: AdminCaller, services: ServicesOf) -> None:
    """Forget it; not while messages were sent with it."""
    await services.delete(caller.organization_id, service_id)
