"""The rules of the catalogue: organizations read everybody's entries and write their own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from offhook.core.clock import Clock, SystemClock
from offhook.core.db.pool import Database
from offhook.core.errors import Conflict, FieldProblem, Forbidden, InvalidInput, NotFound
from offhook.core.http import Page
from offhook.core.ids import new_id
from offhook.core.schema import check_schema
from offhook.tools.platform import queries
from offhook.tools.platform.models import PlatformTool

DATABASE = "database"


class PlatformToolService:
    def __init__(self, database: Database, *, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()

    async def create(self, organization_id: uuid.UUID, name: str, fields: Mapping[str, Any]) -> PlatformTool:
        """An entry of source `database`. Raises InvalidInput for a schema that is none, Conflict for a name taken."""
        now = self._clock.now()
        entry = PlatformTool(
            id=new_id(),
            organization_id=organization_id,
            name=name,
            source=DATABASE,
            retired_at=None,
            created_at=now,
            updated_at=now,
            **fields,
        )
        _check(entry)
        async with self._database.tenant(organization_id) as connection:
            made = await queries.insert_platform_tool(connection, entry)
        if made is None:
            raise Conflict(f"There is a platform tool named {name} already.", code="name_taken")
        return made

    async def get(self, organization_id: uuid.UUID, entry_id: uuid.UUID) -> PlatformTool:
        """Raises NotFound, also for another organization's."""
        async with self._database.tenant(organization_id) as connection:
            return _existing(await queries.find_platform_tool(connection, organization_id, entry_id))

    async def list(
        self, organization_id: uuid.UUID, page: Page, *, name: str | None = None, source: str | None = None
    ) -> tuple[Sequence[PlatformTool], str | None]:
        async with self._database.tenant(organization_id) as connection:
            rows = await queries.list_platform_tools(connection, organization_id, page, name=name, source=source)
        return page.cut(rows)

    async def change(self, organization_id: uuid.UUID, entry_id: uuid.UUID, fields: Mapping[str, Any]) -> PlatformTool:
        """Raises NotFound, Forbidden for entries that are everybody's or come from code, and InvalidInput."""
        entry = replace(_own(await self.get(organization_id, entry_id)), **fields)
        _check(entry)
        async with self._database.tenant(organization_id) as connection:
            return _existing(await queries.update_platform_tool(connection, entry))

    async def delete(self, organization_id: uuid.UUID, entry_id: uuid.UUID) -> None:
        """Raises NotFound, Forbidden, and Conflict `platform_tool_in_use` with the tools that use it."""
        _own(await self.get(organization_id, entry_id))
        async with self._database.tenant(organization_id) as connection:
            _existing(await queries.find_platform_tool(connection, organization_id, entry_id, locked=True))
            tools = await queries.list_tools_using(connection, organization_id, entry_id)
            if tools:
                raise Conflict(
                    f"The platform tool is used by {', '.join(name for _, name in tools[:5])}: delete those first.",
                    code="platform_tool_in_use",
                    extra={"tools": [{"id": str(identity), "name": name} for identity, name in tools]},
                )
            await queries.delete_platform_tool(connection, organization_id, entry_id)


def _check(entry: PlatformTool) -> None:
    problems = list(_problems(entry))
    if problems:
        first = problems[0]
        raise InvalidInput(f"{first.path}: {first.message}", fields=problems)


def _problems(entry: PlatformTool) -> Iterator[FieldProblem]:
    if entry.config_schema:
        yield from _schema_problems("config_schema", entry.config_schema)
    seen: set[str] = set()
    for index, function in enumerate(entry.tool_functions_schema["functions"]):
        path = f"tool_functions_schema.functions.{index}"
        if function["name"] in seen:
            yield FieldProblem(f"{path}.name", "Two functions have this name.", "duplicate")
        seen.add(function["name"])
        yield from _schema_problems(f"{path}.parameters", function["parameters"])


def _schema_problems(path: str, schema: Mapping[str, Any]) -> Iterator[FieldProblem]:
    for problem in check_schema(dict(schema)):
        inner = f"{path}.{problem.path}" if problem.path else path
        yield FieldProblem(inner, problem.message, "invalid_schema")


def _own(entry: PlatformTool) -> PlatformTool:
    if entry.organization_id is None or entry.source != DATABASE:
        raise Forbidden("Only the operator of this deployment changes this entry.", code="not_your_entry")
    return entry


def _existing(entry: PlatformTool | None) -> PlatformTool:
    if entry is None:
        raise NotFound("There is no such platform tool.", code="platform_tool_not_found")
    return entry
