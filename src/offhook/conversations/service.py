"""Opening and closing conversations, and the context in which their tool calls run."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from offhook.agents import releases
from offhook.agents.releases import Release
from offhook.agents.routing import find_route
from offhook.conversations import queries
from offhook.conversations.schemas import OpenConversation
from offhook.conversations.values import conversation_values, stored_form
from offhook.core.clock import Clock
from offhook.core.db.pool import Connection, Database, Row
from offhook.core.errors import Conflict, InvalidInput, NotFound
from offhook.core.jsonvalue import UncleanJson, clean_json
from offhook.core.phone import find_e164
from offhook.core.variables import Provenance, Value
from offhook.tools.functions import BoundFunction
from offhook.tools.ports import ConversationContext

ANSWERS_KEPT_HOURS = 6
"""How long a tool call's answer outlives its conversation: a client that retries has long given up by then."""

_RELEASES_KEPT = 256


@dataclass(frozen=True, slots=True)
class LoadedRelease:
    """A release with its functions; each compiles on first use, and all calls of the release share them."""

    release: Release
    functions: dict[str, BoundFunction]


@dataclass(frozen=True, slots=True)
class OpenConversationState:
    """A conversation, the release it runs on, and the context in which its tool calls run."""

    row: Row = field(repr=False)
    loaded: LoadedRelease
    context: ConversationContext


class Conversations:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._releases: OrderedDict[uuid.UUID, LoadedRelease] = OrderedDict()

    async def open(self, organization_id: uuid.UUID | None, wish: OpenConversation) -> OpenConversationState:
        """Opened twice with one id, it is one conversation. Raises AgentNotFound, Conflict, InvalidInput."""
        person_number = find_e164(wish.person_number)
        our_number = find_e164(wish.our_number)
        variables = _dispatched(wish.variables)
        route = await find_route(
            self._database, organization_id=organization_id, agent_id=wish.agent_id, number=our_number
        )
        async with self._database.tenant(route.organization_id) as connection:
            row = await queries.find_conversation(connection, route.organization_id, wish.id)
            if row is None:
                release = await releases.freeze(connection, route.organization_id, route.agent_id)
                self._keep(release)
                row = await queries.insert_conversation(
                    connection,
                    conversation_id=wish.id,
                    organization_id=route.organization_id,
                    agent_id=route.agent_id,
                    release_id=release.id,
                    channel=wish.channel,
                    person_number=person_number,
                    our_number=our_number,
                    variables=variables,
                ) or await queries.find_conversation(connection, route.organization_id, wish.id)
            if row is None:
                raise Conflict("this conversation id is taken: make a new one")
            await _open_voice_call(connection, wish, row)
        return await self._state(row)

    async def get(self, organization_id: uuid.UUID | None, conversation_id: uuid.UUID) -> OpenConversationState:
        """Raises NotFound, also for another organization's."""
        organization_id = organization_id or await self._owner(conversation_id)
        async with self._database.tenant(organization_id) as connection:
            row = await queries.find_conversation(connection, organization_id, conversation_id)
        if row is None:
            raise NotFound(f"there is no conversation {conversation_id} here", code="conversation_not_found")
        return await self._state(row)

    async def close(self, organization_id: uuid.UUID | None, conversation_id: uuid.UUID, reason: str) -> Row:
        organization_id = organization_id or await self._owner(conversation_id)
        async with self._database.tenant(organization_id) as connection:
            row = await queries.close_conversation(connection, organization_id, conversation_id, reason)
            if row is None:
                raise NotFound(f"there is no conversation {conversation_id} here", code="conversation_not_found")
            await queries.close_voice_call_of(connection, organization_id, conversation_id, reason)
            await queries.expire_answers(connection, organization_id, conversation_id, ANSWERS_KEPT_HOURS)
        return row

    async def _owner(self, conversation_id: uuid.UUID) -> uuid.UUID:
        async with self._database.system("a deployment's worker names a conversation") as connection:
            owner = await connection.fetchval(
                "select organization_id from conversations where id = $1", conversation_id
            )
        if owner is None:
            raise NotFound(f"there is no conversation {conversation_id} here", code="conversation_not_found")
        return owner

    async def _state(self, row: Row) -> OpenConversationState:
        loaded = await self._load(row["organization_id"], row["release_id"])
        values = conversation_values(
            conversation_id=row["id"],
            person_number=row["person_number"],
            our_number=row["our_number"],
            release=loaded.release.content,
            stored=row["variables"],
            now=self._clock.now(),
        )
        context = ConversationContext(
            organization_id=row["organization_id"],
            conversation_id=row["id"],
            agent_id=row["agent_id"],
            channel=row["channel"],
            person_number=row["person_number"],
            our_number=row["our_number"],
            values=values,
        )
        return OpenConversationState(row, loaded, context)

    async def _load(self, organization_id: uuid.UUID, release_id: uuid.UUID) -> LoadedRelease:
        loaded = self._releases.get(release_id)
        if loaded is not None and loaded.release.organization_id == organization_id:
            self._releases.move_to_end(release_id)
            return loaded
        async with self._database.tenant(organization_id) as connection:
            return self._keep(await releases.get(connection, organization_id, release_id))

    def _keep(self, release: Release) -> LoadedRelease:
        loaded = self._releases.get(release.id)
        if loaded is None:
            functions = {entry["name"]: BoundFunction(entry) for entry in release.content["functions"]}
            loaded = self._releases[release.id] = LoadedRelease(release, functions)
        while len(self._releases) > _RELEASES_KEPT:
            self._releases.popitem(last=False)
        return loaded


async def _open_voice_call(connection: Connection, wish: OpenConversation, row: Row) -> None:
    """The voice part, where the conversation is in a room."""
    if wish.room_name is None:
        return
    await queries.open_voice_call(
        connection,
        organization_id=row["organization_id"],
        room_name=wish.room_name,
        room_sid=wish.room_sid,
        client_phone=row["person_number"],
        our_number=row["our_number"],
        participant_identity=wish.participant_identity,
        carrier_call_id=wish.carrier_call_id,
        conversation_id=row["id"],
        agent_id=row["agent_id"],
    )


def _dispatched(variables: dict[str, Any]) -> dict[str, Any]:
    try:
        cleaned = clean_json(variables, max_bytes=16_384)
    except UncleanJson as error:
        raise InvalidInput(f"variables: {error.message}") from error
    assert isinstance(cleaned, dict)
    return stored_form({name: Value(value, Provenance.ORGANIZATION) for name, value in cleaned.items()})
