"""`/api/messages`."""

from __future__ import annotations

import json
import uuid
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from offhook.core.errors import FieldProblem, InvalidInput
from offhook.core.http import HotRoute, Paged, Text, provided, read_json_object
from offhook.organizations.auth import AuthenticatedRoute, ReadCaller, Scope, authenticate
from offhook.telephony.inbox import Inbox
from offhook.telephony.messages.messaging import Messaging
from offhook.telephony.messages.models import NewText
from offhook.telephony.messages.reading import MessageReader
from offhook.telephony.messages.schemas import (
    NEW_MESSAGE_SCHEMA,
    PLACED_MESSAGE_SCHEMA,
    MessageEnvelope,
    MessageList,
    MessageOut,
    placed_view,
)

MAX_MESSAGE_BYTES: Final = 16 * 1024
"""1600 characters, each escaped as a surrogate pair, are under 20 KB; nobody writes them so."""

router = APIRouter(prefix="/api", route_class=AuthenticatedRoute)

Messages = Annotated[MessageReader, Depends(provided(MessageReader))]


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
