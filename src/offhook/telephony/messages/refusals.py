"""What a carrier's no means: for the text, for its sender's lane, for the account, for the recipient's number.

Policy is two tables: how long to wait where nothing was carried out, and what else each treatment does. Which code has
which treatment is the carriers' own table.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from offhook.core.db.pool import Connection
from offhook.core.ids import new_id
from offhook.telephony.alerts.models import AlertKind
from offhook.telephony.alerts.queries import raise_alert
from offhook.telephony.carrier import Refusal, Treatment
from offhook.telephony.consent.opting import How, Reason, opt_out, suppress, why
from offhook.telephony.consent.queries import find_reason
from offhook.telephony.messages import queries
from offhook.telephony.messages.lanes import LaneKey, wake
from offhook.telephony.messages.models import Message
from offhook.telephony.messages.stops import stop_account, stop_sender

CARRIERS_DAY: Final = ZoneInfo("America/Los_Angeles")
"""Daily limits of A2P senders are reset at midnight there (facts/telephony.md 1.5, codes 30023 and 30027)."""
LATER: Final = (timedelta(minutes=10), timedelta(hours=2))
"""How long after a text was not delivered the first and the second repetition go: ours, for a handset that is off."""
REPEATS_OF_A_WAIT: Final = 3
"""How often a text goes again that the carrier took, and dropped because the sender's limit was reached."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """`first_seconds * 2^(attempt - 1)` with jitter, at most `longest_seconds`, `attempts` times."""

    first_seconds: float
    longest_seconds: float
    attempts: int

    def delay_seconds(self, attempt: int) -> float:
        grown = self.first_seconds * 2 ** min(max(attempt - 1, 0), 30)
        return min(self.longest_seconds, grown) * (0.5 + random.random())  # noqa: S311 (jitter, not secrecy)


# Not carried out, so the pause is about load and patience, not about doubling: a voice call is waiting, and a text of
# yesterday helps nobody. 20429 starts at 100 ms in Twilio's own advice (facts/telephony.md 1.5).
RETRIES: Final[Mapping[Treatment, Backoff]] = {
    Treatment.RETRY: Backoff(0.2, 30.0, 20),
    Treatment.WAIT_SENDER: Backoff(60.0, 3600.0, 30),
    Treatment.WAIT_DAY: Backoff(3600.0, 3600.0, 30),
}
NOT_SENT: Final = Backoff(0.25, 60.0, 60)

WAITS: Final = frozenset({Treatment.WAIT_SENDER, Treatment.WAIT_DAY})
"""Those for which the sender's whole lane pauses."""
STOPS: Final = frozenset({Treatment.STOP_SENDER, Treatment.STOP_ACCOUNT})
"""Those that are not about the text: one that nobody waits for waits until an operator has acted."""


async def pause_end(connection: Connection, refusal: Refusal, attempt: int) -> datetime:
    """Until when a refusal that is a wait asks for patience."""
    now = await queries.now(connection)
    if refusal.treatment is Treatment.WAIT_DAY:
        return end_of_day(now)
    seconds = max(RETRIES[refusal.treatment].delay_seconds(attempt), refusal.retry_after_seconds or 0.0)
    return now + timedelta(seconds=seconds)


def end_of_day(now: datetime) -> datetime:
    """The next midnight of the carriers' day."""
    tomorrow = now.astimezone(CARRIERS_DAY).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(0), CARRIERS_DAY)


async def apply_refusal(connection: Connection, message: Message, refusal: Refusal) -> None:
    """What a final refusal means beyond its message's status, which is written already. Call it once per refusal:
    where two may tell of it (callback and look-up), only for the one that moved the status."""
    act = _ACTS.get(refusal.treatment)
    if act is not None:
        await act(connection, message, refusal)


OUTCOME_UNKNOWN: Final = "outcome_unknown"
NEVER_LEFT: Final = "not_sent"
"""Codes of texts that were given up: it may have been carried out; no request ever reached the carrier."""


async def give_up(connection: Connection, message: Message, code: str, decision: str) -> bool:
    """The end of a text that no attempt has settled; an operator is told. False if this attempt is no longer the
    message's."""
    ended = await queries.record_failed(connection, message, code, decision)
    if ended:
        await raise_alert(connection, message.organization_id, AlertKind.TEXT_GIVEN_UP, code, decision)
    return ended


Act = Callable[[Connection, Message, Refusal], Awaitable[None]]


async def _opted_out(connection: Connection, message: Message, refusal: Refusal) -> None:
    await opt_out(
        connection,
        message.organization_id,
        message.to_number,
        reason=Reason.CARRIER,
        how=How.CARRIER,
        message_id=message.id,
    )


async def _unreachable(connection: Connection, message: Message, refusal: Refusal) -> None:
    await suppress(connection, message.organization_id, message.to_number, Reason.UNREACHABLE)


async def _alert(connection: Connection, message: Message, refusal: Refusal) -> None:
    await raise_alert(connection, message.organization_id, AlertKind.TEXT_REFUSED, refusal.code, refusal.sentence)


async def _stop_sender(connection: Connection, message: Message, refusal: Refusal) -> None:
    reason = f"{refusal.code}: {refusal.sentence}"
    await stop_sender(connection, message.organization_id, _lane(message), reason)
    await queries.add_to_decision(connection, message.id, "The sender is stopped until somebody starts it again.")


async def _stop_account(connection: Connection, message: Message, refusal: Refusal) -> None:
    reason = f"{refusal.code}: {refusal.sentence}"
    await stop_account(connection, message.organization_id, message.carrier_account_id, reason)
    await queries.add_to_decision(connection, message.id, "The account is stopped until somebody starts it again.")


async def _pause_lane(connection: Connection, message: Message, refusal: Refusal) -> None:
    """The carrier took the text and dropped it because a limit was reached: it goes again when the limit allows."""
    until = await pause_end(connection, refusal, 1)
    await queries.pause_lane(connection, _lane(message).account_id, message.sender, until)
    await _repeat(connection, message, until, REPEATS_OF_A_WAIT)


async def _later(connection: Connection, message: Message, refusal: Refusal) -> None:
    repeated = await queries.count_repeats(connection, message.id)
    now = await queries.now(connection)
    await _repeat(connection, message, now + LATER[min(repeated, len(LATER) - 1)], refusal.repeats)


_ACTS: Final[Mapping[Treatment, Act]] = {
    Treatment.WAIT_SENDER: _pause_lane,
    Treatment.WAIT_DAY: _pause_lane,
    Treatment.RETRY_LATER: _later,
    Treatment.ALERT: _alert,
    Treatment.SUPPRESS: _opted_out,
    Treatment.UNREACHABLE: _unreachable,
    Treatment.STOP_SENDER: _stop_sender,
    Treatment.STOP_ACCOUNT: _stop_account,
}


async def _repeat(connection: Connection, message: Message, at: datetime, most: int) -> None:
    """Send the text again as a new message, unless it has been repeated often enough or would be too late."""
    repeated = await queries.count_repeats(connection, message.id)
    if repeated >= most:
        verdict = f"It was repeated {repeated} times and is given up." if repeated else "It is not repeated."
    elif message.expires_at is not None and message.expires_at <= at:
        verdict = "It is not repeated, because it would come after the time that it could wait."
    elif (listed := await find_reason(connection, message.organization_id, message.to_number)) is not None:
        verdict = f"It is not repeated: {why(listed)}."
    elif await queries.insert_repeat(connection, message.id, repeat := new_id(), at):
        verdict = f"It is sent again as message {repeat} at {at:%Y-%m-%d %H:%M %Z}."
        await wake(connection, _lane(message), at)
    else:
        return
    await queries.add_to_decision(connection, message.id, verdict)


def _lane(message: Message) -> LaneKey:
    return LaneKey(message.carrier_account_id, message.sender)
