"""Text the caller: one POST by which any LiveKit agent, also one that knows nothing else of Offhook, sends a text.

Its answers have their own shape: 200 {"success": true, "messageSid", "to"}, or {"error", "message"}.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from offhook.conversations import queries
from offhook.conversations.tokens import PlainTokens
from offhook.core.db.pool import Database
from offhook.core.errors import BadRequest, Conflict, InvalidInput, NotFound, OffhookError
from offhook.core.http import HotRoute, inline_schema, invalid_input, provided, read_json
from offhook.core.http.idempotency import PARAMETER as IDEMPOTENCY_KEY
from offhook.core.http.idempotency import Once
from offhook.core.ids import new_id
from offhook.core.segments import MAX_BODY_CHARACTERS
from offhook.organizations.auth import Scope
from offhook.tools.ports import Consent, Messenger, Numbers, TextReceipt, TextRequest

MAX_BODY_BYTES = 16 * 1024


class SendSms(BaseModel):
    """Who gets the text: the caller in `roomName`, or the number in `to`. Exactly one of the two."""

    model_config = ConfigDict(extra="forbid")

    room_name: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = Field(None, alias="roomName")
    to: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    body: str = Field(min_length=1, max_length=MAX_BODY_CHARACTERS)

    @model_validator(mode="after")
    def _one_recipient(self) -> SendSms:
        if (self.room_name is None) == (self.to is None):
            raise ValueError("give exactly one of roomName and to")
        return self


@dataclass(frozen=True, slots=True)
class Texting:
    """What the endpoint works with. `sender`: TWILIO_PHONE_NUMBER or its like; None: the organization's own."""

    database: Database
    messenger: Messenger
    consent: Consent
    numbers: Numbers
    tokens: PlainTokens
    sender: str | None

    async def send(self, organization_id: uuid.UUID, wish: SendSms, operation_id: str | None = None) -> TextReceipt:
        """`operation_id` names the wish: placed twice, sent once. None: every wish is another."""
        recipient, conversation_id = wish.to, None
        # The environment's sender is the default organization's; others send from their own numbers.
        sender = self.sender if self.tokens.organization == str(organization_id) else None
        if wish.room_name is not None:
            async with self.database.tenant(organization_id) as connection:
                call = await queries.find_voice_call(connection, organization_id, wish.room_name)
            if call is None:
                raise NotFound("no call is known in this room", code="room_not_found")
            if call["client_phone"] is None:
                raise Conflict("the caller in this room shows no number", code="no_caller_number")
            recipient, conversation_id = call["client_phone"], call["conversation_id"]
            sender = sender or call["our_number"]
        assert recipient is not None
        if sender is None:
            only = await self.numbers.find_only(organization_id)
            sender = None if only is None else only.number
        verdict = await self.consent.check(organization_id, recipient)
        if not verdict.allowed:
            raise InvalidInput(verdict.sentence, code=verdict.code)
        request = TextRequest(
            operation_id=operation_id or f"livekit:{new_id()}",
            organization_id=organization_id,
            conversation_id=conversation_id,
            origin="livekit",
            to_number=recipient,
            body=wish.body,
            from_number=sender,
        )
        try:
            return await self.messenger.text(request)
        except InvalidInput as error:
            if error.code != "no_sender":
                raise
            raise InvalidInput(_no_sender(error.detail if sender is not None else None), code=error.code) from error


def _no_sender(why: str | None) -> str:
    """None: there are none or several, of which this endpoint has no field to name one."""
    return (
        f"{why or 'The organization has no number to text from, or several.'} The sender is TWILIO_PHONE_NUMBER, the "
        "number that the room's caller called, or the organization's only one."
    )


async def agent_send_sms(request: Request) -> Response:
    texting = provided(Texting)(request)
    try:
        organization_id = await texting.tokens.organization_of(request, texting.tokens.sms, Scope.WORKER)
        body = await read_json(request, MAX_BODY_BYTES)

        async def send(operation_id: str | None) -> Response:
            return _answer(await texting.send(organization_id, _parse(body), operation_id))

        return await provided(Once)(request).answer(request, organization_id, body, send)
    except OffhookError as error:
        return _refusal(error.status, error.code, error.detail)


def _parse(body: Any) -> SendSms:
    try:
        return SendSms.model_validate(body)
    except ValidationError as error:
        problem = invalid_input(error)
        first = next(iter(getattr(problem, "fields", ())), None)
        where = f"{first.path}: {first.message}" if first is not None and first.path else problem.detail
        raise BadRequest(where, code="invalid_request") from None


def _answer(receipt: TextReceipt) -> Response:
    match receipt.status:
        case "failed" | "undelivered" | "canceled":
            code = f"carrier_{receipt.error_code}" if receipt.error_code else "not_sent"
            return _refusal(502, code, receipt.decision or "the carrier refused the text")
        case "queued" | "sending":
            # On its way: no id of the carrier's yet. The tool tells the model just that.
            content: dict[str, Any] = {
                "success": True,
                "messageSid": None,
                "status": "queued",
                "to": receipt.to_number,
            }
            if receipt.hold_reason is not None:
                content["heldUntil"] = receipt.held_until.isoformat() if receipt.held_until is not None else None
        case _:
            content = {"success": True, "messageSid": receipt.carrier_message_id, "to": receipt.to_number}
    return JSONResponse(content)


def _refusal(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": code, "message": message}, status_code=status)


ROUTES = (
    HotRoute(
        "POST",
        "/api/livekit/agent-send-sms",
        agent_send_sms,
        "agent_send_sms",
        {
            "summary": "Text the caller of a room, or a number",
            "tags": ["livekit"],
            "parameters": [dict(IDEMPOTENCY_KEY)],
            "requestBody": {"required": True, "content": {"application/json": {"schema": inline_schema(SendSms)}}},
            "responses": {
                "200": {
                    "description": "Sent, or on its way (`messageSid` null, `status` queued)",
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["success", "messageSid", "to"],
                                "properties": {
                                    "success": {"const": True},
                                    "messageSid": {"type": ["string", "null"]},
                                    "status": {"const": "queued"},
                                    "heldUntil": {
                                        "type": ["string", "null"],
                                        "format": "date-time",
                                        "description": "It does not go before, on the recipient's clock (quiet hours, "
                                        "a limit); null: until somebody has acted.",
                                    },
                                    "to": {"type": "string"},
                                },
                            }
                        }
                    },
                },
                "default": {
                    "description": "Why it was not sent. What never came to this endpoint (a body over 64 KB) and what "
                    "broke on our side are problem documents, as everywhere else.",
                    "content": {
                        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["error", "message"],
                                "properties": {
                                    "error": {"type": "string", "description": "A stable code."},
                                    "message": {"type": "string"},
                                },
                            }
                        },
                    },
                },
            },
        },
    ),
)
