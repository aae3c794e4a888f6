"""What Twilio would ask for a message in USD: prices of mid-2026 without carriers' fees (facts/telephony.md 1.9)."""

from __future__ import annotations

from decimal import Decimal

from offhook.emulator.records import Message

SEGMENT = Decimal("0.0083")
MMS_OUT, MMS_IN = Decimal("0.022"), Decimal("0.0165")
FAILED = Decimal("0.001")


def price(message: Message) -> str | None:
    """As the REST tells it: a text with a minus, for what it costs. None for one that costs nothing."""
    if message.status == "canceled":
        return None
    if message.status == "failed":
        cost = FAILED
    elif message.sid.startswith("MM"):
        cost = MMS_IN if message.direction == "inbound" else MMS_OUT
    else:
        cost = SEGMENT * message.segments
    return f"-{cost:.5f}"
