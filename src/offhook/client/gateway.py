"""What the gateway answers a running agent: the conversation, the release it runs on, a tool call's outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FUNCTION_TIMEOUT_SECONDS = 10.0
"""product.md section 5: a function without a timeout of its own has this one."""


@dataclass(frozen=True, slots=True)
class Function:
    """What the model sees of a tool, and where it runs."""

    name: str
    description: str = field(repr=False)
    parameters: Mapping[str, Any] = field(repr=False)
    tool_id: str
    timeout_seconds: float
    repeatable: str
    runs_in: str
    """`gateway`, or `session` for what only the session can do."""


@dataclass(frozen=True, slots=True)
class ReleaseAgent:
    id: str
    name: str
    instructions: str = field(repr=False)
    """With this conversation's values put in, as the greeting."""
    greeting: str | None = field(repr=False)
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Release:
    id: str
    digest: str
    agent: ReleaseAgent
    functions: tuple[Function, ...]


@dataclass(frozen=True, slots=True)
class OpenedConversation:
    id: str
    channel: str
    person_number: str | None = field(repr=False)
    our_number: str | None = field(repr=False)
    release: Release


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`answer` is JSON for the model; with `is_error` it is `{"error": "<a sentence for the model>"}`."""

    id: str
    function: str
    effect: str
    is_error: bool
    repeated: bool
    answer: Any = field(repr=False)
    duration_ms: float


def read_opened(document: Mapping[str, Any]) -> OpenedConversation:
    conversation, release = document["conversation"], document["release"]
    return OpenedConversation(
        id=str(conversation["id"]),
        channel=str(conversation["channel"]),
        person_number=conversation.get("person_number"),
        our_number=conversation.get("our_number"),
        release=_release(release),
    )


def _release(document: Mapping[str, Any]) -> Release:
    agent = document["agent"]
    return Release(
        id=str(document["id"]),
        digest=str(document["digest"]),
        agent=ReleaseAgent(
            id=str(agent["id"]),
            name=str(agent["name"]),
            instructions=agent.get("instructions") or "",
            greeting=agent.get("greeting") or None,
            settings=agent.get("settings") or {},
        ),
        functions=tuple(_function(one) for one in document.get("functions") or ()),
    )


def _function(document: Mapping[str, Any]) -> Function:
    return Function(
        name=str(document["name"]),
        description=document.get("description") or "",
        parameters=document.get("parameters") or {"type": "object", "properties": {}},
        tool_id=str(document.get("tool_id") or ""),
        timeout_seconds=float(document.get("timeout_seconds") or FUNCTION_TIMEOUT_SECONDS),
        repeatable=str(document.get("repeatable") or "no"),
        runs_in=str(document.get("runs_in") or "gateway"),
    )


def read_tool_call(document: Mapping[str, Any]) -> ToolCall:
    call = document["tool_call"]
    return ToolCall(
        id=str(call["id"]),
        function=str(call["function"]),
        effect=str(call.get("effect") or "none"),
        is_error=bool(call.get("is_error")),
        repeated=bool(call.get("repeated")),
        answer=call.get("answer"),
        duration_ms=float(call.get("duration_ms") or 0.0),
    )
