"""The verbs of the API. What has no method yet is reached through `request`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Self

import aiohttp

from offhook.client.gateway import OpenedConversation, ToolCall, read_opened, read_tool_call
from offhook.client.transport import DEFAULT_TIMEOUT_SECONDS, Transport, new_id

OPEN_DEADLINE_SECONDS: Final = 8.0
"""A caller waits in silence while the conversation opens; past this it is better to say that something is wrong."""
CLOSE_DEADLINE_SECONDS: Final = 4.0
"""A job process gets little time to end; the API closes what nobody closed."""

Document = dict[str, Any]


class Client:
    """Safe for concurrent use within one event loop. Every method raises ApiError or Unreachable.

    Clients with different keys may share a `connector`, which then is not closed with them.
    """

    def __init__(self, url: str, api_key: str, *, connector: aiohttp.TCPConnector | None = None) -> None:
        self._transport = Transport(url, api_key, connector)

    @property
    def url(self) -> str:
        return self._transport.url

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        query: Mapping[str, str | int | None] | None = None,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> Any:
        """One request to `path` (`/api/…`), once. The decoded JSON, or None for an empty answer."""
        asked = {name: str(value) for name, value in (query or {}).items() if value is not None}
        return await self._transport.send(method, path, body=json, query=asked, timeout_seconds=timeout_seconds)

    # The gateway: what a running agent needs.

    async def open_conversation(self, conversation_id: str, *, channel: str, **known: Any) -> OpenedConversation:
        """Opens it, or gives the same again. `known`: agent_id, room_name, room_sid, participant_identity,
        carrier_call_id, person_number, our_number (E.164), variables. ApiError `agent_not_found` where none answers.
        """
        body = {"id": conversation_id, "channel": channel} | {k: v for k, v in known.items() if v is not None}
        document = await self._transport.send_until(
            "POST", "/api/conversations", body=body, deadline_seconds=OPEN_DEADLINE_SECONDS
        )
        return read_opened(document)

    async def execute(
        self,
        conversation_id: str,
        tool_call_id: str,
        *,
        function: str,
        arguments: Mapping[str, Any] | None,
        user_turn: int,
        deadline_seconds: float,
    ) -> ToolCall:
        """Runs a function once, however often it is asked under the same `tool_call_id`."""
        body = {"id": tool_call_id, "function": function, "arguments": arguments, "user_turn": user_turn}
        document = await self._transport.send_until(
            "POST",
            f"/api/conversations/{conversation_id}/tool-calls",
            body=body,
            deadline_seconds=deadline_seconds,
        )
        return read_tool_call(document)

    async def close_conversation(self, conversation_id: str, reason: str) -> None:
        await self._transport.send_until(
            "POST",
            f"/api/conversations/{conversation_id}/close",
            body={"reason": reason},
            deadline_seconds=CLOSE_DEADLINE_SECONDS,
        )

    # What the command line and programs ask. Lists come as the API's page: {"…": [...], "next_cursor": …}.

    async def list_agents(self, **filters: str | int | None) -> Document:
        return await self.request("GET", "/api/agents", query=filters)

    async def get_agent(self, agent_id: str) -> Document:
        return (await self.request("GET", f"/api/agents/{agent_id}"))["agent"]

    async def create_agent(self, **fields: Any) -> Document:
        return (await self.request("POST", "/api/agents", json=fields))["agent"]

    async def list_tools(self, **filters: str | int | None) -> Document:
        return await self.request("GET", "/api/tools", query=filters)

    async def get_tool(self, tool_id: str) -> Document:
        return (await self.request("GET", f"/api/tools/{tool_id}"))["tool"]

    async def create_tool(self, **fields: Any) -> Document:
        return (await self.request("POST", "/api/tools", json=fields))["tool"]

    async def attach_tool(self, agent_id: str, tool_id: str, **fields: Any) -> Document:
        document = {"tool_id": tool_id} | fields
        return (await self.request("POST", f"/api/agents/{agent_id}/tools", json=document))["agent_tool"]

    async def list_messages(self, **filters: str | int | None) -> Document:
        return await self.request("GET", "/api/messages", query=filters)

    async def get_message(self, message_id: str) -> Document:
        return (await self.request("GET", f"/api/messages/{message_id}"))["message"]

    async def place_message(
        self,
        to: str,
        body: str = "",
        *,
        from_number: str | None = None,
        idempotency_key: str | None = None,
        deadline_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        **options: Any,
    ) -> Document:
        """Places a text once, however often it is asked under the same key; without one, a key is made for this call.

        `options` as the API names them: messaging_service_id, media, priority, validity_seconds, recipient_time_zone,
        smart_encoding, strip_markdown, split, operation_id, conversation_id. Answers {"message": …}, with `messages`
        for a text to be split and `wording` where words were changed.
        """
        return await self._transport.send_until(
            "POST",
            "/api/messages",
            body=_text(to, body, from_number, options),
            deadline_seconds=deadline_seconds,
            idempotency_key=idempotency_key or new_id(),
        )

    async def estimate_message(
        self, to: str, body: str = "", *, from_number: str | None = None, **options: Any
    ) -> Document:
        """What a text would become, and cost. Takes what `place_message` takes, and places nothing."""
        text = _text(to, body, from_number, options)
        return (await self.request("POST", "/api/messages/estimate", json=text))["estimate"]

    async def cancel_message(self, message_id: str) -> Document:
        return (await self.request("POST", f"/api/messages/{message_id}/cancel"))["message"]

    async def redact_message(self, message_id: str) -> Document:
        return (await self.request("POST", f"/api/messages/{message_id}/redact"))["message"]

    async def upload_medium(
        self, data: bytes, *, content_type: str, filename: str | None = None, timeout_seconds: float = 60.0
    ) -> Document:
        """A file that texts can carry: `place_message(…, media=[{"media_id": medium["id"]}])`."""
        query = {"filename": filename} if filename is not None else None
        sent = await self._transport.send(
            "POST", "/api/media", body=data, query=query, content_type=content_type, timeout_seconds=timeout_seconds
        )
        return sent["medium"]

    async def list_conversations(self, **filters: str | int | None) -> Document:
        return await self.request("GET", "/api/conversations", query=filters)

    async def get_conversation(self, conversation_id: str) -> Document:
        return (await self.request("GET", f"/api/conversations/{conversation_id}"))["conversation"]


def _text(to: str, body: str, from_number: str | None, options: Mapping[str, Any]) -> Document:
    sender = {} if from_number is None else {"from": from_number}
    return {"to": to, "body": body, **sender, **options}
