"""A release's functions as LiveKit tools: the model calls, the gateway executes, the model gets JSON or a sentence.

Raw-schema tools: LiveKit passes the schema through untouched and builds no pydantic model per call. It does not
validate them either; the gateway does, once, with everything else that decides whether a call may proceed.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (LiveKit's own generics are left open in its signatures.)

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

from livekit.agents import AgentSession, RunContext, ToolError, function_tool
from livekit.agents.llm import RawFunctionTool

from offhook.client import ApiError, Client, Function, Release, ToolCall, Unreachable, new_id

log = logging.getLogger("offhook.runtime")

GATEWAY_GRACE_SECONDS: Final = 4.0
"""On top of a function's own timeout: the gateway answers within that one, and if it is killed meanwhile, it needs
a second or two to be back and repeat its answer."""

REFUSED: Final = "This could not be done: the service refused the request. Nothing was done. Do not try it again."
NOT_REACHED: Final = "This could not be done: the service that does it cannot be reached. Nothing was done."
NO_ANSWER: Final = "The service did not answer in time, so there is no result. It can be tried once more."
UNKNOWN: Final = (
    "The service did not answer in time, so it is unknown whether this was done. "
    "Do not say that it was done or that it was not, and do not do it again on your own."
)
CONVERSATION_OVER: Final = "The conversation is ending, so this was not waited for."


@dataclass(frozen=True, slots=True)
class CallStarted:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    id: str
    name: str
    duration_ms: float
    is_error: bool


Tool = RawFunctionTool[Any, Any]
FunctionEvent = CallStarted | CallEnded
Watcher = Callable[[FunctionEvent], Awaitable[None]]


async def _unwatched(_: FunctionEvent) -> None:
    return None


class Functions:
    """The functions of one conversation. `user_turn` is counted by whoever listens to the person."""

    def __init__(
        self,
        client: Client,
        conversation_id: str,
        release: Release,
        *,
        watcher: Watcher = _unwatched,
    ) -> None:
        self._client = client
        self._conversation_id = conversation_id
        self._watcher = watcher
        self._running: set[asyncio.Task[ToolCall]] = set()
        self._stopped = False
        self.user_turn = 0
        self.tools = _shared(release).tools

    @property
    def busy(self) -> bool:
        return bool(self._running)

    def serve(self, session: AgentSession[Any]) -> None:
        """From now on the release's tools, called in this session, are this conversation's."""
        _SERVED[session] = self

    async def stop(self, grace_seconds: float) -> None:
        """Lets what runs end within the grace, then lets go of it, so that a hung tool holds no session open.

        The gateway finishes what it began; only its answer is no longer waited for.
        """
        if self._running:
            await asyncio.wait(self._running, timeout=grace_seconds)
        self._stopped = True
        for task in self._running:
            task.cancel()

    async def call(self, function: Function, arguments: Mapping[str, Any]) -> str:
        if self._stopped:
            raise ToolError(CONVERSATION_OVER)
        call_id, began, failed = new_id(), time.monotonic(), True
        await self._watcher(CallStarted(call_id, function.name))
        try:
            answer = _answer(await self._execute(function, call_id, arguments))
            failed = False
            return answer
        finally:
            duration_ms = (time.monotonic() - began) * 1000
            await self._watcher(CallEnded(call_id, function.name, duration_ms, failed))

    async def _execute(self, function: Function, call_id: str, arguments: Mapping[str, Any]) -> ToolCall:
        request = self._client.execute(
            self._conversation_id,
            call_id,
            function=function.name,
            arguments=arguments,
            user_turn=self.user_turn,
            deadline_seconds=function.timeout_seconds + GATEWAY_GRACE_SECONDS,
        )
        task = asyncio.ensure_future(request)
        self._running.add(task)
        try:
            return await task
        except ApiError as error:
            log.warning(
                "the gateway refused a tool call",
                extra={"tool_call_id": call_id, "code": error.code, "request_id": error.request_id},
            )
            raise ToolError(REFUSED if error.http_status < 500 else _unanswered(function)) from None
        except Unreachable as error:
            log.warning("the gateway did not answer a tool call", extra={"tool_call_id": call_id, "code": error.code})
            raise ToolError(_unanswered(function) if error.maybe_received else NOT_REACHED) from None
        except asyncio.CancelledError:
            if not self._stopped:
                raise
            raise ToolError(f"{CONVERSATION_OVER} {_unanswered(function)}") from None
        finally:
            self._running.discard(task)


_SERVED: Final[WeakKeyDictionary[AgentSession[Any], Functions]] = WeakKeyDictionary()
"""Whose functions a tool calls: tools are shared by all conversations on a release, sessions are not."""

_KEPT_RELEASES: Final = 64


@dataclass(frozen=True, slots=True)
class _Shared:
    functions: tuple[Function, ...]
    tools: tuple[Tool, ...]


_BUILT: Final[OrderedDict[tuple[str, str], _Shared]] = OrderedDict()


def with_shared_functions(release: Release) -> Release:
    """The release with the functions of the first conversation on it, so that this one's own can be let go."""
    return replace(release, functions=_shared(release).functions)


def _shared(release: Release) -> _Shared:
    """Built once per release and kept for the last few: a hundred functions are a third of a megabyte."""
    key = (release.id, release.digest)
    shared = _BUILT.get(key)
    if shared is None:
        tools = tuple(_tool(one) for one in release.functions if one.runs_in == "gateway")
        shared = _BUILT[key] = _Shared(release.functions, tools)
        if len(_BUILT) > _KEPT_RELEASES:
            _BUILT.popitem(last=False)
    _BUILT.move_to_end(key)
    return shared


def _tool(function: Function) -> Tool:
    # LiveKit finds the parameters by their annotations, and the arguments by this name.
    async def handler(raw_arguments: dict[str, object], ctx: RunContext[Any]) -> str:
        functions = _SERVED.get(ctx.session)
        if functions is None:
            raise ToolError(REFUSED)
        return await functions.call(function, raw_arguments)

    schema = {"name": function.name, "description": function.description, "parameters": function.parameters}
    return function_tool(handler, raw_schema=cast("Any", schema))


def _unanswered(function: Function) -> str:
    return NO_ANSWER if function.repeatable == "yes" else UNKNOWN


def _answer(call: ToolCall) -> str:
    """JSON for the model: LiveKit would write Python's repr of anything but a string, and nothing for None."""
    if not call.is_error:
        return json.dumps(call.answer, ensure_ascii=False)
    said = call.answer.get("error") if isinstance(call.answer, dict) else None
    raise ToolError(str(said or UNKNOWN))
