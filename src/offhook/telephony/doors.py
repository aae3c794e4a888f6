"""What every request of an account needs (address, headers, keys), made once per opened account.

An account that is used no more is forgotten: its credentials are in there.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from offhook.core.clock import SystemClock
from offhook.core.recent import Recent
from offhook.telephony.carrier import CarrierAccount

Door = TypeVar("Door")

_KEPT_SECONDS: Final = 60.0


class Doors(Generic[Door]):
    """One carrier's. An account that was opened anew, with other credentials perhaps, gets a new door."""

    def __init__(self, make: Callable[[CarrierAccount], Door]) -> None:
        self._make = make
        self._known: Recent[uuid.UUID, tuple[CarrierAccount, Door]] = Recent(SystemClock(), _KEPT_SECONDS)

    def of(self, account: CarrierAccount) -> Door:
        known = self._known.get(account.id)
        if known is not None and known[0] is account:
            return known[1]
        door = self._make(account)
        self._known.put(account.id, (account, door))
        return door
