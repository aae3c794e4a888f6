"""What became of a text to each of its recipients, and what the model may claim of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from offhook.core.errors import Effect, InvalidInput, ToolError
from offhook.tools.calls import Call
from offhook.tools.ports import NO_SENDER_CODE, SUPPRESSED_CODE, TOO_LONG_CODE, TextReceipt
from offhook.tools.recipients import shown
from offhook.tools.results import Answer


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the text to one recipient. `status` is one of _CLAIMS."""

    status: str
    effect: Effect
    reason: str = ""
    detail: str = ""
    code: str = ""
    until: str = ""
    """With `held`: when it will go, or may at the earliest."""


_STATUS: Final[Mapping[str, str]] = {
    "queued": "queued",
    "sending": "unknown",
    "accepted": "sent",
    "sent": "sent",
    "delivered": "sent",
    "undelivered": "refused",
    "failed": "refused",
    "canceled": "refused",
}
"""The message's status (migrations/0003) in the model's words."""


def not_accepted(call: Call, error: InvalidInput, sender: str | None) -> Outcome:
    reason, detail = "it was not accepted", error.detail
    if error.code == SUPPRESSED_CODE:
        reason = as_reason(error.detail)
    elif error.code == TOO_LONG_CODE:
        reason = "it is too long for one text: make it shorter"
    elif error.code == NO_SENDER_CODE and sender is None:
        reason = "there is no number to send it from"
    elif error.code == NO_SENDER_CODE and sender is not None:
        whose = "the number that was called" if sender == call.context.our_number else "the tool's number"
        reason, detail = f"{whose} cannot send texts", f"{whose}, ending {sender[-2:]}, cannot send texts: {detail}"
    return Outcome("refused", Effect.NONE, reason, detail, error.code)


def as_reason(sentence: str) -> str:
    """A sentence as part of what the model is told."""
    return f"{sentence[:1].lower()}{sentence[1:]}".rstrip(".")


def outcome_of(receipt: TextReceipt) -> Outcome:
    status = "unknown" if receipt.effect is Effect.UNKNOWN else _STATUS.get(receipt.status, "unknown")
    detail, code = receipt.decision or "", receipt.error_code or ""
    if status == "refused" and receipt.effect is Effect.DONE:
        return Outcome("in part", Effect.DONE, "not all of its parts were taken", detail, code)
    if status == "refused":
        return Outcome(status, Effect.NONE, "the network did not take it", detail, code)
    if status == "queued" and receipt.hold_reason is not None:
        return _held(receipt)
    return Outcome(status, Effect.UNKNOWN if status == "unknown" else Effect.DONE, "", detail, code)


_HOLDS: Final[Mapping[str, str]] = {
    "quiet_hours": "at this hour nobody there is texted",
    "recipient_cap": "this number has had as many texts as it may have within a day",
    "daily_cap": "the team has sent as many texts as it may today",
}
_AT_THE_EARLIEST: Final = frozenset({"recipient_cap", "daily_cap"})
"""Others may wait for the same room."""


def _held(receipt: TextReceipt) -> Outcome:
    reason = _HOLDS.get(receipt.hold_reason or "", "the team has to set something right first")
    moment = receipt.held_until
    until = "" if moment is None else f"{moment:%A, %d %B, %H:%M} ({moment.tzinfo})"
    if until and receipt.hold_reason in _AT_THE_EARLIEST:
        until = f"{until} at the earliest"
    return Outcome("held", Effect.DONE, reason, receipt.decision or "", until=until)


_CLAIMS: Final[Mapping[str, str]] = {
    "sent": "Where the status is sent, you may say that it was sent.",
    "queued": "Where it is queued, say that it is on its way and arrives in a moment.",
    "held": "Where it is held, it does not go now: say that it will arrive at the time in until, just as until "
    "puts it; without one, no time.",
    "in part": "Where it is in part, not all of the text arrives; say so.",
    "unknown": "Where it is unknown, say neither that it was sent nor that it was not; it is being found out.",
    "refused": "Where it is refused, nothing was sent; say so.",
}


_TAKEN: Final = frozenset({"sent", "queued", "held", "in part"})


def answer(call: Call, outcomes: Sequence[tuple[str, Outcome]]) -> Answer:
    statuses = {outcome.status for _, outcome in outcomes}
    if not statuses & _TAKEN:
        raise _failure(call, outcomes)
    rows: list[dict[str, str]] = []
    for number, outcome in outcomes:
        row = {"to": shown(call, number), "status": outcome.status}
        if outcome.reason:
            row["reason"] = outcome.reason
        if outcome.until:
            row["until"] = outcome.until
        rows.append(row)
    note = " ".join(sentence for status, sentence in _CLAIMS.items() if status in statuses)
    return Answer({"sent_to": rows, "note": note}, Effect.UNKNOWN if "unknown" in statuses else Effect.DONE)


def _failure(call: Call, outcomes: Sequence[tuple[str, Outcome]]) -> ToolError:
    """Nobody certainly gets the text."""
    details = "; ".join(sorted({item.detail or item.reason for _, item in outcomes}))
    unknown = any(item.effect is Effect.UNKNOWN for _, item in outcomes)
    code = next((item.code for _, item in outcomes if item.code), None)
    if unknown:
        say = "It is not known yet whether the text was sent. Say neither that it was nor that it was not."
        return ToolError(say, detail=details, effect=Effect.UNKNOWN, code="outcome_unknown")
    reasons = "; ".join(f"{shown(call, number)}: {item.reason}" for number, item in outcomes)
    return ToolError(f"The text was not sent ({reasons}).", detail=details, code=code or "not_sent")
