"""Opting out and in: every way in ends here, so that the list, the record and the queue never tell different stories.

An opt-out is three rows in one transaction: the suppression, the record of who asked for it and how, and the queued
texts to that number, canceled.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Final

from offhook.core.db.pool import Connection
from offhook.telephony.consent import queries


class Reason(StrEnum):
    """Why a number is on the suppression list. Later ones are stronger, and replace what stands there."""

    UNREACHABLE = "unreachable"
    """It takes no texts (a landline, a number that has ceased): told by the carrier, asked for by nobody. Whoever texts
    us from it shows the contrary."""
    CARRIER = "carrier"
    """The carrier says that the person has opted out."""
    FREE_FORM = "free_form"
    """The person asked in words of their own."""
    KEYWORD = "keyword"
    """The person wrote STOP or one of its synonyms."""
    OPERATOR = "operator"
    """Entered by the organization."""


class How(StrEnum):
    """How a wish reached us."""

    KEYWORD = "keyword"
    FREE_FORM = "free_form"
    OPT_OUT_TYPE = "opt_out_type"
    """The carrier read the text and says what it took it for."""
    CARRIER = "carrier"
    """The carrier refused a text because of it."""
    OPERATOR = "operator"


PERSONS_OWN: Final = (How.KEYWORD, How.FREE_FORM, How.OPT_OUT_TYPE)
"""What the person wrote; the rest is about the person."""

TAKEN_BACK_BY_START: Final = (Reason.UNREACHABLE, Reason.CARRIER, Reason.FREE_FORM, Reason.KEYWORD)
"""What the person asked for, the person can undo; what the organization entered stays."""

SUPPRESSED: Final = "suppressed"
"""Of texts that are refused or canceled because their recipient is on the list."""

_WHY: Final = {
    Reason.UNREACHABLE: "the carrier says that the number takes no texts",
    Reason.CARRIER: "the carrier says that the recipient has opted out of texts",
    Reason.FREE_FORM: "the recipient has asked not to be texted any more",
    Reason.KEYWORD: "the recipient has opted out of texts",
    Reason.OPERATOR: "the organization has put the number on its suppression list",
}


def why(reason: str) -> str:
    """Why a number on the list is not texted, as the middle of a sentence."""
    return _WHY[Reason(reason)]


def refusal(reason: str) -> str:
    """What whoever wants to text the number is told."""
    told = why(reason)
    return f"{told[0].upper()}{told[1:]}, so nothing is sent to that number."


async def opt_out(
    connection: Connection,
    organization_id: uuid.UUID,
    number: str,
    *,
    reason: Reason,
    how: How,
    message_id: uuid.UUID | None = None,
    at: datetime | None = None,
) -> None:
    """The person behind `number` (E.164) wants no more texts. `message_id`: the text that said so; `at`: when it
    reached us, None for now. What reached us before the person's last word is recorded and changes nothing."""
    await queries.lock_number(connection, organization_id, number)
    late = at is not None and await queries.has_opted_in_after(connection, organization_id, number, at, PERSONS_OWN)
    await queries.insert_event(connection, organization_id, number, "opt_out", how, message_id, at)
    if not late:
        await suppress(connection, organization_id, number, reason)


async def opt_in(
    connection: Connection,
    organization_id: uuid.UUID,
    number: str,
    *,
    how: How,
    message_id: uuid.UUID | None = None,
    at: datetime | None = None,
) -> None:
    """The person wants texts again: takes back what the person's own words had brought about. `at` as in `opt_out`."""
    await queries.lock_number(connection, organization_id, number)
    late = at is not None and await queries.has_opted_out_since(connection, organization_id, number, at)
    await queries.insert_event(connection, organization_id, number, "opt_in", how, message_id, at)
    if not late:
        await queries.delete_suppression(connection, organization_id, number, TAKEN_BACK_BY_START)


async def reached_us(connection: Connection, organization_id: uuid.UUID, number: str) -> None:
    """The number has texted us, so it takes texts, whatever the carrier said of it."""
    await queries.delete_suppression(connection, organization_id, number, (Reason.UNREACHABLE,))


async def take_off(connection: Connection, organization_id: uuid.UUID, number: str) -> bool:
    """The organization takes a number off its list, whatever it stood there for. False: it was not on it."""
    await queries.lock_number(connection, organization_id, number)
    reason = await queries.delete_suppression(connection, organization_id, number)
    if reason is None:
        return False
    if reason != Reason.UNREACHABLE:  # which is nobody's wish
        await queries.insert_event(connection, organization_id, number, "opt_in", How.OPERATOR, None, None)
    return True


async def ask_for_help(
    connection: Connection,
    organization_id: uuid.UUID,
    number: str,
    *,
    how: How,
    message_id: uuid.UUID | None = None,
    at: datetime | None = None,
) -> None:
    """The person asks who is texting. The carrier answers; we write it down."""
    await queries.insert_event(connection, organization_id, number, "help", how, message_id, at)


async def suppress(connection: Connection, organization_id: uuid.UUID, number: str, reason: Reason) -> None:
    """Onto the list without anybody's asking: a number that takes no texts. Cancels what is queued for it."""
    await queries.upsert_suppression(connection, organization_id, number, reason, list(Reason))
    await queries.cancel_queued(connection, organization_id, number, f"Canceled: {why(reason)}.")
