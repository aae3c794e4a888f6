"""Which tools an agent may use: attached, switched off, configured, with secrets that go in and never come out."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from offhook.agents import queries
from offhook.agents.models import Agent, AgentTool
from offhook.agents.service import declarations_of, existing
from offhook.core.clock import Clock, SystemClock
from offhook.core.db.pool import Connection, Database
from offhook.core.errors import Conflict, FieldProblem, InvalidInput, NotFound
from offhook.core.ids import new_id
from offhook.core.jsonvalue import normalise
from offhook.core.text import shorten
from offhook.secrets import Sealer
from offhook.tools import queries as tool_queries
from offhook.tools.functions import release_functions
from offhook.tools.models import Tool
from offhook.tools.service import ToolNotFound

MAX_TOOLS: Final = 100
"""Ours, per agent: models choose badly among more than a few dozen functions."""

_SENSITIVE: Final = "sensitive_config"


class AttachmentService:
    def __init__(self, database: Database, sealer: Sealer, *, clock: Clock | None = None) -> None:
        self._database = database
        self._sealer = sealer
        self._clock = clock or SystemClock()

    async def list(self, organization_id: uuid.UUID, agent_id: uuid.UUID) -> Sequence[AgentTool]:
        """All of them, at most MAX_TOOLS, in the order in which they were attached. Raises AgentNotFound."""
        async with self._database.tenant(organization_id) as connection:
            existing(await queries.find_agent(connection, organization_id, agent_id))
            return await _named_links(connection, organization_id, agent_id)

    async def attach(
        self, organization_id: uuid.UUID, agent_id: uuid.UUID, tool_id: uuid.UUID, fields: Mapping[str, Any]
    ) -> AgentTool:
        """`fields`: any of is_enabled, config, sensitive_config, disabled_functions. Raises AgentNotFound,
        ToolNotFound, Conflict when it is attached already, and InvalidInput."""
        link_id = new_id()
        sealed = await self._sealed(organization_id, link_id, fields.get(_SENSITIVE))
        async with self._database.tenant(organization_id) as connection:
            agent = existing(await queries.find_agent(connection, organization_id, agent_id, locked=True))
            tool = await tool_queries.find_tool(connection, organization_id, tool_id)
            if tool is None:
                raise ToolNotFound("There is no such tool.")
            await _check_variables(connection, agent, tool)
            link = _with(_blank(link_id, agent, tool, self._clock), fields)
            if len(await queries.list_links(connection, organization_id, agent_id)) >= MAX_TOOLS:
                raise Conflict(f"An agent has at most {MAX_TOOLS} tools.", code="too_many_tools")
            if not await queries.insert_link(connection, replace(link, sensitive_config=sealed)):
                raise Conflict("The tool is attached to this agent already.", code="already_attached")
            return await _get(connection, organization_id, agent_id, tool_id)

    async def get(self, organization_id: uuid.UUID, agent_id: uuid.UUID, tool_id: uuid.UUID) -> AgentTool:
        """Raises AgentNotFound, and NotFound where the tool is not attached."""
        async with self._database.tenant(organization_id) as connection:
            existing(await queries.find_agent(connection, organization_id, agent_id))
            return await _get(connection, organization_id, agent_id, tool_id)

    async def change(
        self, organization_id: uuid.UUID, agent_id: uuid.UUID, tool_id: uuid.UUID, fields: Mapping[str, Any]
    ) -> AgentTool:
        """What is not in `fields` stays; a null `sensitive_config` deletes it."""
        known = await self.get(organization_id, agent_id, tool_id)
        sealed = await self._sealed(organization_id, known.id, fields.get(_SENSITIVE))
        async with self._database.tenant(organization_id) as connection:
            existing(await queries.find_agent(connection, organization_id, agent_id, locked=True))
            link = _with(await _get(connection, organization_id, agent_id, tool_id), fields)
            if _SENSITIVE in fields:
                link = replace(link, sensitive_config=sealed)
            await queries.update_link(connection, link)
            return await _get(connection, organization_id, agent_id, tool_id)

    async def detach(self, organization_id: uuid.UUID, agent_id: uuid.UUID, tool_id: uuid.UUID) -> None:
        """Raises AgentNotFound, and NotFound where the tool is not attached."""
        async with self._database.tenant(organization_id) as connection:
            existing(await queries.find_agent(connection, organization_id, agent_id))
            if not await queries.delete_link(connection, organization_id, agent_id, tool_id):
                raise _not_attached()

    async def _sealed(
        self, organization_id: uuid.UUID, link_id: uuid.UUID, secret: dict[str, Any] | None
    ) -> bytes | None:
        if secret is None:
            return None
        return await self._sealer.seal(organization_id, "agent_tools", link_id, _SENSITIVE, normalise(secret))


def function_names(schema: Mapping[str, Any] | None) -> list[str]:
    """The functions of a tool, by their own names."""
    return [schema["name"]] if schema else []


def _blank(link_id: uuid.UUID, agent: Agent, tool: Tool, clock: Clock) -> AgentTool:
    return AgentTool(
        id=link_id,
        organization_id=agent.organization_id,
        agent_id=agent.id,
        tool_id=tool.id,
        is_enabled=True,
        config={},
        sensitive_config=None,
        disabled_functions=(),
        created_at=clock.now(),
        tool_name=tool.name,
        tool_type=tool.type,
        function_schema=tool.function_schema,
        static_config=tool.static_config,
        called_as={},
    )


def _with(link: AgentTool, fields: Mapping[str, Any]) -> AgentTool:
    given = {name: value for name, value in fields.items() if name != _SENSITIVE and value is not None}
    changed = replace(link, **given)
    known = function_names(link.function_schema)
    for index, name in enumerate(given.get("disabled_functions", ())):
        if name not in known:
            message = f"The tool has no function {shorten(name, 64)}; it has: {', '.join(known) or 'none'}."
            raise InvalidInput(
                message, fields=[FieldProblem(f"disabled_functions.{index}", message, "unknown_function")]
            )
    return changed


async def _named_links(connection: Connection, organization_id: uuid.UUID, agent_id: uuid.UUID) -> Sequence[AgentTool]:
    """The links, each with the names by which the model calls its functions: as the release will have them."""
    links = await queries.list_links(connection, organization_id, agent_id)
    rows = [
        {
            "id": link.tool_id,
            "name": link.tool_name,
            "type": link.tool_type,
            "function_schema": link.function_schema,
            "static_config": link.static_config,
            "disabled_functions": link.disabled_functions,
        }
        for link in links
        if link.is_enabled
    ]
    called = {str(item["tool_id"]): str(item["name"]) for item in release_functions(rows)}
    return [
        replace(
            link,
            called_as={
                name: called[str(link.tool_id)]
                for name in function_names(link.function_schema)
                if str(link.tool_id) in called
            },
        )
        for link in links
    ]


async def _get(
    connection: Connection, organization_id: uuid.UUID, agent_id: uuid.UUID, tool_id: uuid.UUID
) -> AgentTool:
    for link in await _named_links(connection, organization_id, agent_id):
        if link.tool_id == tool_id:
            return link
    raise _not_attached()


async def _check_variables(connection: Connection, agent: Agent, tool: Tool) -> None:
    """A tool may use what some other agent declares; then it is of no use to this one."""
    declarations = await declarations_of(connection, agent)
    problems = declarations.problems(dict(tool.config_metadata))
    if problems:
        fields = [FieldProblem("tool_id", problem.message, problem.code) for problem in problems]
        raise InvalidInput(f"The tool uses what this agent does not have. {fields[0].message}", fields=fields)


def _not_attached() -> NotFound:
    return NotFound("The tool is not attached to this agent.", code="agent_tool_not_found")
