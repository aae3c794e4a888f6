"""Offhook, the tool layer for voice agents: what the author of a LiveKit worker needs.

    call = await offhook.call(ctx)
    await call.start(AgentSession(...))

Importing this costs nothing; a name is loaded when it is first used (`call` and `send_sms` with the extra [livekit]).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offhook.client import ApiError, Client, Unreachable
    from offhook.runtime.call import Call, call
    from offhook.runtime.text import TextConversation
    from offhook.runtime.texting import send_sms

__all__ = ["ApiError", "Call", "Client", "TextConversation", "Unreachable", "call", "send_sms"]

_HOMES = {
    "ApiError": "offhook.client",
    "Call": "offhook.runtime.call",
    "Client": "offhook.client",
    "TextConversation": "offhook.runtime.text",
    "Unreachable": "offhook.client",
    "call": "offhook.runtime.call",
    "send_sms": "offhook.runtime.texting",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'offhook' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
