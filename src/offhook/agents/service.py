"""The rules of agents."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from offhook.agents import queries
from offhook.agents.models import Agent
from offhook.agents.routing import AgentNotFound
from offhook.core.clock import Clock, SystemClock
from offhook.core.db.pool import Connection, Database
from offhook.core.declarations import Declarations
from offhook.core.errors import FieldProblem, InvalidInput
from offhook.core.http import Page
from offhook.core.ids import new_id
from offhook.organizations import queries as organization_queries
from offhook.organizations.service import VARIABLES
from offhook.organizations.variables import check_variables, read_declarations

TIME_ZONE: Final = "time_zone"
_TEMPLATES: Final = ("instructions", "greeting")


class AgentService:
    def __init__(self, database: Database, *, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()

    async def create(self, organization_id: uuid.UUID, fields: Mapping[str, Any]) -> Agent:
        """`fields`: name, and any of instructions, greeting, settings, variables. Raises InvalidInput."""
        now = self._clock.now()
        blank = Agent(new_id(), organization_id, "", "", "", {}, [], now, now)
        async with self._database.tenant(organization_id) as connection:
            agent = await _changed(connection, blank, fields)
            return await queries.insert_agent(connection, agent)

    async def get(self, organization_id: uuid.UUID, agent_id: uuid.UUID) -> Agent:
        """Raises AgentNotFound, also for another organization's."""
        async with self._database.tenant(organization_id) as connection:
            return existing(await queries.find_agent(connection, organization_id, agent_id))

    async def list(
        self, organization_id: uuid.UUID, page: Page, *, name: str | None = None
    ) -> tuple[Sequence[Agent], str | None]:
        async with self._database.tenant(organization_id) as connection:
            return page.cut(await queries.list_agents(connection, organization_id, page, name=name))

    async def change(self, organization_id: uuid.UUID, agent_id: uuid.UUID, fields: Mapping[str, Any]) -> Agent:
        """What is not in `fields` stays; keys of `settings` replace those of the same name, null removes one."""
        async with self._database.tenant(organization_id) as connection:
            known = existing(await queries.find_agent(connection, organization_id, agent_id, locked=True))
            return await queries.update_agent(connection, await _changed(connection, known, fields))

    async def delete(self, organization_id: uuid.UUID, agent_id: uuid.UUID) -> None:
        """Its links to tools and its conversations go with it. Raises AgentNotFound."""
        async with self._database.tenant(organization_id) as connection:
            if not await queries.delete_agent(connection, organization_id, agent_id):
                raise AgentNotFound("There is no such agent.")


def existing(agent: Agent | None) -> Agent:
    if agent is None:
        raise AgentNotFound("There is no such agent.")
    return agent


async def declarations_of(connection: Connection, agent: Agent) -> Declarations:
    """The variables that this agent's texts and tools may use."""
    organization = await organization_queries.find_organization(connection, agent.organization_id)
    declared = organization.settings.get(VARIABLES, ()) if organization is not None else ()
    return read_declarations([*declared, *agent.variables])


async def _changed(connection: Connection, agent: Agent, fields: Mapping[str, Any]) -> Agent:
    given = {name: value for name, value in fields.items() if value is not None}
    if "variables" in given:
        given["variables"] = check_variables(given["variables"])
    if "settings" in given:
        merged = {**agent.settings, **given["settings"]}
        given["settings"] = {key: value for key, value in merged.items() if value is not None}
    agent = replace(agent, **given)
    problems = [*_setting_problems(agent), *_template_problems(agent, await declarations_of(connection, agent))]
    if problems:
        raise InvalidInput(f"{problems[0].path}: {problems[0].message}", fields=problems)
    return agent


def _setting_problems(agent: Agent) -> Iterator[FieldProblem]:
    zone = agent.settings.get(TIME_ZONE)
    if zone is not None and not _is_zone(zone):
        yield FieldProblem(f"settings.{TIME_ZONE}", "Must be an IANA time zone, such as Europe/Berlin.", "unknown_zone")


def _is_zone(name: object) -> bool:
    if not isinstance(name, str):
        return False
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # unknown; no relative path below the data; a directory of it
        return False
    return True


def _template_problems(agent: Agent, declarations: Declarations) -> Iterator[FieldProblem]:
    for name in _TEMPLATES:
        for problem in declarations.problems(getattr(agent, name)):
            yield FieldProblem(name, problem.message, problem.code)
