"""Ids: UUIDv7 (RFC 9562), so that rows made later sort later and indexes grow at one end."""

from __future__ import annotations

import os
import threading
import time
import uuid
from typing import Final

_NANOSECONDS_PER_MS: Final = 1_000_000
_lock: Final = threading.Lock()
_last = 0


def new_id() -> uuid.UUID:
    """A fresh UUIDv7; ids of one process sort in the order in which they were made.

    The 12 bits after the milliseconds count the fraction of the millisecond (RFC 9562, 6.2, method 3); within one
    such step, or when the wall clock goes back, the next step is taken.
    """
    global _last
    milliseconds, rest = divmod(time.time_ns(), _NANOSECONDS_PER_MS)
    stamp = milliseconds << 12 | (rest << 12) // _NANOSECONDS_PER_MS
    with _lock:
        stamp = max(stamp, _last + 1)
        _last = stamp
    random = int.from_bytes(os.urandom(8), "big") >> 2
    return uuid.UUID(int=(stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | random)
