"""The rules of tools: made, changed and deleted; drafts; who uses them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from offhook.core.clock import Clock, SystemClock
from offhook.core.db.pool import Connection, Database
from offhook.core.declarations import Declarations
from offhook.core.errors import Conflict, NotFound
from offhook.core.http import Page
from offhook.core.ids import new_id
from offhook.organizations.variables import read_declarations
from offhook.tools import queries
from offhook.tools.models import Tool
from offhook.tools.ports import Ports
from offhook.tools.registry import Registry, registry
from offhook.tools.saving import Preview, appraise, prepare, preview


class ToolNotFound(NotFound):
    default_code = "tool_not_found"


class ToolService:
    """`ports` answer what a type asks of the world before saving."""

    def __init__(
        self, database: Database, ports: Ports, *, types: Registry | None = None, clock: Clock | None = None
    ) -> None:
        self._database = database
        self._ports = ports
        self._types = types or registry()
        self._clock = clock or SystemClock()

    async def create(
        self, organization_id: uuid.UUID, name: str, form: Mapping[str, Any], *, is_async: bool = False
    ) -> Tool:
        """`form` without a type makes a draft. Raises InvalidInput, naming the fields."""
        now = self._clock.now()
        blank = Tool(new_id(), organization_id, name, "", "", None, None, {}, {}, is_async, None, now, now)
        tool = await self._filled(blank, form)
        async with self._database.tenant(organization_id) as connection:
            return await queries.insert_tool(connection, tool)

    async def get(self, organization_id: uuid.UUID, tool_id: uuid.UUID) -> Tool:
        """Raises ToolNotFound, also for another organization's."""
        async with self._database.tenant(organization_id) as connection:
            return _existing(await queries.find_tool(connection, organization_id, tool_id))

    async def list(
        self, organization_id: uuid.UUID, page: Page, *, name: str | None = None, type_name: str | None = None
    ) -> tuple[Sequence[Tool], str | None]:
        async with self._database.tenant(organization_id) as connection:
            rows = await queries.list_tools(connection, organization_id, page, name=name, type_name=type_name)
        return page.cut(rows)

    async def change(
        self,
        organization_id: uuid.UUID,
        tool_id: uuid.UUID,
        form: Mapping[str, Any],
        *,
        name: str | None = None,
        is_async: bool | None = None,
    ) -> Tool:
        """Fields of `form` replace those of the same name, null removes one; another type begins a new form. Raises
        ToolNotFound, InvalidInput, and Conflict when somebody else changed the tool meanwhile."""
        known = await self.get(organization_id, tool_id)
        renamed = replace(
            known,
            name=known.name if name is None else name,
            is_async=known.is_async if is_async is None else is_async,
        )
        tool = await self._filled(renamed, _merged(known, form))
        async with self._database.tenant(organization_id) as connection:
            changed = await queries.update_tool(connection, tool, known.updated_at)
        if changed is None:
            raise Conflict("The tool was changed or deleted meanwhile: read it again.", code="changed_meanwhile")
        return changed

    async def delete(self, organization_id: uuid.UUID, tool_id: uuid.UUID, *, detach: bool = False) -> None:
        """Raises ToolNotFound, and Conflict `tool_in_use` with the agents that use it unless `detach`."""
        async with self._database.tenant(organization_id) as connection:
            _existing(await queries.find_tool(connection, organization_id, tool_id, locked=True))
            if detach:
                await queries.detach_everywhere(connection, organization_id, tool_id)
            else:
                await _refuse_if_used(connection, organization_id, tool_id)
            await queries.delete_tool(connection, organization_id, tool_id)

    async def preview(self, organization_id: uuid.UUID, name: str, form: Mapping[str, Any]) -> Preview:
        """What would be stored, and the type's insight. Stores nothing."""
        declarations = await self._declarations(organization_id)
        compiled, insight = preview(form, name, declarations, self._types)
        return compiled, {**insight, **await appraise(form, declarations, self._ports, organization_id, self._types)}

    async def _filled(self, tool: Tool, form: Mapping[str, Any]) -> Tool:
        """`tool` with what the form compiles to."""
        label, description = str(form.get("label") or ""), str(form.get("description") or "")
        tool = replace(tool, label=label, description=description)
        if form.get("type") is None:
            return replace(tool, type=None, function_schema=None, static_config={}, config_metadata=dict(form))
        declarations = await self._declarations(tool.organization_id)
        compiled = await prepare(
            tool.name,
            form,
            declarations,
            self._ports,
            organization_id=tool.organization_id,
            types=self._types,
        )
        return replace(
            tool,
            type=str(compiled.config_metadata["type"]),
            function_schema=compiled.function_schema,
            static_config=compiled.static_config,
            config_metadata=compiled.config_metadata,
        )

    async def _declarations(self, organization_id: uuid.UUID) -> Declarations:
        """A tool serves several agents, so it may use what any of them declares; attaching checks the one."""
        async with self._database.tenant(organization_id) as connection:
            return read_declarations(await queries.list_declared_variables(connection, organization_id))


async def _refuse_if_used(connection: Connection, organization_id: uuid.UUID, tool_id: uuid.UUID) -> None:
    agents = await queries.list_agents_using(connection, organization_id, tool_id)
    if agents:
        names = ", ".join(agent.name for agent in agents[:5])
        raise Conflict(
            f"The tool is used by {names}: detach it there, or send detach=true.",
            code="tool_in_use",
            extra={"agents": [{"id": str(agent.id), "name": agent.name} for agent in agents]},
        )


def _merged(known: Tool, form: Mapping[str, Any]) -> dict[str, Any]:
    if "type" in form and form["type"] != known.type and known.type is not None:
        kept = {key: known.config_metadata[key] for key in ("label", "description") if key in known.config_metadata}
    else:
        kept = dict(known.config_metadata)
    merged = {**kept, **form}
    return {key: value for key, value in merged.items() if value is not None}


def _existing(tool: Tool | None) -> Tool:
    if tool is None:
        raise ToolNotFound("There is no such tool.")
    return tool
