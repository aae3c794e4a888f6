"""The deployment's master keys: the first one encrypts, all of them decrypt. And the pepper of API keys.

Master keys wrap one data key per organization and nothing else, so that changing them rewraps small rows only.
They come from the environment, or, on a laptop, from one file outside the database's directory: whoever copies
the data without that file has nothing.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from offhook.core.errors import ConfigurationError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
MASTER_KEYS: Final = "OFFHOOK_MASTER_KEYS"
PEPPER: Final = "OFFHOOK_KEY_PEPPER"

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
_WRAPPED_VERSION: Final = 1


class UnknownMasterKey(LookupError):
    """Something was wrapped by a master key that is not on the ring; `name` is its name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class NotWrappedHere(ValueError):
    """The bytes are no data key that this ring wrapped for this purpose."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """`keys`: name → 32 bytes, the encrypting one first. `pepper`: keys the hashes of API keys."""

    keys: Mapping[str, bytes] = field(repr=False)
    pepper: bytes = field(repr=False)

    @classmethod
    def parse(cls, master_keys: str, pepper: str) -> KeyRing:
        """From `k2:<base64>,k1:<base64>` and any text of at least 32 characters. Raises ConfigurationError."""
        keys: dict[str, bytes] = {}
        for entry in filter(None, (part.strip() for part in master_keys.split(","))):
            name, _, encoded = entry.partition(":")
            if not _NAME.fullmatch(name):
                raise _wrong("a name before each colon: letters, digits, '-' and '_', at most 32")
            if name in keys:
                raise _wrong(f"each name once; {name} stands there twice")
            keys[name] = _decode(name, encoded)
        if not keys:
            raise _wrong("at least one key")
        if len(pepper) < KEY_BYTES:
            raise ConfigurationError(f"{PEPPER} needs at least {KEY_BYTES} characters of chance")
        return cls(keys, pepper.encode())

    @property
    def current(self) -> str:
        """The name of the key that encrypts."""
        return next(iter(self.keys))

    def wrap(self, data_key: bytes, purpose: bytes) -> bytes:
        """`data_key` encrypted by the current key: version, length and name of the key, nonce, ciphertext."""
        name = self.current.encode()
        header = bytes([_WRAPPED_VERSION, len(name)]) + name
        nonce = os.urandom(NONCE_BYTES)
        return header + nonce + AESGCM(self.keys[self.current]).encrypt(nonce, data_key, header + purpose)

    def unwrap(self, wrapped: bytes, purpose: bytes) -> bytes:
        """Raises UnknownMasterKey and NotWrappedHere."""
        name = wrapped_by(wrapped)
        key = self.keys.get(name)
        if key is None:
            raise UnknownMasterKey(name)
        end = 2 + len(name.encode())
        header, nonce, sealed = wrapped[:end], wrapped[end : end + NONCE_BYTES], wrapped[end + NONCE_BYTES :]
        try:
            return AESGCM(key).decrypt(nonce, sealed, header + purpose)
        except (InvalidTag, ValueError):
            raise NotWrappedHere(name) from None

    def derive(self, purpose: bytes) -> Sequence[bytes]:
        """A key of 32 bytes for one purpose from each master key, the current one's first: sign with that, accept
        all. Whoever learns one of these learns neither a master key nor another purpose's."""
        return [HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose).derive(key) for key in self.keys.values()]


def wrapped_by(wrapped: bytes) -> str:
    """The name of the master key that wrapped these bytes. Raises NotWrappedHere."""
    if len(wrapped) < 2 or wrapped[0] != _WRAPPED_VERSION or len(wrapped) < 2 + wrapped[1] + NONCE_BYTES:
        raise NotWrappedHere("no header of ours")
    return wrapped[2 : 2 + wrapped[1]].decode("ascii", "replace")


def load_or_create(path: Path) -> KeyRing:
    """The ring kept in the file at `path`, made with mode 0600 where there is none. Two processes that both make it
    end up with the same. Raises ConfigurationError when others may read the file or it makes no sense."""
    if not path.exists():
        _create(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise ConfigurationError(f"{path} can be read by others (mode {mode:04o}): make it 0600, it opens every secret")
    entries = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
    missing = [name for name in (MASTER_KEYS, PEPPER) if name not in entries]
    if missing:
        raise ConfigurationError(f"{path} has no line {' and no line '.join(missing)}: put your backup of it back")
    return KeyRing.parse(entries[MASTER_KEYS], entries[PEPPER])


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    key = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    text = (
        "# Opens every secret that this Offhook keeps. Back it up, apart from the database.\n"
        f"{MASTER_KEYS}=k1:{key}\n{PEPPER}={secrets.token_urlsafe(KEY_BYTES)}\n"
    )
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        _publish(draft, path)
    finally:
        draft.unlink()


def _publish(draft: Path, path: Path) -> None:
    """Give the whole file its name, unless another process was first: nobody ever sees half of it."""
    try:
        os.link(draft, path)
    except FileExistsError:
        return


def _decode(name: str, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise _wrong(f"{KEY_BYTES} bytes in base64 after {name}:")
    return key


def _wrong(needs: str) -> ConfigurationError:
    return ConfigurationError(f"{MASTER_KEYS} has the form name:base64,name:base64 and needs {needs}")
