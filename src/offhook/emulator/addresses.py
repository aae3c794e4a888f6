"""What an address looks like: a phone's, and one on the web."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_BETWEEN_DIGITS = re.compile(r"[\s().-]")


def is_phone_number(given: str) -> bool:
    return _E164.fullmatch(given) is not None


def find_phone_number(given: str) -> str | None:
    """The number as E.164, from what people write: `+1 (202) 555-0143`. None for what is none."""
    number = _BETWEEN_DIGITS.sub("", given)
    return number if is_phone_number(number) else None


def joined(base: str, given: str) -> str:
    """The address that `given` means in an answer from `base`; `given` itself where it means none."""
    try:
        return urljoin(base, given)
    except ValueError:
        return given


def web_host(url: str) -> str | None:
    """The host of an address that can be fetched from or posted to; None for one that cannot.

    That is http or https, in printable ASCII, with a host that a resolver would take: what is not is refused here,
    rather than when a callback is due.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or len(host) > 253 or any(len(label) > 63 for label in host.split(".")):  # RFC 1035
        return None
    clean = url.isascii() and url.isprintable() and " " not in url
    return host if clean and parts.scheme in {"http", "https"} else None
