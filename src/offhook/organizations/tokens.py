"""The form of an API key: `offhook_live_<id>_<secret>`. Stored are its id and a keyed hash of the secret."""

from __future__ import annotations

import hmac
import re
import secrets
import uuid
from dataclasses import dataclass, field
from typing import Final

PREFIX: Final = "offhook_live_"
SECRET_BYTES: Final = 32

# 32 hexadecimal digits of the id, then 32 bytes in base64url, which are 43 characters.
_FORM: Final = re.compile(r"offhook_live_([0-9a-f]{32})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Token:
    """A key as its holder has it."""

    key_id: uuid.UUID
    secret: str = field(repr=False)

    @classmethod
    def new(cls, key_id: uuid.UUID) -> Token:
        return cls(key_id, secrets.token_urlsafe(SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> Token | None:
        """None where `text` is no such key."""
        match = _FORM.fullmatch(text)
        return cls(uuid.UUID(hex=match[1]), match[2]) if match else None

    def reveal(self) -> str:
        """The text that its holder keeps."""
        return f"{PREFIX}{self.key_id.hex}_{self.secret}"

    @property
    def last4(self) -> str:
        return self.secret[-4:]

    def hash(self, pepper: bytes) -> bytes:
        return keyed_hash(pepper, self.secret)


def keyed_hash(pepper: bytes, text: str) -> bytes:
    """HMAC-SHA256. Keys are 256 bits of chance, so nothing slower is needed (facts/infrastructure.md 7)."""
    return hmac.digest(pepper, text.encode("utf-8", "surrogatepass"), "sha256")
