"""Addresses of media that need no key: `/media/{media_id}/{expires}/{signature}/{filename}`.

The signature covers the medium, the moment until which the address is good, and the file's name, whose extension is
the type: so whoever serves the address needs nothing but the bytes. Carriers fetch with it, and a browser shows with
it what the API lists.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
import uuid
from typing import Final
from urllib.parse import quote

from offhook.core.clock import Clock
from offhook.secrets import KeyRing
from offhook.telephony.media.content_types import ANY, EXTENSIONS, TYPES, plain

CARRIER_SECONDS: Final = 24 * 3600.0
"""How long an address that a carrier is given is good. A carrier may keep a text for 10 h before it fetches
(ValidityPeriod, facts/telephony.md 1.1), and tries again after a failure."""
SHOWN_SECONDS: Final = 3600.0
"""How long an address that the API lists is good."""

_PURPOSE: Final = b"offhook: addresses of media, 1"
_LONGEST_STEM: Final = 60
_UNWANTED: Final = re.compile(r"[^\w.,()+ -]|_")
_DIGITS: Final = re.compile(r"[0-9]{1,12}")


class MediaSigner:
    """Signs with the ring's current key; an address signed with any key of the ring is good."""

    def __init__(self, ring: KeyRing, clock: Clock) -> None:
        self._keys = ring.derive(_PURPOSE)
        self._clock = clock

    def path(self, media_id: uuid.UUID, content_type: str, filename: str | None, seconds: float) -> str:
        """The address below our origin, good for `seconds`."""
        name = served_name(filename, content_type)
        expires = str(int(self._clock.now().timestamp() + seconds))
        signature = _signature(self._keys[0], media_id, expires, name)
        return f"/media/{media_id}/{expires}/{signature}/{quote(name, safe='')}"

    def is_genuine(self, media_id: uuid.UUID, expires: str, signature: str, name: str) -> bool:
        """Whether we made the address, whether it is still good or not."""
        given = signature.encode("utf-8", "replace")
        # Every key is tried, so that the time tells nothing.
        found = [hmac.compare_digest(_signature(key, media_id, expires, name).encode(), given) for key in self._keys]
        return any(found)

    def is_over(self, expires: str) -> bool:
        """Of a genuine address."""
        return not _DIGITS.fullmatch(expires) or int(expires) <= self._clock.now().timestamp()


def served_name(filename: str | None, content_type: str) -> str:
    """A file's name as carriers and browsers see it: letters and digits of any script, and the type's extension."""
    extension = EXTENSIONS.get(plain(content_type) or ANY, EXTENSIONS[ANY])
    stem = unicodedata.normalize("NFC", filename or "").replace("\\", "/").rpartition("/")[2]
    stem = stem[: -len(extension) - 1] if stem.lower().endswith(f".{extension}") else stem
    stem = " ".join(_UNWANTED.sub(" ", stem).split())[:_LONGEST_STEM].strip(" .")
    return f"{stem or 'file'}.{extension}"


def served_type(name: str) -> str:
    """The type that a name made by `served_name` tells."""
    return TYPES.get(name.rpartition(".")[2], ANY)


def _signature(key: bytes, media_id: uuid.UUID, expires: str, name: str) -> str:
    signed = f"{media_id}/{expires}/{name}".encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(hmac.digest(key, signed, hashlib.sha256)).decode().rstrip("=")
