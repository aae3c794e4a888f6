"""Twilio: texts, and the status callbacks about them."""

from offhook.telephony.carriers.twilio.client import TwilioCarrier

CARRIER = TwilioCarrier
"""What the registry finds: called with the process's HTTP session."""

__all__ = ["CARRIER", "TwilioCarrier"]
