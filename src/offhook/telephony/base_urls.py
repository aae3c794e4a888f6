"""Where the API of a carrier account may be: at the carrier, or where the deployment's operator allows.

A tenant's admin writes the address, and requests go there from inside our network, so it is held to a list and not to
what looks public: OFFHOOK_EGRESS_ALLOW, the same that the other URLs of tenants are held to.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from offhook.telephony.carrier import Carrier

Address = tuple[str, int]
"""Host, in lower case and without brackets, and port."""

_ORIGIN: Final = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?/?", re.ASCII)
_PORTS: Final = {"http": 80, "https": 443}


def address_of(base_url: str) -> Address | None:
    """Host and port of an origin such as http://127.0.0.1:8712; None for what is none."""
    found = _ORIGIN.fullmatch(base_url.lower())
    if found is None:
        return None
    scheme, host, port = found.groups()
    return host.strip("[]"), int(port or _PORTS[scheme])


def is_allowed(base_url: str, carrier: Carrier, allowed: Collection[Address]) -> bool:
    """Whether an account of that carrier's may be there."""
    own = re.fullmatch(carrier.base_url_pattern, base_url.lower())
    return own is not None or address_of(base_url) in allowed
