"""Which agent takes a conversation: the one that was named, else the one that answers the number called.

A number that several organizations entered goes to the one that entered it first: whoever came later cannot take
another's calls away, and does not learn that the number is taken.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from offhook.core.db.pool import Database
from offhook.core.errors import NotFound
from offhook.core.phone import mask


@dataclass(frozen=True, slots=True)
class Route:
    organization_id: uuid.UUID
    agent_id: uuid.UUID


class AgentNotFound(NotFound):
    default_code = "agent_not_found"


async def find_route(
    database: Database,
    *,
    organization_id: uuid.UUID | None,
    agent_id: uuid.UUID | None,
    number: str | None,
) -> Route:
    """`organization_id` None: the deployment's own worker, which serves all of them. Raises AgentNotFound."""
    async with database.system("route a conversation to its agent") as connection:
        if agent_id is not None:
            row = await connection.fetchrow(
                "select organization_id, id as agent_id from agents"
                " where id = $1 and ($2::uuid is null or organization_id = $2)",
                agent_id,
                organization_id,
            )
            if row is None:
                raise AgentNotFound(
                    f"there is no agent {agent_id} here: check the agent_id in the dispatch metadata, and that the "
                    "worker's key belongs to the agent's organization"
                )
            return Route(row["organization_id"], row["agent_id"])
        if number is None:
            raise AgentNotFound(
                "neither an agent_id nor a called number came with the conversation: put agent_id into the dispatch "
                "metadata, or let the trunk pass the number (sip.trunkPhoneNumber)"
            )
        row = await connection.fetchrow(
            "select organization_id, agent_id from phone_numbers"
            " where number = $1 and ($2::uuid is null or organization_id = $2)"
            " order by created_at, id limit 1",
            number,
            organization_id,
        )
    if row is None or row["agent_id"] is None:
        missing = "is not one of the organization's numbers" if row is None else "has no agent"
        raise AgentNotFound(f"no agent answers {mask(number)}: it {missing}; choose its agent under /api/phone-numbers")
    return Route(row["organization_id"], row["agent_id"])
