"""A call in a LiveKit room, in somebody's worker:

    call = await offhook.call(ctx)
    await call.start(AgentSession(...))

The worker needs OFFHOOK_URL and OFFHOOK_API_KEY and nothing else of Offhook's.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (LiveKit's own generics are left open in its signatures.)

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from livekit import rtc
from livekit.agents import NOT_GIVEN, Agent, AgentSession, JobContext, NotGivenOr, llm, room_io

from offhook.client import ApiError, Client, Unreachable
from offhook.core.errors import ConfigurationError
from offhook.runtime.conversation import Conversation, speak
from offhook.runtime.privacy import keep_payloads_out

log = logging.getLogger("offhook.runtime")

DEFAULT_URL: Final = "http://127.0.0.1:8710"
"""Where `offhook up` serves the API."""

PARTICIPANT_WAIT_SECONDS: Final = 15.0
"""Who calls says who answers. A room that is still empty then is opened on what the dispatch said."""

NOBODY: Final = "Sorry, nobody is set up to take this call. Please try again later. Goodbye."
OUT_OF_ORDER: Final = "Sorry, I cannot take your call right now. Please try again in a few minutes. Goodbye."


@dataclass(frozen=True, slots=True)
class Caller:
    """What a room tells about who is there: an identity, and of a phone call the numbers (E.164, where not hidden)."""

    identity: str | None = None
    channel: str = "room"
    person_number: str | None = field(default=None, repr=False)
    our_number: str | None = field(default=None, repr=False)
    carrier_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What the dispatch, else the room, says in its metadata: `{"agent_id": …, "variables": {…}}`."""

    agent_id: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict[str, Any])


def read_caller(participant: rtc.RemoteParticipant | None) -> Caller:
    if participant is None:
        return Caller()
    if participant.kind != rtc.ParticipantKind.PARTICIPANT_KIND_SIP:
        return Caller(identity=participant.identity)
    said = participant.attributes
    return Caller(
        identity=participant.identity,
        channel="phone",
        person_number=said.get("sip.phoneNumber") or None,
        our_number=said.get("sip.trunkPhoneNumber") or None,
        carrier_call_id=said.get("sip.twilio.callSid") or said.get("sip.callIDFull") or said.get("sip.callID") or None,
    )


def read_dispatch(*metadata: str | None) -> Dispatched:
    """The first that names an agent counts; what is not a JSON object is somebody else's and says nothing to us."""
    for text in metadata:
        try:
            document = json.loads(text or "null")
        except ValueError:
            continue
        if isinstance(document, dict) and isinstance(agent_id := document.get("agent_id"), str):
            variables = document.get("variables")
            return Dispatched(agent_id, cast("dict[str, Any]", variables) if isinstance(variables, dict) else {})
    return Dispatched()


async def call(ctx: JobContext, *, client: Client | None = None, environment: Mapping[str, str] = os.environ) -> Call:
    """Connects the job to its room and opens the conversation. Never raises for want of an agent or of the API:
    the call then has a `problem`, and `start` tells the caller. ConfigurationError without OFFHOOK_API_KEY.
    """
    keep_payloads_out()
    client = client or client_of(environment)
    await ctx.connect()
    caller = read_caller(await _somebody(ctx))
    dispatched = read_dispatch(ctx.job.metadata, ctx.room.metadata)
    made = Call(ctx, client, caller)
    ctx.add_shutdown_callback(made.close)
    try:
        made.conversation = await Conversation.open(
            client,
            channel=caller.channel,
            agent_id=dispatched.agent_id,
            room_name=ctx.room.name,
            room_sid=ctx.job.room.sid or None,
            participant_identity=caller.identity,
            carrier_call_id=caller.carrier_call_id,
            person_number=caller.person_number,
            our_number=caller.our_number,
            variables=dict(dispatched.variables) or None,
        )
    except ApiError as error:
        made.refuse(error.code, error.detail, NOBODY if error.code == "agent_not_found" else OUT_OF_ORDER)
    except Unreachable as error:
        made.refuse(error.code, error.detail, OUT_OF_ORDER)
    return made


def client_of(environment: Mapping[str, str]) -> Client:
    key = environment.get("OFFHOOK_API_KEY")
    if not key:
        raise ConfigurationError("OFFHOOK_API_KEY is not set: give this worker a key of scope `worker`.")
    return Client(environment.get("OFFHOOK_URL") or DEFAULT_URL, key)


async def _somebody(ctx: JobContext) -> rtc.RemoteParticipant | None:
    try:
        return await asyncio.wait_for(ctx.wait_for_participant(), PARTICIPANT_WAIT_SECONDS)
    except TimeoutError:
        return None


class Call:
    """One call. `conversation` is None where none could be opened; `problem` then says why, for the operator."""

    def __init__(self, ctx: JobContext, client: Client, caller: Caller) -> None:
        self.ctx = ctx
        self.caller = caller
        self.conversation: Conversation | None = None
        self.problem: str | None = None
        self._client = client
        self._apology = OUT_OF_ORDER
        self._closed = False

    @property
    def settings(self) -> Mapping[str, Any]:
        """The agent's own settings, for whoever chooses models by them."""
        return self.conversation.release.agent.settings if self.conversation else {}

    def refuse(self, code: str, detail: str, apology: str) -> None:
        """The caller will hear the apology; the operator reads the reason here."""
        self.problem, self._apology = f"{code}: {detail}", apology
        if code == "agent_not_found":
            log.error(
                "no agent takes this call: give the number called an agent, or name one in the dispatch",
                extra={"code": code, "job_id": self.ctx.job.id},
            )
        else:
            log.error("this call could not be taken", extra={"code": code, "job_id": self.ctx.job.id})

    async def start(
        self,
        session: AgentSession[Any],
        *,
        agent: Agent | None = None,
        room_options: NotGivenOr[room_io.RoomOptions] = NOT_GIVEN,
        **options: Any,
    ) -> None:
        """Starts the session with the release's agent, or with `agent` of one's own, which then brings its tools:
        `call.conversation.functions.tools` are the release's. Where nobody takes the call, says so and hangs up.
        """
        if self.conversation is None or self.problem is not None:
            await self._apologise(session, room_options)
            return
        self.conversation.listen(session)
        await self._run(session, agent or self.conversation.agent(), room_options, options)

    async def _run(
        self,
        session: AgentSession[Any],
        agent: Agent,
        room_options: NotGivenOr[room_io.RoomOptions],
        options: Mapping[str, Any],
    ) -> None:
        if not isinstance(room_options, room_io.RoomOptions):
            room_options = fitting(session)
        # LiveKit's own default would publish each tool call's arguments and answers to everybody in the room.
        await session.start(agent, room=self.ctx.room, room_options=room_options, session_host=False, **options)

    async def _apologise(self, session: AgentSession[Any], room_options: NotGivenOr[room_io.RoomOptions]) -> None:
        await self._run(session, Agent(instructions=""), room_options, {})
        await speak(session, self._apology)
        if self.caller.channel == "phone":
            await self.ctx.delete_room()
        self.ctx.shutdown(reason="nobody took the call")

    async def close(self, reason: str = "ended") -> None:
        """At the job's end this happens by itself."""
        if self._closed:
            return
        self._closed = True
        if self.conversation is not None:
            await self.conversation.close(reason)
        await self._client.aclose()


def fitting(session: AgentSession[Any]) -> room_io.RoomOptions:
    """Without ears or a voice of its own the session hears `lk.chat` and answers on `lk.transcription`."""
    realtime = isinstance(session.llm, llm.RealtimeModel)
    return room_io.RoomOptions(
        audio_input=realtime or session.stt is not None,
        audio_output=realtime or session.tts is not None,
    )
