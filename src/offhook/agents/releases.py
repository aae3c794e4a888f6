"""A release: the frozen instructions and functions that one conversation runs on.

What the model sees and what it never sees are stored together, once per distinct content; a conversation keeps the
release it began with, whatever is changed in the meantime.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from offhook.agents.routing import AgentNotFound
from offhook.core.db.pool import Connection
from offhook.core.ids import new_id
from offhook.tools.functions import release_functions


@dataclass(frozen=True, slots=True)
class Release:
    id: uuid.UUID
    organization_id: uuid.UUID
    agent_id: uuid.UUID
    digest: str
    content: Mapping[str, Any]
    """{"organization_name", "agent": {"name", "instructions", "greeting", "settings"}, "variables": [...],
    "functions": [...]}; the functions as `tools.functions` writes and reads them."""


_AGENT = """
select a.name, a.instructions, a.greeting, a.settings, a.variables, o.name as organization_name,
       o.settings as organization_settings
from agents a join organizations o on o.id = a.organization_id
where a.organization_id = $1 and a.id = $2
"""

_TOOLS = """
select t.id, t.name, t.type, t.description, t.function_schema, t.static_config, t.async, t.config_metadata,
       at.config, at.disabled_functions
from agent_tools at
join tools t on t.organization_id = at.organization_id and t.id = at.tool_id
where at.organization_id = $1 and at.agent_id = $2 and at.is_enabled and t.type is not null
order by at.created_at, at.id
"""

_INSERT = """
insert into releases (id, organization_id, agent_id, digest, content) values ($1, $2, $3, $4, $5)
on conflict (organization_id, agent_id, digest) do nothing
"""


async def freeze(connection: Connection, organization_id: uuid.UUID, agent_id: uuid.UUID) -> Release:
    """The agent's release as it stands now, stored if it is new. Runs in the caller's tenant transaction."""
    agent = await connection.fetchrow(_AGENT, organization_id, agent_id)
    if agent is None:
        raise AgentNotFound(f"there is no agent {agent_id} in this organization")
    rows = await connection.fetch(_TOOLS, organization_id, agent_id)
    content: dict[str, Any] = {
        "organization_name": agent["organization_name"],
        "agent": {key: agent[key] for key in ("name", "instructions", "greeting", "settings")},
        "variables": [*agent["organization_settings"].get("variables", []), *agent["variables"]],
        "functions": release_functions(rows),
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    await connection.execute(_INSERT, new_id(), organization_id, agent_id, digest, content)
    release_id = await connection.fetchval(
        "select id from releases where organization_id = $1 and agent_id = $2 and digest = $3",
        organization_id,
        agent_id,
        digest,
    )
    return Release(release_id, organization_id, agent_id, digest, content)


async def get(connection: Connection, organization_id: uuid.UUID, release_id: uuid.UUID) -> Release:
    """A stored release. It exists as long as a conversation names it (a foreign key holds it)."""
    row = await connection.fetchrow(
        "select id, agent_id, digest, content from releases where organization_id = $1 and id = $2",
        organization_id,
        release_id,
    )
    if row is None:
        raise AgentNotFound(f"the release {release_id} is gone")
    return Release(row["id"], organization_id, row["agent_id"], row["digest"], row["content"])
