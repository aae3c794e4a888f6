"""What this package brings to the application."""

from __future__ import annotations

from offhook.conversations import agent_config, gateway, rooms, texting
from offhook.conversations.agent_config import AgentConfigs
from offhook.conversations.endpoints import router
from offhook.conversations.reading import ConversationReader
from offhook.conversations.rooms import Rooms
from offhook.conversations.service import Conversations
from offhook.conversations.texting import Texting
from offhook.core.http import Part
from offhook.tools.execution import Road


def conversations_part(
    conversations: Conversations,
    reader: ConversationReader,
    road: Road,
    texting_service: Texting,
    room_service: Rooms,
    configs: AgentConfigs,
) -> Part:
    return Part(
        services=(conversations, reader, road, texting_service, room_service, configs),
        routers=(router,),
        routes=(*gateway.ROUTES, *texting.ROUTES, *rooms.ROUTES, *agent_config.ROUTES),
    )
