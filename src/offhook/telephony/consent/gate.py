"""The gate: asked about every text inside the transaction that claims it, last before the send.

In this order, so that a text that waits for the morning takes up nobody's place: the suppression list, quiet hours,
texts to one person, the organization's day.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from offhook.core.clock import Clock
from offhook.core.db.pool import Connection
from offhook.telephony.consent import tallies
from offhook.telephony.consent.hours import QuietHours, next_opening
from offhook.telephony.consent.opting import SUPPRESSED, why
from offhook.telephony.consent.texting import SETTING, TextingPolicy, read_texting
from offhook.telephony.consent.zones import find_zone, zones_of
from offhook.telephony.messages.models import Message

CAP_PERIOD: Final = timedelta(hours=24)
WAIT_FOR_ZONE: Final = timedelta(hours=24)
"""Nothing is held for ever: a text whose hour nobody can tell is canceled then."""


@dataclass(frozen=True, slots=True)
class Held:
    """Not now. `reason`: quiet_hours, time_zone_unknown, recipient_cap or daily_cap; `sentence`: why, and what comes
    then, for the operator."""

    until: datetime
    reason: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Never: the text is canceled. `code`: suppressed, or time_zone_unknown."""

    code: str
    sentence: str


Verdicts = dict[uuid.UUID, Held | Withdrawn]


def suppressed(reason: str) -> Withdrawn:
    """What becomes of a text to a number that is on the list."""
    return Withdrawn(SUPPRESSED, f"Not sent: {why(reason)}.")


_SAY_WHERE: Final = "Set texting.time_zone of the organization, or send recipient_time_zone with the text."
NOWHERE: Final = Withdrawn(
    "time_zone_unknown",
    f"Not sent: for a day nobody has said in which time zone the recipient is, and the number does not tell. "
    f"{_SAY_WHERE}",
)


class Gate:
    """Who may be texted at this moment. `clock` None: by the database's clock, which all processes share."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock

    async def judge(self, connection: Connection, messages: Sequence[Message]) -> Mapping[uuid.UUID, Held | Withdrawn]:
        """Those of one organization's texts that may not go now; the others may, and are to be claimed in the same
        transaction.

        Call it before any row of `messages` is changed: texts judged free in one call count towards each other's
        limits, and whoever else judges for the organization waits until this transaction ends.
        """
        if not messages:
            return {}
        organization_id = messages[0].organization_id
        standing = await tallies.standing(connection, organization_id, SETTING, {m.to_number for m in messages})
        policy = read_texting(standing.setting)
        now = self._clock.now() if self._clock else standing.now
        listed = standing.suppressed
        verdicts: Verdicts = {m.id: suppressed(listed[m.to_number]) for m in messages if m.to_number in listed}
        verdicts |= await _quiet(connection, policy, now, _free(messages, verdicts))
        if policy.recipient_daily_cap is not None or policy.daily_segments is not None:
            await tallies.lock(connection, organization_id)
            verdicts |= await _too_many(connection, policy, now, _free(messages, verdicts))
            verdicts |= await _day_full(connection, policy, now, _free(messages, verdicts))
        return verdicts


def _free(messages: Iterable[Message], verdicts: Verdicts) -> list[Message]:
    return [message for message in messages if message.id not in verdicts]


# Quiet hours --------------------------------------------------------------------------------------------------------


async def _quiet(connection: Connection, policy: TextingPolicy, now: datetime, messages: Sequence[Message]) -> Verdicts:
    quiet = policy.quiet_hours
    if quiet is None:
        return {}
    judged = {m.id: by_the_hour(m, policy, quiet, now) for m in messages if m.to_number not in policy.own_numbers}
    stopped = {message_id: verdict for message_id, verdict in judged.items() if verdict is not None}
    if not stopped:
        return {}
    expected = await tallies.expected(connection, messages[0].organization_id, list(stopped), now)
    return {message_id: verdict for message_id, verdict in stopped.items() if message_id not in expected}


def by_the_hour(message: Message, policy: TextingPolicy, quiet: QuietHours, now: datetime) -> Held | Withdrawn | None:
    """What quiet hours say about a text that nobody waits for; None: it may go."""
    found = _opening(message, policy, quiet, now)
    if found is None:
        return _nowhere(message, now)
    opening, zones, told = found
    if opening == now:
        return None
    zone = next(zone for zone in zones if quiet.hold(now, zone))
    clock = f"{now.astimezone(zone):%H:%M} ({zone.key})"
    whose = (
        f"for the recipient it is {clock}"
        if told
        else f"the number does not tell where the recipient is, and by the organization's clock it is {clock}"
    )
    sentence = f"Held: {whose}, within the quiet hours {quiet}."
    return _held(message, opening, "quiet_hours", sentence, f"It goes at {_when(opening, zone)}.", zone)


def _opening(
    message: Message, policy: TextingPolicy, quiet: QuietHours, now: datetime
) -> tuple[datetime, Sequence[ZoneInfo], bool] | None:
    """When the text may go, `now` or later, in which zones that is looked at, and whether they are the recipient's
    (else they are the organization's); None: nobody knows."""
    stated = find_zone(message.recipient_time_zone)
    zones: Sequence[ZoneInfo] = (stated,) if stated else zones_of(message.to_number)
    opening = next_opening(quiet, zones, now) if zones else None
    if opening is not None:
        return opening, zones, True
    ours = () if policy.time_zone is None else (policy.time_zone,)
    opening = next_opening(quiet, ours, now) if ours else None
    return None if opening is None else (opening, ours, False)


def _nowhere(message: Message, now: datetime) -> Held | Withdrawn:
    end = message.created_at + WAIT_FOR_ZONE
    if now >= end:
        return NOWHERE
    sentence = "Held: there are quiet hours, and the number does not tell in which time zone the recipient is."
    otherwise = f"{_SAY_WHERE} Otherwise it is canceled at {_when(end, UTC)}."
    return _held(message, end, NOWHERE.code, sentence, otherwise, UTC)


def _awake(message: Message, policy: TextingPolicy, at: datetime) -> datetime:
    """`at`, or when the quiet hours are over that hold the text then."""
    if policy.quiet_hours is None or message.to_number in policy.own_numbers:
        return at
    found = _opening(message, policy, policy.quiet_hours, at)
    return at if found is None else found[0]


def _held(message: Message, until: datetime, reason: str, why: str, then: str, zone: tzinfo) -> Held:
    """`then`: what happens at `until`, unless the text has expired."""
    if message.expires_at is not None and message.expires_at <= until:
        then = f"It is canceled at {_when(message.expires_at, zone)}, before it could go: it may not wait any longer."
    return Held(until, reason, f"{why} {then}")


# Texts to one person ------------------------------------------------------------------------------------------------


async def _too_many(
    connection: Connection, policy: TextingPolicy, now: datetime, messages: Sequence[Message]
) -> Verdicts:
    cap = policy.recipient_daily_cap
    if cap is None or not messages:
        return {}
    wanted = Counter(message.to_number for message in messages)
    ids = [message.id for message in messages]
    crowding = await tallies.crowding(connection, messages[0].organization_id, wanted, cap, ids, now - CAP_PERIOD)
    verdicts: Verdicts = {}
    freed = Counter[str]()
    for message in messages:
        number = message.to_number
        until = cap_frees(crowding[number], wanted[number], cap, freed[number], now)
        if until is None:
            freed[number] += 1
            continue
        why = (
            f"Held: the recipient has had {cap} texts within 24 hours, which is the organization's limit "
            f"(texting.recipient_daily_cap)."
        )
        verdicts[message.id] = _at_the_earliest(message, policy, until, "recipient_cap", why)
    return verdicts


def cap_frees(crowding: Sequence[datetime], wanted: int, cap: int, freed: int, now: datetime) -> datetime | None:
    """When the number may have one text more than the `freed` that it gets at `now`; None: at once.

    `crowding` are the times from place `max(cap - wanted, 0) + 1` on (newest first) of the texts within the period.
    """
    if freed >= cap:
        return now + CAP_PERIOD
    place = cap - freed - 1 - max(cap - wanted, 0)
    return crowding[place] + CAP_PERIOD if place < len(crowding) else None


# The organization's day ---------------------------------------------------------------------------------------------


async def _day_full(
    connection: Connection, policy: TextingPolicy, now: datetime, messages: Sequence[Message]
) -> Verdicts:
    limit = policy.daily_segments
    zone = policy.time_zone or UTC
    begin = _midnight(now, zone, 0)
    # Another attempt at a text that was claimed today has been counted.
    new = [m for m in messages if m.attempt_started_at is None or m.attempt_started_at < begin]
    if limit is None or not new:
        return {}
    organization_id = new[0].organization_id
    used = await tallies.segments_of_day(connection, organization_id, begin)
    if used is None or used + sum(message.segments for message in new) > limit:
        # Exact where it matters: what was written down may have been judged free and not been claimed after all.
        used = await tallies.segments_since(connection, organization_id, begin, [m.id for m in new])
    verdicts: Verdicts = {}
    for message in new:
        # A text longer than the limit goes as a day's first, or it would never.
        if used == 0 or used + message.segments <= limit:
            used += message.segments
            continue
        why = f"Held: the organization's {limit} segments of today are used up (texting.daily_segments)."
        verdicts[message.id] = _at_the_earliest(message, policy, _midnight(now, zone, 1), "daily_cap", why)
    await tallies.write_segments(connection, organization_id, begin, used)
    return verdicts


def _at_the_earliest(message: Message, policy: TextingPolicy, free: datetime, reason: str, why: str) -> Held:
    """Held by a limit that has room again at `free`: for how many of those that wait, and for which, shows then."""
    until, zone = _awake(message, policy, free), policy.time_zone or UTC
    return _held(message, until, reason, why, f"It goes at {_when(until, zone)} at the earliest.", zone)


def _midnight(now: datetime, zone: tzinfo, days: int) -> datetime:
    day = now.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, time(0), zone).astimezone(UTC)


def _when(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M} ({zone})"
