"""Sealed values: AES-256-GCM under the organization's data key, bound to the place where they are stored.

    byte 0        version (1)
    bytes 1–4     which data key: the first 4 bytes of its SHA-256
    bytes 5–16    nonce
    the rest      ciphertext and tag

The additional data names organization, table, row, field and version, so a value moved to another row, field or
organization does not open. Each organization's data key is made when it is first needed, wrapped by the key ring
and kept in `organizations.data_key`; deleting it shreds everything sealed under it.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from offhook.core.clock import Clock, SystemClock
from offhook.core.db.pool import Database
from offhook.core.errors import ConfigurationError, NotFound
from offhook.core.recent import Recent
from offhook.secrets import queries
from offhook.secrets.keyring import KEY_BYTES, NONCE_BYTES, KeyRing, NotWrappedHere, UnknownMasterKey, wrapped_by

VERSION: Final = 1
CACHED_SECONDS: Final = 60.0
"""How long a process may go on opening secrets of an organization whose data key was deleted."""

_CACHED_KEYS: Final = 1024
_ID_BYTES: Final = 4
_HEADER_BYTES: Final = 1 + _ID_BYTES


@dataclass(frozen=True, slots=True)
class _DataKey:
    cipher: AESGCM = field(repr=False)
    identity: bytes


class Sealer:
    """Seals and opens values of organizations. Opens a transaction of its own the first time it meets an
    organization, so call it before a transaction, not inside."""

    def __init__(self, database: Database, ring: KeyRing, *, clock: Clock | None = None) -> None:
        self._database = database
        self._ring = ring
        self._keys: Recent[uuid.UUID, _DataKey] = Recent(clock or SystemClock(), CACHED_SECONDS, most=_CACHED_KEYS)

    async def seal(
        self, organization_id: uuid.UUID, table: str, row_id: uuid.UUID, field: str, plaintext: bytes
    ) -> bytes:
        """`plaintext` for `field` of the row. Raises NotFound where there is no such organization."""
        key = await self._key(organization_id, create=True)
        nonce = os.urandom(NONCE_BYTES)
        place = _place(organization_id, table, row_id, field)
        return bytes([VERSION]) + key.identity + nonce + key.cipher.encrypt(nonce, plaintext, place)

    async def open(self, organization_id: uuid.UUID, table: str, row_id: uuid.UUID, field: str, sealed: bytes) -> bytes:
        """What was sealed there. Raises ConfigurationError `secret_unreadable`, which says what to do."""
        what = f"{table}.{field} of {row_id}"
        if len(sealed) < _HEADER_BYTES + NONCE_BYTES or sealed[0] != VERSION:
            raise _unreadable(what, "it was not sealed by this version of Offhook")
        key = await self._key(organization_id, create=False)
        if sealed[1:_HEADER_BYTES] != key.identity:
            raise _unreadable(what, "it was sealed under a data key that the organization no longer has")
        nonce = sealed[_HEADER_BYTES : _HEADER_BYTES + NONCE_BYTES]
        try:
            place = _place(organization_id, table, row_id, field)
            return key.cipher.decrypt(nonce, sealed[_HEADER_BYTES + NONCE_BYTES :], place)
        except InvalidTag:
            raise _unreadable(what, "it was changed, or sealed for another place") from None

    async def rotate(self) -> int:
        """Rewrap, with the ring's first key, every data key that another one wrapped; how many. The sealed values stay
        as they are, so this may run while everything else does. Raises ConfigurationError for a missing old key."""
        count = 0
        async with self._database.system("rewrap data keys") as connection:
            rows = await queries.list_data_keys(connection)
        for organization_id, wrapped in rows:
            if wrapped_by(wrapped) == self._ring.current:
                continue
            rewrapped = self._ring.wrap(self._unwrap(organization_id, wrapped), _purpose(organization_id))
            async with self._database.tenant(organization_id) as connection:
                count += await queries.replace_data_key(connection, organization_id, wrapped, rewrapped)
        return count

    async def _key(self, organization_id: uuid.UUID, *, create: bool) -> _DataKey:
        known = self._keys.get(organization_id)
        if known is not None:
            return known
        wrapped = await self._wrapped(organization_id, create=create)
        data_key = self._unwrap(organization_id, wrapped)
        identity = hashlib.sha256(data_key).digest()[:_ID_BYTES]
        return self._keys.put(organization_id, _DataKey(AESGCM(data_key), identity))

    async def _wrapped(self, organization_id: uuid.UUID, *, create: bool) -> bytes:
        """The organization's wrapped data key; of several processes that make one, the first one's stands."""
        async with self._database.tenant(organization_id) as connection:
            found, wrapped = await queries.find_data_key(connection, organization_id)
            if not found:
                raise NotFound("There is no such organization.", code="organization_not_found")
            if wrapped is None and create:
                fresh = self._ring.wrap(os.urandom(KEY_BYTES), _purpose(organization_id))
                wrapped = await queries.create_data_key(connection, organization_id, fresh)
        if wrapped is None:
            raise _unreadable(f"every secret of organization {organization_id}", "its data key was deleted")
        return wrapped

    def _unwrap(self, organization_id: uuid.UUID, wrapped: bytes) -> bytes:
        what = f"the data key of organization {organization_id}"
        try:
            return self._ring.unwrap(wrapped, _purpose(organization_id))
        except UnknownMasterKey as error:
            raise ConfigurationError(
                f"{what} is wrapped by master key {error.name!r}, which OFFHOOK_MASTER_KEYS does not have: add it back",
                code="secret_unreadable",
            ) from None
        except NotWrappedHere:
            raise _unreadable(what, "it was changed, or a master key has kept its name and lost its value") from None


def _place(organization_id: uuid.UUID, table: str, row_id: uuid.UUID, field: str) -> bytes:
    return f"{organization_id}|{table}|{row_id}|{field}|{VERSION}".encode()


def _purpose(organization_id: uuid.UUID) -> bytes:
    return f"{organization_id}|organizations|data_key|{VERSION}".encode()


def _unreadable(what: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"{what} cannot be opened: {why}. Set the value again.", code="secret_unreadable")
