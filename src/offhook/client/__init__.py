"""The Python client of Offhook's API: one pooled session, typed answers, errors that say who must act.

async with Client("http://127.0.0.1:8710", key) as client:
    opened = await client.open_conversation(agent_id=agent_id, channel="web")
    call = await client.execute(opened.id, new_id(), function="send_link", arguments={}, ...)
"""

from offhook.client.client import Client
from offhook.client.errors import ApiError, Unreachable
from offhook.client.gateway import Function, OpenedConversation, Release, ReleaseAgent, ToolCall
from offhook.client.transport import new_id

__all__ = [
    "ApiError",
    "Client",
    "Function",
    "OpenedConversation",
    "Release",
    "ReleaseAgent",
    "ToolCall",
    "Unreachable",
    "new_id",
]
