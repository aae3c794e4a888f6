"""Whether a webhook was signed by the account's Telnyx, and recently: facts/telephony.md section 7.

Telnyx signs `timestamp|body` (Ed25519) and sends the timestamp along. What is older than the window is refused, so a
webhook that somebody recorded cannot be used for long; within the window events are stored once.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SIGNATURE_HEADER: Final = "telnyx-signature-ed25519"
TIMESTAMP_HEADER: Final = "telnyx-timestamp"
WINDOW_SECONDS: Final = 300
"""Either way, for clocks that differ: facts/telephony.md section 7, and telnyx-python 4.189's own check."""

_LONGEST_TIMESTAMP: Final = 12


def is_signed(key: Ed25519PublicKey, *, headers: Mapping[str, str], body: bytes, now_seconds: float) -> bool:
    """`headers` by their names in lower case; `now_seconds` since 1970."""
    timestamp, signature = headers.get(TIMESTAMP_HEADER, ""), headers.get(SIGNATURE_HEADER, "")
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= _LONGEST_TIMESTAMP):
        return False
    if abs(now_seconds - int(timestamp)) > WINDOW_SECONDS:
        return False
    try:
        key.verify(base64.b64decode(signature, validate=True), timestamp.encode() + b"|" + body)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
