"""`/api/carrier-accounts`, `/api/phone-numbers`, `/api/suppressions`, `/api/messages`, and the webhooks of carriers."""

from __future__ import annotations

import json
import uuid
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from offhook.core.errors import FieldProblem, InvalidInput
from offhook.core.http import HotRoute, Paged, Text, provided, read_json_object
from offhook.organizations.auth import AdminCaller, AuthenticatedRoute, ReadCaller, Scope, authenticate
from offhook.telephony.inbox import Inbox
from offhook.telephony.messaging import Messaging
from offhook.telephony.models import NewText
from offhook.telephony.schemas import (
    NEW_MESSAGE_SCHEMA,
    PLACED_MESSAGE_SCHEMA,
    CarrierAccountChange,
    CarrierAccountEnvelope,
    CarrierAccountList,
    CarrierAccountOut,
    MessageEnvelope,
    MessageList,
    MessageOut,
    NewCarrierAccount,
    NewPhoneNumber,
    NewSuppression,
    PhoneNumberChange,
    PhoneNumberEnvelope,
    PhoneNumberList,
    PhoneNumberOut,
    SuppressionEnvelope,
    SuppressionList,
    SuppressionOut,
    placed_view,
)
from offhook.telephony.service import CarrierAccountService, MessageReader, PhoneNumberService
from offhook.telephony.suppressions import Suppressions

MAX_MESSAGE_BYTES: Final = 16 * 1024
"""1600 characters, each escaped as a surrogate pair, are under 20 KB; nobody writes them so."""

router = APIRouter(prefix="/api", route_class=AuthenticatedRoute)

CarrierAccounts = Annotated[CarrierAccountService, Depends(provided(CarrierAccountService))]
PhoneNumbers = Annotated[PhoneNumberService, Depends(provided(PhoneNumberService))]
SuppressionsOf = Annotated[Suppressions, Depends(provided(Suppressions))]
Messages = Annotated[MessageReader, Depends(provided(MessageReader))]


@router.get("/carrier-accounts", tags=["carrier accounts"])
async def list_carrier_accounts(caller: ReadCaller, page: Paged, accounts: CarrierAccounts) -> CarrierAccountList:
    """The organization's accounts at carriers, newest first."""
    found, cursor = await accounts.list(caller.organization_id, page)
    return CarrierAccountList(
        carrier_accounts=[CarrierAccountOut.model_validate(row) for row in found], next_cursor=cursor
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
    )
    return CarrierAccountEnvelope(carrier_account=CarrierAccountOut.model_validate(created))


@router.get("/carrier-accounts/{account_id}", tags=["carrier accounts"])
async def read_carrier_account(
    account_id: uuid.UUID, caller: ReadCaller, accounts: CarrierAccounts
) -> CarrierAccountEnvelope:
    found = await accounts.get(caller.organization_id, account_id)
    return CarrierAccountEnvelope(carrier_account=CarrierAccountOut.model_validate(found))


@router.patch("/carrier-accounts/{account_id}", tags=["carrier accounts"])
async def change_carrier_account(
    account_id: uuid.UUID, body: CarrierAccountChange, caller: AdminCaller, accounts: CarrierAccounts
) -> CarrierAccountEnvelope:
    """Change an account, or enter its credentials anew, which takes back a stop."""
    changed = await accounts.change(caller.organization_id, account_id, body.model_dump(exclude_unset=True))
    return CarrierAccountEnvelope(carrier_account=CarrierAccountOut.model_validate(changed))


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


@router.get("/messages", tags=["messages"])
async def list_messages(
    caller: ReadCaller,
    page: Paged,
    messages: Messages,
    status: Annotated[Text | None, Query(max_length=20)] = None,
    to: Annotated[Text | None, Query(max_length=20, description="E.164")] = None,
) -> MessageList:
    """The organization's messages, newest first."""
    found, cursor = await messages.list(caller.organization_id, page, status=status, to_number=to)
    return MessageList(messages=[MessageOut.model_validate(row) for row in found], next_cursor=cursor)


@router.get("/messages/{message_id}", tags=["messages"])
async def read_message(message_id: uuid.UUID, caller: ReadCaller, messages: Messages) -> MessageEnvelope:
    found = await messages.get(caller.organization_id, message_id)
    return MessageEnvelope(message=MessageOut.model_validate(found))


_find_messaging = provided(Messaging)
_find_inbox = provided(Inbox)


async def place_message(request: Request) -> Response:
    """Accept a text and leave it to the queue: 202 once it is stored."""
    caller = (await authenticate(request, Scope.WORKER)).of_organization()
    text = _new_text(caller.organization_id, await read_json_object(request, MAX_MESSAGE_BYTES))
    message = await _find_messaging(request).place(text)
    return Response(
        json.dumps(placed_view(message), ensure_ascii=False).encode(), status_code=202, media_type="application/json"
    )


async def receive_webhook(request: Request) -> Response:
    """A carrier's webhook."""
    return await _find_inbox(request).receive(request)


_OPTIONAL: Final = ("from", "operation_id")
_KNOWN: Final = frozenset(NEW_MESSAGE_SCHEMA["properties"])


def _new_text(organization_id: uuid.UUID, body: dict[str, Any]) -> NewText:
    problems = [FieldProblem(name, "There is no such field.", "extra_forbidden") for name in body.keys() - _KNOWN]
    for name in ("to", "body"):
        if not isinstance(body.get(name), str):
            problems.append(FieldProblem(name, "Must be a text.", "string_type" if name in body else "missing"))
    for name in _OPTIONAL:
        if not isinstance(body.get(name), str | None):
            problems.append(FieldProblem(name, "Must be a text.", "string_type"))
    conversation_id: uuid.UUID | None = None
    if body.get("conversation_id") is not None:
        try:
            conversation_id = uuid.UUID(cast(str, body["conversation_id"]))
        except (ValueError, AttributeError, TypeError):
            problems.append(FieldProblem("conversation_id", "Must be a UUID.", "uuid_parsing"))
    if problems:
        raise InvalidInput("The text cannot be placed as it was sent.", fields=problems)
    return NewText(
        organization_id=organization_id,
        origin="api",
        to_number=body["to"],
        body=body["body"],
        operation_id=body.get("operation_id"),
        conversation_id=conversation_id,
        from_number=body.get("from"),
    )


hot_routes: Final = (
    HotRoute(
        method="POST",
        path="/api/messages",
        endpoint=place_message,
        operation_id="place_message",
        operation={
            "summary": "Place Message",
            "description": "Accept a text: it is stored, and sent when its sender's pace allows.",
            "tags": ["messages"],
            "requestBody": {"required": True, "content": {"application/json": {"schema": NEW_MESSAGE_SCHEMA}}},
            "responses": {
                "202": {
                    "description": "Stored; `GET /api/messages/{id}` tells what became of it.",
                    "content": {"application/json": {"schema": PLACED_MESSAGE_SCHEMA}},
                }
            },
        },
    ),
    HotRoute(
        method="POST",
        path="/webhooks/carriers/{account_id}/{kind}",
        endpoint=receive_webhook,
        operation_id="receive_carrier_webhook",
        authenticated=False,
        operation={
            "summary": "Receive Carrier Webhook",
            "description": "For carriers, which sign what they send; the path is what Offhook gives them.",
            "tags": ["webhooks"],
            "parameters": [
                {"name": "account_id", "in": "path", "required": True, "schema": {"type": "string"}},
                {"name": "kind", "in": "path", "required": True, "schema": {"type": "string"}},
            ],
            "responses": {"204": {"description": "Stored."}},
        },
    ),
)
