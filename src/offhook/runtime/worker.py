"""The LiveKit worker of the agent process: one agent name, any organization's agent, a job process per call.

What a job needs reaches it through the environment: OFFHOOK_URL, OFFHOOK_API_KEY and the models' keys.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (LiveKit's own generics are left open in its signatures.)

from __future__ import annotations

import math
import os
from typing import Any, Final

from livekit.agents import AgentServer, AgentSession, CloseEvent, JobContext, JobProcess, JobRequest

from offhook.core.errors import ConfigurationError
from offhook.runtime import call as calls
from offhook.runtime import rehearsal
from offhook.runtime.models import Models, choose, default_plugin
from offhook.runtime.privacy import keep_payloads_out

DEFAULT_AGENT_NAME: Final = "offhook"
DEFAULT_MAX_CALLS: Final = 20
"""LiveKit plans 10 to 25 voice calls for a worker of four cores."""

JOB_STOP_SECONDS: Final = 1.5
"""After this a job process that does not end is killed, so that the agent process stops within 3 s."""

UNREGISTERED: Final = "unregistered"
"""A worker's id before LiveKit's server has given it one."""

MODEL_ATTRIBUTE: Final = "offhook.model"
"""Of the agent's participant: everybody in the room can see what speaks, also that it is only rehearsing."""


async def take_call(ctx: JobContext) -> None:
    """One job: a room with somebody in it, from the first word to the last."""
    call = await calls.call(ctx)
    models = _models(call)
    session = _session(models)

    def ended(_: CloseEvent) -> None:
        ctx.shutdown(reason="the session ended")

    session.on("close", ended)
    await call.start(session)
    await ctx.room.local_participant.set_attributes({MODEL_ATTRIBUTE: models.label})


def _models(call: calls.Call) -> Models:
    """Settings that name what this worker does not have become the call's problem: the caller hears an apology."""
    try:
        return choose(call.settings, os.environ)
    except ConfigurationError as error:
        call.refuse(error.code, error.detail, calls.OUT_OF_ORDER)
        return Models(llm=rehearsal.RehearsalLLM(), label=rehearsal.LABEL)


def _session(models: Models) -> AgentSession[Any]:
    if models.stt is None:
        return AgentSession(llm=models.llm, tts=models.tts, vad=None, turn_handling={"turn_detection": None})
    return AgentSession(llm=models.llm, stt=models.stt, tts=models.tts)


def prepare(_: JobProcess) -> None:
    keep_payloads_out()


class Worker(AgentServer):
    """LiveKit's worker, which also tells whether calls reach it."""

    @property
    def registered(self) -> bool:
        """Whether LiveKit's server knows it now. LiveKit tells of a registration by an event, and of none lost."""
        return self.id != UNREGISTERED and not self._connecting and not self._connection_failed


def build_server(
    *,
    url: str,
    api_key: str,
    api_secret: str,
    agent_name: str = DEFAULT_AGENT_NAME,
    max_calls: int = DEFAULT_MAX_CALLS,
    idle_processes: int = 1,
) -> Worker:
    """Not running yet. Calls make its load, not the processor: what else runs on a machine shall refuse no caller."""
    # The models for speech that LiveKit would load into each process cost 240 MB (facts/livekit.md, section 4);
    # a session that listens loads them itself.
    os.environ.setdefault("LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE", "0")
    keep_payloads_out()
    plugin = default_plugin(os.environ)
    plugins = [] if plugin == rehearsal.MODEL else [f"livekit.plugins.{plugin}"]

    def load(server: AgentServer) -> float:
        return min(len(server.active_jobs) / max_calls, 1.0)

    async def admit(request: JobRequest) -> None:
        await (request.reject() if load(server) >= 1.0 else request.accept())

    server = Worker(
        ws_url=url,
        api_key=api_key,
        api_secret=api_secret,
        host="127.0.0.1",
        port=0,
        setup_fnc=prepare,
        load_fnc=load,
        # A finite threshold counts a call that is just starting as if it filled the worker, and refuses the next.
        load_threshold=math.inf,
        num_idle_processes=idle_processes,
        shutdown_process_timeout=JOB_STOP_SECONDS,
        preload_modules=["offhook.runtime.worker", *plugins],
    )
    server.rtc_session(take_call, agent_name=agent_name, on_request=admit)
    return server
