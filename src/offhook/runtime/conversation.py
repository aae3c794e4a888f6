"""One conversation of an agent with a person, whatever carries it: the release, its functions, its LiveKit agent."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (LiveKit's own generics are left open in its signatures.)

from __future__ import annotations

import logging
from typing import Any, Final, Self

from livekit.agents import Agent, AgentSession, ConversationItemAddedEvent
from livekit.agents.llm import ChatMessage, RealtimeModel

from offhook.client import ApiError, Client, Release, Unreachable, new_id
from offhook.runtime.functions import Functions, Watcher, with_shared_functions

log = logging.getLogger("offhook.runtime")

STOP_GRACE_SECONDS: Final = 1.5
"""How long the end of a session waits for functions that still run; a worker has 3 s to stop altogether."""


class ReleaseAgent(Agent):
    """The release's agent as LiveKit runs it: greets on entering where `greets`, lets go of functions on leaving."""

    def __init__(self, release: Release, functions: Functions, *, greets: bool) -> None:
        super().__init__(instructions=release.agent.instructions, tools=list(functions.tools))
        self._functions = functions
        self._greeting = release.agent.greeting if greets else None

    async def on_enter(self) -> None:
        if self._greeting:
            speak(self.session, self._greeting)

    async def on_exit(self) -> None:
        await self._functions.stop(STOP_GRACE_SECONDS)


def speak(session: AgentSession[Any], sentence: str) -> Any:
    """Says the sentence in the session's own voice; a realtime model without a TTS is asked to say it."""
    model = session.llm
    if isinstance(model, RealtimeModel) and session.tts is None and not model.capabilities.supports_say:
        return session.generate_reply(instructions=f"Say exactly this, and nothing else: {sentence}")
    return session.say(sentence)


class Conversation:
    """Opened at the gateway; `agent()` runs it, `listen` counts the person's turns, `close` ends it."""

    def __init__(self, client: Client, conversation_id: str, release: Release, functions: Functions) -> None:
        self._client = client
        self.id = conversation_id
        self.release = release
        self.functions = functions
        self._closed = False

    @classmethod
    async def open(cls, client: Client, *, channel: str, watcher: Watcher | None = None, **known: Any) -> Self:
        """`known` as of Client.open_conversation. Raises ApiError (`agent_not_found`) or Unreachable."""
        opened = await client.open_conversation(new_id(), channel=channel, **known)
        options = {} if watcher is None else {"watcher": watcher}
        release = with_shared_functions(opened.release)
        functions = Functions(client, opened.id, release, **options)
        return cls(client, opened.id, release, functions)

    def agent(self, *, greets: bool = True) -> ReleaseAgent:
        return ReleaseAgent(self.release, self.functions, greets=greets)

    def listen(self, session: AgentSession[Any]) -> None:
        """Before the session starts. Serves its tools, and counts the person's turns: a repeat of a function within
        the same turn is the same wish, which the gateway needs to know.
        """

        self.functions.serve(session)

        def count(event: ConversationItemAddedEvent) -> None:
            if isinstance(event.item, ChatMessage) and event.item.role == "user":
                self.functions.user_turn += 1

        session.on("conversation_item_added", count)

    async def close(self, reason: str) -> None:
        """Never raises: what cannot be closed from here is closed by the API when it hears no more of it."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._client.close_conversation(self.id, reason)
        except (ApiError, Unreachable) as error:
            log.warning("a conversation could not be closed", extra={"conversation_id": self.id, "code": error.code})
