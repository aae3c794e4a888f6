"""The gateway in this process, wired as `offhook api` wires it, with callers who are all on the phone."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.side import Side
from offhook.agents.attachments import AttachmentService
from offhook.agents.service import AgentService
from offhook.apps.wiring import Services, make_services
from offhook.conversations.schemas import OpenConversation
from offhook.conversations.service import Conversations, OpenConversationState
from offhook.core.db.pool import Database
from offhook.core.ids import new_id
from offhook.core.settings import Settings
from offhook.secrets import KeyRing
from offhook.tools.service import ToolService

CALLER = "+12025550140"


@dataclass(frozen=True, slots=True)
class Gateway:
    services: Services
    conversations: Sequence[OpenConversationState]

    async def call(self, number: int) -> None:
        """The agent of a conversation calls its one tool, for the first time."""
        state = self.conversations[number]
        [function] = state.loaded.functions.values()
        result = await self.services.road.run(
            state.context, function, tool_call_id=uuid.uuid4(), arguments={}, user_turn=1
        )
        assert result.status == "done", result.answer


@asynccontextmanager
async def running_gateway(side: Side, form: Mapping[str, Any], conversations: int) -> AsyncGenerator[Gateway]:
    """`form`: the tool; each conversation comes in over another of the organization's numbers."""
    ring = KeyRing.parse(side.environment["OFFHOOK_MASTER_KEYS"], side.environment["OFFHOOK_KEY_PEPPER"])
    database = Database(side.dsn, application_name="offhook-benchmarks")
    await database.open()
    services = make_services(Settings.from_environment(side.environment), database, ring)
    try:
        organization_id, clock = side.organization_id, services.clock
        agent = await AgentService(database, clock=clock).create(organization_id, {"name": "Workshop desk"})
        tool = await ToolService(database, services.ports, clock=clock).create(organization_id, "Send link", form)
        attachments = AttachmentService(database, services.sealer, clock=clock)
        await attachments.attach(organization_id, agent.id, tool.id, {})
        opening = Conversations(database, clock)
        opened = [
            await opening.open(
                organization_id,
                OpenConversation(
                    id=new_id(),
                    agent_id=agent.id,
                    channel="phone",
                    person_number=CALLER,
                    our_number=side.senders[number % len(side.senders)],
                ),
            )
            for number in range(conversations)
        ]
        yield Gateway(services, opened)
        await services.drain()
    finally:
        await services.telephony.close()
        await database.close()
