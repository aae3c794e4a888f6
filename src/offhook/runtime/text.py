"""A conversation in text, with no room and no job: the playground, an SMS thread, a carrier's relay.

The same release and the same functions as on a call. VAD and turn detection are off: they would load models that
text never uses, 243 MiB per process (facts/performance.md).
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# (LiveKit's own generics are left open in its signatures.)

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from livekit.agents import AgentSession, ErrorEvent
from livekit.agents.voice import SpeechHandle
from livekit.agents.voice.io import TextOutput

from offhook.client import Client
from offhook.runtime.conversation import Conversation
from offhook.runtime.functions import FunctionEvent
from offhook.runtime.models import Models, choose
from offhook.runtime.privacy import keep_payloads_out


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of what the agent says; the one with `last` ends what it says in this turn, and may be empty."""

    text: str
    last: bool = False


@dataclass(frozen=True, slots=True)
class TurnEnded:
    pass


@dataclass(frozen=True, slots=True)
class Failed:
    """The agent could not answer in this turn; `detail` is for whoever operates it."""

    code: str
    detail: str


TextEvent = Text | TurnEnded | Failed | FunctionEvent
Sink = Callable[[TextEvent], Awaitable[None]]


class _Deltas(TextOutput):
    """Hands each piece on as the model gives it. `flush` ends a segment, which is not a turn: before a tool call
    there is one too, so the end of a turn is told by its speech handle instead."""

    def __init__(self, sink: Sink) -> None:
        super().__init__(label="offhook", next_in_chain=None)
        self._sink = sink

    async def capture_text(self, text: str) -> None:
        if text:
            await self._sink(Text(text))

    def flush(self) -> None:
        return None


class TextConversation:
    """`open`, `greet`, `hear` once per prompt, `close`. One turn at a time; `interrupt` ends one early."""

    def __init__(self, conversation: Conversation, models: Models, sink: Sink) -> None:
        self.conversation = conversation
        self.models = models
        self._sink = sink
        self._session: AgentSession[Any] = AgentSession(
            llm=models.llm, vad=None, turn_handling={"turn_detection": None}, user_away_timeout=None
        )
        self._session.output.transcription = _Deltas(sink)
        self._failure: Failed | None = None
        self._session.on("error", self._note)
        conversation.listen(self._session)

    @classmethod
    async def open(
        cls, client: Client, *, sink: Sink, environment: Mapping[str, str], channel: str = "web", **known: Any
    ) -> Self:
        """`known` as of Client.open_conversation. Raises ApiError, Unreachable or ConfigurationError."""
        keep_payloads_out()
        conversation = await Conversation.open(client, channel=channel, watcher=sink, **known)
        try:
            opened = cls(conversation, choose(conversation.release.agent.settings, environment), sink)
            await opened._session.start(conversation.agent(greets=False))
        except BaseException:
            await conversation.close("failed")
            raise
        return opened

    async def greet(self) -> None:
        greeting = self.conversation.release.agent.greeting
        if greeting:
            await self._turn(self._session.say(greeting))

    async def hear(self, text: str) -> None:
        """The person's words; returns when the agent has said and done what it wanted to."""
        await self._turn(self._session.generate_reply(user_input=text, input_modality="text"))

    def interrupt(self) -> None:
        """Ends what the agent says. Not while a function runs: LiveKit would then never speak of its result."""
        if not self.conversation.functions.busy:
            self._session.interrupt()

    async def close(self, reason: str) -> None:
        try:
            await self._session.aclose()
        finally:
            await self.conversation.close(reason)
            # A session leaves its models to whoever made them; a plugin's hold connections.
            await self.models.llm.aclose()

    def _note(self, event: ErrorEvent) -> None:
        # The model's own words about its failure may repeat what was said to it, so only its kind is told.
        error = getattr(event.error, "error", event.error)
        if not getattr(event.error, "recoverable", False):
            detail = f"The model ({self.models.label}) gave no answer: {type(error).__name__}."
            self._failure = Failed("model_failed", detail)

    async def _turn(self, speech: SpeechHandle) -> None:
        await speech
        failure, self._failure = self._failure, None
        if failure is not None:
            await self._sink(failure)
        await self._sink(Text("", last=True))
        await self._sink(TurnEnded())
