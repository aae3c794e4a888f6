"""Ids: UUIDv7 (RFC 9562), so that rows made later sort later and indexes grow at one end."""

from __future__ import annotations

import os
import time
import uuid

_NANOSECONDS_PER_MS = 1_000_000


def new_id() -> uuid.UUID:
    """A fresh UUIDv7. Its 12 bits after the milliseconds count the fraction of the millisecond (RFC 9562, 6.2,
    method 3), so that ids of one process follow each other within it too, as far as its clock does."""
    milliseconds, rest = divmod(time.time_ns(), _NANOSECONDS_PER_MS)
    fraction = (rest << 12) // _NANOSECONDS_PER_MS
    random = int.from_bytes(os.urandom(8), "big") >> 2
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random)
