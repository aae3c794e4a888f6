"""Messaging profiles, the numbers on them and the phones blocked by them: what a text is judged by.

A profile carries webhook addresses, allowed destinations and opt-outs for all of its numbers (facts/telephony.md 7).
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from offhook.emulator.queueing import slot_of
from offhook.emulator.records import Service
from offhook.emulator.settings import Account
from offhook.emulator.store import Record, Store

EVERYWHERE = ("*",)


@dataclass(frozen=True, slots=True)
class Profile:
    """Kept in the store as a `Service`."""

    id: str
    account_sid: str
    name: str
    enabled: bool = True
    webhook_url: str | None = None
    webhook_failover_url: str | None = None
    whitelisted_destinations: tuple[str, ...] = EVERYWHERE
    """ISO 3166 country codes; `*` allows all."""
    number_pool: bool = True
    """Whether a text may name the profile alone and leave the sender to it."""
    created_at: float = 0.0
    updated_at: float = 0.0

    @classmethod
    def from_service(cls, service: Service) -> Profile:
        own: dict[str, Any] = {**service.own}
        return cls(
            id=service.sid,
            account_sid=service.account_sid,
            name=service.name,
            enabled=own["enabled"],
            webhook_url=service.inbound_url,
            webhook_failover_url=service.fallback_url,
            whitelisted_destinations=tuple(own["whitelisted_destinations"]),
            number_pool=own["number_pool"],
            created_at=own["created_at"],
            updated_at=own["updated_at"],
        )

    def to_service(self) -> Service:
        return Service(
            sid=self.id,
            account_sid=self.account_sid,
            name=self.name,
            face="telnyx",
            inbound_url=self.webhook_url,
            fallback_url=self.webhook_failover_url,
            own={
                "enabled": self.enabled,
                "whitelisted_destinations": list(self.whitelisted_destinations),
                "number_pool": self.number_pool,
                "created_at": self.created_at,
                "updated_at": self.updated_at,
            },
        )

    @property
    def webhook_urls(self) -> tuple[str, ...]:
        return tuple(url for url in (self.webhook_url, self.webhook_failover_url) if url)


@lru_cache
def default_profile(account_sid: str) -> Profile:
    """The profile that every account has, with the same id each time; all numbers start on it."""
    return Profile(str(uuid.uuid5(uuid.NAMESPACE_OID, f"telnyx {account_sid}")), account_sid, "Emulated profile")


@lru_cache
def organization_id(account_sid: str) -> str:
    """The same for an account every time."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"telnyx organization {account_sid}"))


def number_id(account_sid: str, number: str) -> str:
    """The same for a number every time: decimal digits, as Telnyx's ids of numbers."""
    return str(int(hashlib.sha256(f"{account_sid} {number}".encode()).hexdigest()[:15], 16))


class Book:
    """What one account has at Telnyx, read from the store as it is now."""

    def __init__(self, store: Store, account: Account) -> None:
        self._store = store
        self.account = account

    @property
    def numbers(self) -> tuple[str, ...]:
        return self.account.telnyx_numbers

    def profiles(self) -> list[Profile]:
        """All of them, the default one first."""
        default = self._default()
        others = [
            Profile.from_service(service)
            for service in self._store.services.values()
            if service.face == "telnyx" and service.account_sid == self.account.sid and service.sid != default.id
        ]
        return [default, *others]

    def _default(self) -> Profile:
        default = default_profile(self.account.sid)
        kept = self._store.services.get(default.id)
        return default if kept is None else Profile.from_service(kept)

    def find_profile(self, profile_id: str) -> Profile | None:
        service = self._store.services.get(profile_id)
        if service is not None and service.face == "telnyx" and service.account_sid == self.account.sid:
            return Profile.from_service(service)
        default = default_profile(self.account.sid)
        return default if profile_id == default.id else None

    def find_profile_of(self, number: str) -> Profile | None:
        """The profile a number is on; None for a number that is not the account's, or on none."""
        profile_id = self._assigned(number) if number in self.numbers else None
        return None if profile_id is None else self.find_profile(profile_id)

    def _assigned(self, number: str) -> str:
        settings = self._store.number_settings.get((self.account.sid, number), {})
        assigned: str | None = settings.get("messaging_profile_id")
        return default_profile(self.account.sid).id if assigned is None else assigned

    def numbers_of(self, profile: Profile) -> list[str]:
        return [number for number in self.numbers if self._assigned(number) == profile.id]

    def slot(self, number: str, parts: int, earliest: float) -> tuple[float, float] | None:
        """When the queue of a number lets so many parts go, from and to. Raises `QueueFull`."""
        return slot_of(self._store, self.account.sid, number, parts, earliest)

    def is_blocked(self, profile: Profile, phone: str) -> bool:
        """Whether the phone has texted STOP to a number of the profile."""
        return (self.account.sid, profile.id, phone) in self._store.blocks


def keeping(profile: Profile, *, at: float) -> Record:
    """The record that keeps a new or changed profile."""
    kept = replace(profile, created_at=profile.created_at or at, updated_at=at)
    return kept.to_service().to_record()


def assigning(account_sid: str, number: str, profile_id: str) -> Record:
    """The record that puts a number on a profile; "" takes it off all."""
    return {
        "type": "number",
        "account_sid": account_sid,
        "number": number,
        "set": {"messaging_profile_id": profile_id},
    }


def blocking(profile: Profile, phone: str, *, blocked: bool) -> Record:
    """The record that blocks a phone for all of a profile's numbers, or frees it."""
    return {
        "type": "block",
        "account_sid": profile.account_sid,
        "from_number": profile.id,
        "to": phone,
        "blocked": blocked,
    }
