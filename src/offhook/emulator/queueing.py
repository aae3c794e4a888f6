"""The queue of a sender that has a rate of its own: which slot a new message gets."""

from __future__ import annotations

from offhook.emulator.store import Record, Store

QUEUE_MAX_SECONDS = 36_000.0  # facts/telephony.md 1.9: a queue holds 10 h


class QueueFull(Exception):
    """The sender's queue takes no more."""


def slot_of(store: Store, account_sid: str, sender: str, segments: int, earliest: float) -> tuple[float, float] | None:
    """When a message's segments may go, from and to, in epoch seconds; None for a sender without a rate.

    Raises `QueueFull`.

    A sender's rate is in segments per second, set as its number's `segments_per_second`; `queue_max_seconds` is how
    far ahead of `earliest` its queue may reach.
    """
    settings = store.number_settings.get((account_sid, sender), {})
    rate = settings.get("segments_per_second")
    if not rate:
        return None
    slot = max(earliest, store.free_from(account_sid, sender))
    if slot - earliest > _queue_max_seconds(settings):
        raise QueueFull
    return slot, slot + segments / rate


def _queue_max_seconds(settings: Record) -> float:
    """Null, as it is set by the control API, is as good as nothing; 0 is not."""
    given: float | None = settings.get("queue_max_seconds")
    return QUEUE_MAX_SECONDS if given is None else given
