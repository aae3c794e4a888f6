"""The gateway: how a running agent opens a conversation, executes its tools, and closes it.

Plain routes: they stand between a caller's sentence and its effect.
"""

from __future__ import annotations

import json
import uuid
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from offhook.conversations.schemas import (
    CloseConversation,
    ConversationEnvelope,
    ConversationOut,
    FunctionOut,
    MakeToolCall,
    OpenConversation,
    OpenedConversation,
    ReleaseAgentOut,
    ReleaseOut,
    ToolCallEnvelope,
    ToolCallOut,
)
from offhook.conversations.service import Conversations, OpenConversationState
from offhook.conversations.values import spoken
from offhook.core.db.pool import Row
from offhook.core.errors import BadRequest, Conflict, InvalidInput, NotFound
from offhook.core.http import HotRoute, inline_schema, invalid_input, parse_json, provided
from offhook.core.text import shorten
from offhook.organizations.auth import Scope, authenticate
from offhook.tools.execution import Road

Body = TypeVar("Body", bound=BaseModel)


async def open_conversation(request: Request) -> Response:
    caller = await authenticate(request, Scope.WORKER)
    wish = await _read(request, OpenConversation)
    state = await provided(Conversations)(request).open(caller.organization_id, wish)
    opened = OpenedConversation(conversation=_conversation(state.row), release=_release(state))
    return Response(opened.model_dump_json(), media_type="application/json")


async def make_tool_call(request: Request) -> Response:
    caller = await authenticate(request, Scope.WORKER)
    sent = await _read_object(request)
    # As the model wrote them: what is wrong with them is the tool's to say, in a sentence that the model can act on.
    arguments = sent.pop("arguments", None)
    wish = _validated(sent, MakeToolCall)
    state = await provided(Conversations)(request).get(caller.organization_id, _id(request))
    function = state.loaded.functions.get(wish.function)
    if function is None:
        known = ", ".join(state.loaded.functions) or "none"
        raise NotFound(
            f"this conversation has no function {shorten(wish.function, 64)}; it has: {known}",
            code="function_not_found",
        )
    if state.row["closed_at"] is not None:
        raise Conflict("the conversation is closed: its tools can no longer be used", code="conversation_closed")
    result = await provided(Road)(request).run(
        state.context,
        function,
        tool_call_id=wish.id,
        arguments=arguments,
        user_turn=wish.user_turn,
    )
    out = ToolCallOut(
        id=wish.id,
        function=wish.function,
        status="failed" if result.is_error else "done",
        effect=result.effect.value,
        is_error=result.is_error,
        repeated=result.repeated,
        answer=dict(result.answer),
        duration_ms=result.duration_ms,
    )
    return Response(ToolCallEnvelope(tool_call=out).model_dump_json(), media_type="application/json")


async def close_conversation(request: Request) -> Response:
    caller = await authenticate(request, Scope.WORKER)
    wish = await _read(request, CloseConversation)
    row = await provided(Conversations)(request).close(caller.organization_id, _id(request), wish.reason)
    return JSONResponse(ConversationEnvelope(conversation=_conversation(row)).model_dump(mode="json"))


def _id(request: Request) -> uuid.UUID:
    try:
        return uuid.UUID(request.path_params["conversation_id"])
    except ValueError:
        raise NotFound("there is no such conversation here", code="conversation_not_found") from None


async def _read(request: Request, model: type[Body]) -> Body:
    return _validated(parse_json(await request.body() or b"{}"), model)


async def _read_object(request: Request) -> dict[str, Any]:
    try:
        value: Any = json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError):
        raise BadRequest("The body is not JSON.", code="not_json") from None
    if not isinstance(value, dict):
        raise InvalidInput("The body must be one JSON object.")
    return cast("dict[str, Any]", value)


def _validated(value: Any, model: type[Body]) -> Body:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid_input(error) from None


def _conversation(row: Row) -> ConversationOut:
    return ConversationOut(**{name: row[name] for name in ConversationOut.model_fields})


def _release(state: OpenConversationState) -> ReleaseOut:
    release, values = state.loaded.release, state.context.values
    agent: dict[str, Any] = release.content["agent"]
    return ReleaseOut(
        id=release.id,
        digest=release.digest,
        agent=ReleaseAgentOut(
            id=release.agent_id,
            name=agent["name"],
            instructions=spoken(agent["instructions"], values),
            greeting=spoken(agent["greeting"], values),
            settings=agent["settings"],
        ),
        functions=[
            FunctionOut(
                **function.shown(values),
                tool_id=function.tool_id,
                timeout_seconds=function.policy.timeout_seconds,
                repeatable=function.policy.repeatable,
                runs_in=function.policy.runs_in,
            )
            for function in state.loaded.functions.values()
        ],
    )


def _operation(summary: str, body: type[BaseModel], answer: type[BaseModel], *parameters: str) -> dict[str, Any]:
    return {
        "summary": summary,
        "tags": ["gateway"],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
            for name in parameters
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": inline_schema(body)}}},
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": inline_schema(answer)}}}},
    }


ROUTES = (
    HotRoute(
        "POST",
        "/api/conversations",
        open_conversation,
        "open_conversation",
        _operation("Open a conversation", OpenConversation, OpenedConversation),
    ),
    HotRoute(
        "POST",
        "/api/conversations/{conversation_id}/tool-calls",
        make_tool_call,
        "make_tool_call",
        _operation("Execute a function", MakeToolCall, ToolCallEnvelope, "conversation_id"),
    ),
    HotRoute(
        "POST",
        "/api/conversations/{conversation_id}/close",
        close_conversation,
        "close_conversation",
        _operation("Close a conversation", CloseConversation, ConversationEnvelope, "conversation_id"),
    ),
)
