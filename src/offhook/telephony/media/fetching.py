"""Inbound media are fetched: a job per medium, until the carrier gives it or a day has passed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from offhook.core.clock import Clock
from offhook.core.db.jobs import Handler, RetryLater
from offhook.core.db.pool import Database
from offhook.core.errors import OffhookError
from offhook.core.telemetry import get_logger
from offhook.telephony.accounts import Accounts
from offhook.telephony.carrier import CarrierRefused, NotOffered, NotSent, OutcomeUnknown, Treatment
from offhook.telephony.media import queries
from offhook.telephony.media.content_types import settle
from offhook.telephony.media.inbound import FETCH
from offhook.telephony.media.intake import Passing, TooMuch
from offhook.telephony.media.models import Medium
from offhook.telephony.media.queries import Pending
from offhook.telephony.media.store import MediaStore

_log = get_logger(__name__)

MAX_INBOUND_BYTES: Final = 16 * 1024 * 1024
"""Carriers take far less from handsets; this guards the store against a server that never ends."""
GIVE_UP_SECONDS: Final = 24 * 3600.0
_PATIENCE_SECONDS: Final = 600.0
"""A carrier may tell of a text before it can give its media: until then, "not found" is "not yet"."""
_SHORTEST_PAUSE_SECONDS: Final = 5.0
_LONGEST_PAUSE_SECONDS: Final = 1800.0
_PASSING: Final = frozenset({Treatment.RETRY, Treatment.WAIT_SENDER, Treatment.WAIT_DAY, Treatment.RETRY_LATER})


@dataclass(frozen=True, slots=True)
class _Wanted:
    message_id: uuid.UUID
    position: int
    media_id: uuid.UUID
    """The one that it will be."""

    @classmethod
    def parse(cls, payload: bytes) -> _Wanted:
        named = json.loads(payload)
        return cls(uuid.UUID(named["message_id"]), named["position"], uuid.UUID(named["media_id"]))


class InboundMedia:
    """Runs the jobs that `enqueue_inbound_media` queues."""

    def __init__(self, database: Database, accounts: Accounts, store: MediaStore, clock: Clock) -> None:
        self._database = database
        self._accounts = accounts
        self._store = store
        self._clock = clock

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {FETCH: self._on_fetch}

    async def _on_fetch(self, payload: bytes) -> None:
        wanted = _Wanted.parse(payload)
        async with self._database.system("fetch inbound media") as connection:
            pending = await queries.find_pending(connection, wanted.message_id, wanted.position)
            fetched = pending is None and await queries.exists(connection, wanted.media_id)
        if pending is None:
            if not fetched:  # erased while it was fetched
                await self._store.erase(wanted.media_id)
            return
        try:
            medium = await self._fetch(pending, wanted)
        except (NotSent, OutcomeUnknown, OffhookError) as error:
            await self._put_off(pending, wanted, error)
        except CarrierRefused as error:
            if error.refusal.treatment in _PASSING or pending.age_seconds < _PATIENCE_SECONDS:
                await self._put_off(pending, wanted, error)
            else:
                await self._give_up(wanted, f"The carrier does not give it ({error.refusal.code}).")
        except NotOffered:
            await self._give_up(wanted, "The carrier offers no media.")
        except TooMuch:
            await self._give_up(wanted, f"It is larger than {MAX_INBOUND_BYTES} bytes, the most that is kept.")
        else:
            await self._record(wanted, medium)

    async def _fetch(self, pending: Pending, wanted: _Wanted) -> Medium:
        account = await self._accounts.get_open(pending.carrier_account_id)
        carrier = self._accounts.carrier(account.carrier)
        async with carrier.fetch_media(account, pending.url) as (declared, chunks):
            passing = Passing(chunks, partial(settle, declared or pending.content_type), max_bytes=MAX_INBOUND_BYTES)
            await self._store.put(wanted.media_id, passing.stream())
        return Medium(
            id=wanted.media_id,
            organization_id=pending.organization_id,
            origin="inbound",
            content_type=passing.content_type,
            size_bytes=passing.size_bytes,
            sha256=passing.sha256,
            filename=None,
            created_at=self._clock.now(),
        )

    async def _record(self, wanted: _Wanted, medium: Medium) -> None:
        async with self._database.system("keep inbound media") as connection:
            pending = await queries.find_pending(connection, wanted.message_id, wanted.position, lock=True)
            if pending is not None:
                await queries.insert_medium(connection, medium)
                await queries.record_fetched(connection, wanted.message_id, wanted.position, medium)
                return
            fetched = await queries.exists(connection, wanted.media_id)
        if not fetched:
            await self._store.erase(wanted.media_id)

    async def _put_off(self, pending: Pending, wanted: _Wanted, error: Exception) -> None:
        """Again after a pause that grows with the message's age; not for ever."""
        if pending.age_seconds > GIVE_UP_SECONDS:
            await self._give_up(wanted, "The carrier did not give it within a day.")
            return
        pause = min(max(pending.age_seconds / 2, _SHORTEST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)
        _log.warning(
            "inbound_media_put_off",
            message_id=str(wanted.message_id),
            error_type=type(error).__name__,
            delay_seconds=pause,
        )
        raise RetryLater(pause)

    async def _give_up(self, wanted: _Wanted, note: str) -> None:
        _log.warning("inbound_media_given_up", message_id=str(wanted.message_id))
        async with self._database.system("give inbound media up") as connection:
            await queries.record_given_up(connection, wanted.message_id, wanted.position, note)
        await self._store.erase(wanted.media_id)
