"""LiveKit's signed webhook: rooms and participants open and close `voice_calls`.

So a call is known, and its caller can be texted, also when the agent in the room knows nothing of Offhook, and it is
closed also when the agent's process was killed. Events may come late, twice, and in any order.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import jwt
from starlette.requests import Request
from starlette.responses import Response

from offhook.conversations import queries
from offhook.conversations.service import ANSWERS_KEPT_HOURS
from offhook.conversations.tokens import PlainTokens, bearer
from offhook.core.db.pool import Database
from offhook.core.errors import BadRequest, Unauthenticated, Unavailable
from offhook.core.http import HotRoute, provided
from offhook.core.phone import find_e164
from offhook.core.telemetry import get_logger

_log = get_logger(__name__)

_AGENT_KINDS = frozenset({"AGENT", "EGRESS", "INGRESS"})


@dataclass(frozen=True, slots=True)
class Rooms:
    database: Database
    tokens: PlainTokens
    api_key: str | None
    api_secret: str | None = field(repr=False)

    def verify(self, token: str | None, body: bytes) -> None:
        """LiveKit signs a JWT (HS256, our API secret) that carries the SHA-256 of the body. Raises Unauthenticated."""
        if not self.api_key or not self.api_secret:
            raise Unavailable("set LIVEKIT_API_KEY and LIVEKIT_API_SECRET: LiveKit's webhooks are signed by them")
        try:
            claims = jwt.decode(
                token or "",
                self.api_secret,
                algorithms=["HS256"],
                issuer=self.api_key,
                leeway=30,
                options={"require": ["exp", "iss"]},
            )
        except jwt.PyJWTError:
            raise Unauthenticated("the webhook's token is not LiveKit's, or has expired") from None
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        if not hmac.compare_digest(str(claims.get("sha256", "")), digest):
            raise Unauthenticated("the webhook's token was made for another body")

    async def handle(self, event: Mapping[str, Any]) -> None:
        name = event.get("event")
        room: Mapping[str, Any] = event.get("room") or {}
        participant: Mapping[str, Any] = event.get("participant") or {}
        at = _time(event.get("createdAt"))
        if not room.get("sid"):
            return
        if name == "participant_joined" and participant.get("kind", "STANDARD") not in _AGENT_KINDS:
            await self._joined(room, participant, at)
        elif name in ("participant_left", "participant_connection_aborted") and participant.get("identity"):
            await self._close(str(room["sid"]), str(participant["identity"]), "caller_left", at)
        elif name == "room_finished":
            await self._close(str(room["sid"]), None, "room_finished", at)

    async def _joined(self, room: Mapping[str, Any], participant: Mapping[str, Any], at: datetime) -> None:
        attributes: Mapping[str, Any] = participant.get("attributes") or {}
        our_number = _number(attributes, "sip.trunkPhoneNumber")
        organization_id = await self._organization(our_number)
        if organization_id is None:
            _log.warning("room_without_organization", room_sid=room["sid"])
            return
        async with self.database.tenant(organization_id) as connection:
            await queries.open_voice_call(
                connection,
                organization_id=organization_id,
                room_name=str(room.get("name") or room["sid"]),
                room_sid=str(room["sid"]),
                client_phone=_number(attributes, "sip.phoneNumber"),
                our_number=our_number,
                participant_identity=participant.get("identity"),
                carrier_call_id=attributes.get("sip.twilio.callSid") or attributes.get("sip.callID"),
                happened_at=at,
            )

    async def _organization(self, our_number: str | None) -> uuid.UUID | None:
        """Whoever the number called belongs to (who entered it first), else the default organization."""
        if our_number is not None:
            async with self.database.system("find whose number was called") as connection:
                owner = await connection.fetchval(
                    "select organization_id from phone_numbers where number = $1 order by created_at, id limit 1",
                    our_number,
                )
            if owner is not None:
                return owner
        return self.tokens.organization_id() if self.tokens.organization else None

    async def _close(self, room_sid: str, identity: str | None, reason: str, at: datetime) -> None:
        async with self.database.system("a room has ended") as connection:
            closed = await queries.close_voice_calls(
                connection, room_sid=room_sid, participant_identity=identity, reason=reason, at=at
            )
        for row in closed:
            if row["conversation_id"] is None:
                continue
            organization_id = row["organization_id"]
            async with self.database.tenant(organization_id) as connection:
                await queries.close_conversation(connection, organization_id, row["conversation_id"], reason)
                await queries.expire_answers(connection, organization_id, row["conversation_id"], ANSWERS_KEPT_HOURS)


def _time(text: Any) -> datetime:
    """`createdAt`: seconds since 1970, as a string in LiveKit's JSON. Missing or odd: now."""
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return datetime.now(UTC)


def _number(attributes: Mapping[str, Any], name: str) -> str | None:
    return find_e164(str(attributes.get(name) or ""))


async def livekit_webhook(request: Request) -> Response:
    rooms = provided(Rooms)(request)
    body = await request.body()
    rooms.verify(bearer(request) or request.headers.get("authorization"), body)
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest("The body is not JSON.", code="not_json") from None
    if not isinstance(event, dict):
        raise BadRequest("The body is not a webhook event.", code="not_an_event")
    await rooms.handle(cast("dict[str, Any]", event))
    return Response(status_code=204)


ROUTES = (
    HotRoute(
        "POST",
        "/api/livekit/webhook",
        livekit_webhook,
        "livekit_webhook",
        {
            "summary": "LiveKit's signed room and participant events",
            "tags": ["livekit"],
            "requestBody": {"required": True, "content": {"application/webhook+json": {"schema": {"type": "object"}}}},
            "responses": {"204": {"description": "Taken"}},
        },
        authenticated=False,
    ),
)
