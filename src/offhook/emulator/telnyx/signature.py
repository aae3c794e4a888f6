"""Signing webhooks as Telnyx does: Ed25519 over `timestamp|body`, in two headers (facts/telephony.md 7).

The library that signs is loaded when it is needed, so that the rest of the emulator runs without it.
"""

from __future__ import annotations

import base64
import importlib.util
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SIGNATURE_HEADER = "telnyx-signature-ed25519"
TIMESTAMP_HEADER = "telnyx-timestamp"

MISSING = "Telnyx's face signs with `cryptography`, which is not installed: pip install 'offhook[emulator]'"


def can_sign() -> bool:
    return importlib.util.find_spec("cryptography") is not None


@lru_cache
def _private_key(seed: bytes) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed)


def public_key(seed: bytes) -> str:
    """The key that customers verify with, as the portal shows it: 32 bytes, base64. `seed` is the private key."""
    return base64.b64encode(_private_key(seed).public_key().public_bytes_raw()).decode()


def signed_headers(seed: bytes, body: bytes, *, at: float) -> Mapping[str, str]:
    """The two headers of a webhook that is sent at `at` (epoch seconds)."""
    timestamp = str(int(at))
    signature = _private_key(seed).sign(timestamp.encode() + b"|" + body)
    return {SIGNATURE_HEADER: base64.b64encode(signature).decode(), TIMESTAMP_HEADER: timestamp}
