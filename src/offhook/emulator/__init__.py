"""A Twilio-compatible server on loopback, to try and test texts without Twilio.

It imports nothing of Offhook's, so that it can disagree with it. `python -m offhook.emulator --help` runs it alone.
"""

from offhook.emulator.app import create_app, serve
from offhook.emulator.clock import Clock, SystemClock, VirtualClock
from offhook.emulator.settings import (
    DEFAULT_ACCOUNT_SID,
    DEFAULT_AUTH_TOKEN,
    DEFAULT_NUMBERS,
    Account,
    Settings,
)
from offhook.emulator.store import Store

__all__ = [
    "DEFAULT_ACCOUNT_SID",
    "DEFAULT_AUTH_TOKEN",
    "DEFAULT_NUMBERS",
    "Account",
    "Clock",
    "Settings",
    "Store",
    "SystemClock",
    "VirtualClock",
    "create_app",
    "serve",
]
