"""A Twilio- and Telnyx-compatible server on loopback, to try and test texts without them.

It imports nothing of Offhook's, so that it can disagree with it. `python -m offhook.emulator --help` runs it alone.
Importing this costs nothing; what needs a web server is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from offhook.emulator.settings import (
    DEFAULT_ACCOUNT_SID,
    DEFAULT_AUTH_TOKEN,
    DEFAULT_NUMBERS,
    DEFAULT_TELNYX_API_KEY,
    DEFAULT_TELNYX_NUMBERS,
    Account,
    Settings,
)

if TYPE_CHECKING:
    from offhook.emulator.app import create_app, serve
    from offhook.emulator.clock import Clock, SystemClock, VirtualClock
    from offhook.emulator.store import Store

__all__ = [
    "DEFAULT_ACCOUNT_SID",
    "DEFAULT_AUTH_TOKEN",
    "DEFAULT_NUMBERS",
    "DEFAULT_TELNYX_API_KEY",
    "DEFAULT_TELNYX_NUMBERS",
    "Account",
    "Clock",
    "Settings",
    "Store",
    "SystemClock",
    "VirtualClock",
    "create_app",
    "serve",
]

_HOMES = {
    "Clock": "offhook.emulator.clock",
    "Store": "offhook.emulator.store",
    "SystemClock": "offhook.emulator.clock",
    "VirtualClock": "offhook.emulator.clock",
    "create_app": "offhook.emulator.app",
    "serve": "offhook.emulator.app",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'offhook.emulator' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value
