"""What the agent process tells of itself: `{"status": "ok", "livekit": "registered" | "connecting" | null}`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, Final, cast

from offhook.apps.probe import probe

REGISTRATION_SECONDS: Final = 30.0
"""How long the start waits, once the relay answers, for LiveKit to know the worker. That takes about four seconds, or
many on a machine that is busy. Text works without."""

NOT_REGISTERED: Final = "no connection to LiveKit: calls in rooms are not taken"


def complaint(body: bytes) -> str | None:
    """What is wrong by the words of a process that answered well; None where it names nothing."""
    try:
        document: Any = json.loads(body)
    except ValueError:
        return None
    told = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
    return NOT_REGISTERED if told.get("livekit") == "connecting" else None


def agent_ready(health: str) -> Callable[[], Awaitable[bool]]:
    """Ready when it answers and calls reach it too. A LiveKit server that stays away does not hold the rest up."""
    answered_at: float | None = None

    async def ready() -> bool:
        nonlocal answered_at
        answer = await probe(health)
        if answer.problem is not None:
            return False
        answered_at = answered_at or monotonic()
        return complaint(answer.body) is None or monotonic() - answered_at > REGISTRATION_SECONDS

    return ready


async def agent_complaint(health: str) -> str | None:
    """What is wrong by its own words; None also where it does not answer, which others notice."""
    answer = await probe(health)
    return None if answer.problem is not None else complaint(answer.body)
