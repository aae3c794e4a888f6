"""The one road that every tool call takes.

validate → fixed values and variables → plan → guards → write down the intent → execute within the deadline →
write down the outcome → answer. Every call that names a known function leaves a row, also one that is refused.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, cast

from offhook.core.clock import Clock
from offhook.core.errors import Effect, OffhookError, ToolError
from offhook.core.jsonvalue import JSON, normalise
from offhook.core.redaction import redact_text
from offhook.core.telemetry import get_logger
from offhook.core.variables import Value
from offhook.tools.arguments import read_arguments
from offhook.tools.calls import Call, Plan
from offhook.tools.compile import AGAIN
from offhook.tools.failures import NOT_CLAIMED, broke, cut_off, error_type, refused_by_port, too_late
from offhook.tools.functions import BoundFunction
from offhook.tools.guards import Guard, Wish, standard_guards
from offhook.tools.ports import Begun, ConversationContext, Ledger, Ports, Tallies, ToolCallRow
from offhook.tools.registry import Registry, registry
from offhook.tools.results import Answer, ToolCallResult, capped
from offhook.tools.tool_type import ToolType

_log = get_logger(__name__)

POLL_SECONDS: Final = 0.1
"""How often a call looks for the outcome of its twin in another process."""

MAX_DETAIL: Final = 500
"""Characters of an operator's reason."""

ALREADY_DONE: Final = (
    "This was already done and was not done again; what follows is the answer of the first time. If the person, "
    f"knowing that, asks for it again, call the function with {AGAIN} set to true."
)
ALREADY_TRIED: Final = "This was already tried and was not tried again. "
STILL_RUNNING: Final = "The same thing was asked for a moment ago and is still under way. Do not ask for it again yet. "


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A tool call as it came in."""

    context: ConversationContext
    function: BoundFunction
    tool_type: ToolType
    tool_call_id: uuid.UUID
    arguments: object = field(repr=False)
    user_turn: int
    started: float

    @property
    def deadline(self) -> float:
        return self.started + self.function.policy.timeout_seconds

    @property
    def has_effect(self) -> bool:
        return self.function.policy.repeatable != "yes"


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A call that is understood, or why it is refused; `key` makes equal calls equal."""

    key: bytes
    again: bool
    wish: Wish | None
    refusal: ToolError | None


@dataclass(frozen=True, slots=True)
class _Outcome:
    status: str
    effect: Effect
    answer: Mapping[str, JSON] = field(repr=False)
    error_code: str | None
    error_detail: str | None
    stored_values: Mapping[str, Value]


class Road:
    """Executes tool calls. One per process; it holds no state that another process would miss."""

    def __init__(
        self,
        ports: Ports,
        ledger: Ledger,
        clock: Clock,
        tallies: Tallies,
        *,
        types: Registry | None = None,
        guards: Sequence[Guard] | None = None,
    ) -> None:
        self._ports = ports
        self._ledger = ledger
        self._clock = clock
        self._tallies = tallies
        self._types = types or registry()
        self._guards = standard_guards(ports.consent, tallies) if guards is None else guards
        self._running: dict[tuple[uuid.UUID, uuid.UUID, uuid.UUID], asyncio.Task[ToolCallResult]] = {}

    async def run(
        self,
        context: ConversationContext,
        function: BoundFunction,
        *,
        tool_call_id: uuid.UUID,
        arguments: object,
        user_turn: int,
    ) -> ToolCallResult:
        """Walk the road once for this id, however often and from wherever it is sent.

        Whatever goes wrong with the tool is in the result. Raises only what is not the tool's: Unavailable when the
        ledger does not answer; the same id may then be sent again.
        """
        wanted = _Wanted(
            context,
            function,
            self._types.get(function.type),
            tool_call_id,
            arguments,
            user_turn,
            self._clock.monotonic(),
        )
        key = (context.organization_id, context.conversation_id, tool_call_id)
        task = self._running.get(key)
        if task is None:
            # A task of its own: when the request is dropped, the outcome is still written down.
            task = asyncio.create_task(self._walk(wanted))
            self._running[key] = task
            task.add_done_callback(lambda _: self._running.pop(key, None))
        return await asyncio.shield(task)

    async def drain(self) -> None:
        """Wait for the calls under way, for instance before the process ends."""
        if self._running:
            await asyncio.wait(list(self._running.values()))

    async def _walk(self, wanted: _Wanted) -> ToolCallResult:
        prepared = await self._prepare(wanted)
        begun = await self._begin(wanted, prepared)
        if begun.mine:
            return await self._run(wanted, prepared)
        if self._may_resume(wanted, begun):
            return await self._run(wanted, _resumed(prepared))
        return await self._existing(wanted, prepared, begun)

    async def _run(self, wanted: _Wanted, prepared: _Prepared) -> ToolCallResult:
        outcome = await self._outcome(wanted, prepared)
        if prepared.wish is not None and outcome.status == "failed" and outcome.effect is Effect.NONE:
            await prepared.wish.release(self._tallies)
        duration_ms = self._elapsed_ms(wanted)
        standing = await self._ledger.finish(
            wanted.context,
            wanted.tool_call_id,
            status=outcome.status,
            effect=outcome.effect,
            answer=outcome.answer,
            error_code=outcome.error_code,
            error_detail=outcome.error_detail,
            duration_ms=duration_ms,
            stored_values=outcome.stored_values,
        )
        return ToolCallResult(
            status=outcome.status,
            effect=outcome.effect,
            is_error=outcome.status == "failed",
            repeated=False,
            answer=standing,
            duration_ms=duration_ms,
            error_code=outcome.error_code,
        )

    async def _prepare(self, wanted: _Wanted) -> _Prepared:
        given: JSON = None
        again = False
        try:
            given, again = read_arguments(wanted.arguments, wanted.has_effect)
            call, plan = self._planned(wanted, given)
        except ToolError as refusal:
            return _Prepared(_key(wanted, b"refused", given), again, None, refusal)
        wish = Wish(wanted.function.name, wanted.function.policy, call, plan)
        key = _key(wanted, b"planned", plan.identity)
        try:
            for guard in self._guards:
                await guard.check(wish)
        except ToolError as refusal:
            return _Prepared(key, again, wish, refusal)
        return _Prepared(key, again, wish, None)

    def _planned(self, wanted: _Wanted, given: Mapping[str, JSON]) -> tuple[Call, Plan]:
        function = wanted.function
        arguments, problems = function.validator.coerce_and_validate(function.binder.without_fixed(given))
        if problems:
            say = f"The arguments are not right: {'; '.join(problems)}. Correct them and call again. Nothing was done."
            raise ToolError(say, detail="the model's arguments do not fit the schema", code="invalid_arguments")
        call = Call(
            context=wanted.context,
            tool_call_id=wanted.tool_call_id,
            arguments=arguments,
            fields=function.binder.bind(arguments, wanted.context.values),
            clock=self._clock,
            deadline=wanted.deadline,
        )
        return call, self._plan(wanted, call)

    def _plan(self, wanted: _Wanted, call: Call) -> Plan:
        try:
            return wanted.tool_type.plan(call)
        except ToolError:
            raise
        except Exception as error:
            _log_break(wanted, error)
            raise broke(error, Effect.NONE) from error

    async def _begin(self, wanted: _Wanted, prepared: _Prepared) -> Begun:
        return await self._ledger.begin(
            wanted.context,
            tool_call_id=wanted.tool_call_id,
            tool_id=wanted.function.tool_id,
            function_name=wanted.function.name,
            user_turn=wanted.user_turn,
            repeatable=wanted.function.policy.repeatable,
            arguments_hash=prepared.key,
            again=prepared.again,
        )

    def _may_resume(self, wanted: _Wanted, begun: Begun) -> bool:
        """A row of this id that was begun and not finished: the process that ran it is gone, or answers nobody."""
        if not begun.same_id or begun.row.status != "started":
            return False
        return wanted.function.policy.resumable or not wanted.has_effect

    async def _existing(self, wanted: _Wanted, prepared: _Prepared, begun: Begun) -> ToolCallResult:
        """What stands in the ledger already; of a twin that is under way, its outcome when it comes in time."""
        while begun.row.status == "started":
            if self._clock.monotonic() + POLL_SECONDS >= wanted.deadline:
                return self._unfinished(wanted, begun)
            await self._clock.sleep(POLL_SECONDS)
            begun = await self._begin(wanted, prepared)
            if begun.mine:
                return await self._run(wanted, prepared)
        if prepared.wish is not None:
            await prepared.wish.release(self._tallies)
        return self._stored(wanted, begun.row, same_id=begun.same_id)

    def _unfinished(self, wanted: _Wanted, begun: Begun) -> ToolCallResult:
        say = NOT_CLAIMED if begun.same_id else STILL_RUNNING + NOT_CLAIMED
        return self._result(wanted, "failed", Effect.UNKNOWN, {"error": say}, "outcome_unknown", repeated=True)

    def _stored(self, wanted: _Wanted, row: ToolCallRow, *, same_id: bool) -> ToolCallResult:
        answer: dict[str, JSON] = dict(row.answer) if row.answer is not None else {"note": "The answer is not kept."}
        failed = row.status == "failed"
        if not same_id and failed:
            answer["error"] = f"{ALREADY_TRIED}{answer.get('error', NOT_CLAIMED)}"
        elif not same_id:
            answer = {"already_done": ALREADY_DONE, **answer}
        return self._result(wanted, row.status, row.effect or Effect.NONE, answer, None, repeated=not same_id)

    def _result(
        self,
        wanted: _Wanted,
        status: str,
        effect: Effect,
        answer: Mapping[str, JSON],
        error_code: str | None,
        *,
        repeated: bool,
    ) -> ToolCallResult:
        return ToolCallResult(
            status, effect, status == "failed", repeated, answer, self._elapsed_ms(wanted), error_code
        )

    def _elapsed_ms(self, wanted: _Wanted) -> float:
        return (self._clock.monotonic() - wanted.started) * 1000.0

    async def _outcome(self, wanted: _Wanted, prepared: _Prepared) -> _Outcome:
        wish = prepared.wish
        if prepared.refusal is not None or wish is None:
            return _failed(cast("ToolError", prepared.refusal))
        try:
            answer = await self._execute(wanted, wish)
        except ToolError as error:
            _log_failure(wanted, error)
            return _failed(error)
        return _Outcome("done", answer.effect, capped(answer.content), None, None, answer.stored_values)

    async def _execute(self, wanted: _Wanted, wish: Wish) -> Answer:
        """Run the type's `execute` within the deadline. Raises nothing but ToolError."""
        unknown = Effect.UNKNOWN if wanted.has_effect else Effect.NONE
        deadline = asyncio.timeout(wish.call.remaining_seconds())
        try:
            async with deadline:
                return await wanted.tool_type.execute(wish.call, wish.plan, self._ports)
        except ToolError:
            raise
        except OffhookError as error:
            raise refused_by_port(error, unknown) from error
        except Exception as error:
            if deadline.expired():
                raise too_late(unknown) from error
            _log_break(wanted, error)
            raise broke(error, unknown) from error


def _resumed(prepared: _Prepared) -> _Prepared:
    return prepared if prepared.refusal is None else replace(prepared, refusal=cut_off(prepared.refusal))


def _key(wanted: _Wanted, kind: bytes, identity: JSON) -> bytes:
    """SHA-256 of what makes two calls the same one, keyed by the conversation."""
    return hashlib.sha256(wanted.context.conversation_id.bytes + kind + normalise(identity)).digest()


def _failed(error: ToolError) -> _Outcome:
    return _Outcome("failed", error.effect, {"error": error.say}, error.code, _detail(error), {})


def _detail(error: ToolError) -> str | None:
    """The operator's reason. What the model is told is none: it may quote the call, and is sealed with the answer."""
    return None if error.detail in ("", error.say) else redact_text(error.detail, MAX_DETAIL)


def _log_failure(wanted: _Wanted, error: ToolError) -> None:
    _log.info(
        "tool_call_failed",
        tool_call_id=str(wanted.tool_call_id),
        conversation_id=str(wanted.context.conversation_id),
        tool_type=wanted.function.type,
        effect=str(error.effect),
        error_code=error.code,
    )


def _log_break(wanted: _Wanted, error: Exception) -> None:
    _log.error(
        "tool_broke",
        tool_type=wanted.function.type,
        tool_call_id=str(wanted.tool_call_id),
        error_type=error_type(error),
    )
