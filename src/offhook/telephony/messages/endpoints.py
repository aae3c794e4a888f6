"""`/api/messages`."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from offhook.core.errors import FieldProblem, InvalidInput
from offhook.core.http import MAX_BODY_BYTES, HotRoute, Paged, Text, provided, read_json_object
from offhook.core.http.idempotency import PARAMETER as IDEMPOTENCY_KEY
from offhook.core.http.idempotency import Once
from offhook.core.phone import find_e164
from offhook.core.texts.wording import Wording, reworded
from offhook.organizations.auth import (
    AdminCaller,
    AuthenticatedRoute,
    ReadCaller,
    Scope,
    WorkerCaller,
    authenticate,
)
from offhook.telephony.amounts import amount_text
from offhook.telephony.inbox import Inbox
from offhook.telephony.media.media import Media
from offhook.telephony.messages.intake import Intake, Prepared
from offhook.telephony.messages.messaging import Messaging
from offhook.telephony.messages.models import Message, NewText
from offhook.telephony.messages.reading import MessageReader
from offhook.telephony.messages.redacting import Redacting
from offhook.telephony.messages.schemas import (
    ESTIMATE_SCHEMA,
    NEW_MESSAGE_SCHEMA,
    PLACED_MESSAGE_SCHEMA,
    MessageEnvelope,
    MessageList,
    Status,
    message_view,
    placed_view,
)
from offhook.telephony.messages.wishes import read_wish

router = APIRouter(prefix="/api", route_class=AuthenticatedRoute)

Messages = Annotated[MessageReader, Depends(provided(MessageReader))]
MessagingOf = Annotated[Messaging, Depends(provided(Messaging))]
RedactingOf = Annotated[Redacting, Depends(provided(Redacting))]
MediaOf = Annotated[Media, Depends(provided(Media))]


@router.get("/messages", tags=["messages"])
async def list_messages(
    caller: ReadCaller,
    page: Paged,
    messages: Messages,
    media: MediaOf,
    status: Annotated[Status | None, Query()] = None,
    to: Annotated[Text | None, Query(max_length=64, description="E.164")] = None,
    held: Annotated[
        bool | None, Query(description="True: only texts that wait for something; false: only others.")
    ] = None,
) -> MessageList:
    """The organization's messages, newest first."""
    number = None if to is None else _number(to)
    found, cursor = await messages.list(caller.organization_id, page, status=status, to_number=number, held=held)
    carried = await media.views(caller.organization_id, [row.id for row in found if row.media_count])
    return MessageList(messages=[message_view(row, carried.get(row.id, ())) for row in found], next_cursor=cursor)


def _number(to: str) -> str:
    # A plus sign that was not encoded arrives as a space.
    found = find_e164(to.replace(" ", "+", 1) if to.startswith(" ") else to)
    if found is None:
        message = "Must be a phone number in E.164, such as +12025550140."
        raise InvalidInput(message, fields=[FieldProblem("to", message)])
    return found


@router.get("/messages/{message_id}", tags=["messages"])
async def read_message(
    message_id: uuid.UUID, caller: ReadCaller, messages: Messages, media: MediaOf
) -> MessageEnvelope:
    return await _envelope(await messages.get(caller.organization_id, message_id), media)


@router.post("/messages/{message_id}/cancel", tags=["messages"])
async def cancel_message(
    message_id: uuid.UUID, caller: WorkerCaller, messaging: MessagingOf, media: MediaOf
) -> MessageEnvelope:
    """Do not send a text that is still queued. One that was canceled before stays so; what has gone is a conflict."""
    return await _envelope(await messaging.cancel(caller.organization_id, message_id), media)


@router.post("/messages/{message_id}/redact", tags=["messages"])
async def redact_message(
    message_id: uuid.UUID, caller: AdminCaller, redacting: RedactingOf, media: MediaOf
) -> MessageEnvelope:
    """Forget the words of a text that the carrier has or that has ended, here and there, in its repeats too, and the
    media that came with it. That it was sent, and to whom, stays."""
    return await _envelope(await redacting.redact(caller.organization_id, message_id), media)


async def _envelope(message: Message, media: Media) -> MessageEnvelope:
    carried = await media.views(message.organization_id, [message.id] if message.media_count else [])
    return MessageEnvelope(message=message_view(message, carried.get(message.id, ())))


_find_messaging = provided(Messaging)
_find_intake = provided(Intake)
_find_once = provided(Once)
_find_inbox = provided(Inbox)


async def place_message(request: Request) -> Response:
    """Accept a text and leave it to the queue: 202 once it is stored."""
    caller = (await authenticate(request, Scope.WORKER)).of_organization()
    body = await read_json_object(request, MAX_BODY_BYTES)

    async def place(operation_id: str | None) -> Response:
        text = read_wish(caller.organization_id, body, operation_id)
        return _json(_placed(text, await _find_messaging(request).place_parts(text)), 202)

    return await _find_once(request).answer(request, caller.organization_id, body, place)


async def estimate_message(request: Request) -> Response:
    """What a text would become and cost. Nothing is stored."""
    caller = (await authenticate(request, Scope.WORKER)).of_organization()
    text = read_wish(caller.organization_id, await read_json_object(request, MAX_BODY_BYTES))
    return _json({"estimate": _estimated(await _find_intake(request).prepare(text))}, 200)


def _json(content: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(content, ensure_ascii=False).encode(), status, media_type="application/json")


def _placed(text: NewText, messages: Sequence[Message]) -> dict[str, Any]:
    views = [placed_view(message) for message in messages]
    answer: dict[str, Any] = {"message": views[0]}
    if text.options.split:
        answer["messages"] = views
    if text.options.strip_markdown or text.options.smart_encoding:
        answer["wording"] = _wording_view(reworded(text.body, text.options))
    return answer


def _wording_view(wording: Wording) -> dict[str, Any]:
    return {"markdown_stripped": wording.stripped, "replaced": dict(wording.replaced)}


def _estimated(prepared: Prepared) -> dict[str, Any]:
    content = prepared.content
    sender, parts, cost = content.sender, content.parts, content.cost
    tariff = sender.tariff if cost is not None else None
    return {
        "to": prepared.to_number,
        "from": sender.number,
        "messaging_service_id": None if sender.messaging_service_id is None else str(sender.messaging_service_id),
        "encoding": content.encoding,
        "segments": content.segments,
        "forced_by": list(dict.fromkeys(char for part in parts for char in part.counted.forced_by)),
        "parts": [
            {
                "body": part.body,
                "encoding": part.counted.encoding,
                "units": part.counted.units,
                "segments": part.segments,
            }
            for part in parts
        ],
        **_wording_view(content.wording),
        "cost": None if cost is None else amount_text(cost),
        "currency": None if tariff is None else tariff.currency,
        "price_source": None if tariff is None else tariff.source,
    }


async def receive_webhook(request: Request) -> Response:
    """A carrier's webhook."""
    return await _find_inbox(request).receive(request)


_BODY: Final = {"required": True, "content": {"application/json": {"schema": NEW_MESSAGE_SCHEMA}}}

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
            "parameters": [dict(IDEMPOTENCY_KEY)],
            "requestBody": _BODY,
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
        path="/api/messages/estimate",
        endpoint=estimate_message,
        operation_id="estimate_message",
        operation={
            "summary": "Estimate Message",
            "description": "What a text would become, its segments and what it would cost. The body is that of "
            "`POST /api/messages`; nothing is stored. Opt-outs, stops and quiet hours are looked at when it is sent.",
            "tags": ["messages"],
            "requestBody": _BODY,
            "responses": {
                "200": {
                    "description": "The texts as they would go.",
                    "content": {"application/json": {"schema": ESTIMATE_SCHEMA}},
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
