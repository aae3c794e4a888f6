"""Telnyx: texts, the status callbacks about them, and texts to its numbers."""

from offhook.telephony.carriers.telnyx.client import TelnyxCarrier

CARRIER = TelnyxCarrier
"""What the registry finds: called with the process's HTTP session and egress."""

__all__ = ["CARRIER", "TelnyxCarrier"]
