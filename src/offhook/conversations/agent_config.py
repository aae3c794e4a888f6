"""`GET /api/livekit/agent-config`: instructions, greeting and functions of the agent that answers a room or a number,
for agents that know nothing else of Offhook."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from offhook.agents import releases
from offhook.agents.routing import AgentNotFound, Route, find_route
from offhook.conversations import queries
from offhook.conversations.schemas import AgentConfigOut
from offhook.conversations.tokens import PlainTokens
from offhook.conversations.values import conversation_values, spoken
from offhook.core.clock import Clock
from offhook.core.db.pool import Database
from offhook.core.errors import BadRequest
from offhook.core.http import HotRoute, inline_schema, provided
from offhook.core.phone import InvalidPhoneNumber, parse_e164
from offhook.organizations.auth import Scope
from offhook.tools.functions import BoundFunction


@dataclass(frozen=True, slots=True)
class AgentConfigs:
    database: Database
    tokens: PlainTokens
    clock: Clock

    async def find(self, organization_id: uuid.UUID, room: str | None, number: str | None) -> AgentConfigOut:
        """Raises AgentNotFound, which says what the operator must do."""
        person_number: str | None = None
        agent_id: uuid.UUID | None = None
        if room is not None:
            async with self.database.tenant(organization_id) as connection:
                call = await queries.find_voice_call(connection, organization_id, room)
            if call is None:
                raise AgentNotFound(
                    "no call is known in this room: is LiveKit's webhook set to /api/livekit/webhook? Or ask by number"
                )
            person_number, number, agent_id = call["client_phone"], call["our_number"], call["agent_id"]
        route = await find_route(self.database, organization_id=organization_id, agent_id=agent_id, number=number)
        return await self._config(route, person_number, number)

    async def _config(self, route: Route, person_number: str | None, our_number: str | None) -> AgentConfigOut:
        async with self.database.tenant(route.organization_id) as connection:
            release = await releases.freeze(connection, route.organization_id, route.agent_id)
        values = conversation_values(
            conversation_id=route.agent_id,  # there is no conversation; {{call_id}} needs some value
            person_number=person_number,
            our_number=our_number,
            release=release.content,
            stored={},
            now=self.clock.now(),
        )
        agent = release.content["agent"]
        return AgentConfigOut(
            agent_id=route.agent_id,
            name=agent["name"],
            instructions=spoken(agent["instructions"], values),
            greeting=spoken(agent["greeting"], values),
            settings=agent["settings"],
            functions=[BoundFunction(function).shown(values) for function in release.content["functions"]],
        )


async def agent_config(request: Request) -> Response:
    configs = provided(AgentConfigs)(request)
    organization_id = await configs.tokens.organization_of(request, configs.tokens.agent_config, Scope.READ)
    room, number = request.query_params.get("room"), request.query_params.get("number")
    if (room is None) == (number is None):
        raise BadRequest("Give exactly one of the query parameters room and number.", code="invalid_request")
    if number is not None:
        try:
            number = parse_e164(number).e164
        except InvalidPhoneNumber as error:
            raise BadRequest(f"number: {error.message}", code="invalid_phone_number") from None
    found = await configs.find(organization_id, room, number)
    return Response(found.model_dump_json(), media_type="application/json")


def _query(name: str) -> dict[str, object]:
    return {"name": name, "in": "query", "required": False, "schema": {"type": "string"}}


ROUTES = (
    HotRoute(
        "GET",
        "/api/livekit/agent-config",
        agent_config,
        "agent_config",
        {
            "summary": "Instructions, greeting and functions for a room or a number",
            "tags": ["livekit"],
            "parameters": [_query("room"), _query("number")],
            "responses": {
                "200": {
                    "description": "OK",
                    "content": {"application/json": {"schema": inline_schema(AgentConfigOut)}},
                }
            },
        },
    ),
)
