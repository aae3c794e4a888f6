"""The words that Twilio answers itself, and with what (facts/telephony.md 4; Twilio's article on opt-out keywords)."""

from __future__ import annotations

from dataclasses import dataclass

STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPTOUT"})
START_WORDS = frozenset({"START", "UNSTOP", "YES"})
HELP_WORDS = frozenset({"HELP", "INFO"})

STOP_REPLY = (
    "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe."
)
START_REPLY = (
    "You have successfully been re-subscribed to messages from this number. "
    "Reply HELP for help. Reply STOP to unsubscribe. Msg&Data Rates May Apply."
)
HELP_REPLY = "Reply STOP to unsubscribe. Msg&Data Rates May Apply."


@dataclass(frozen=True, slots=True)
class Keyword:
    kind: str
    """`STOP`, `START` or `HELP`: the webhook's OptOutType where advanced opt-out is on."""
    reply: str | None
    """None where Twilio says nothing."""
    blocks: bool | None
    """Whether the phone is blocked from now on; None changes nothing."""


def keyword(body: str, *, blocked: bool) -> Keyword | None:
    """What a text means to Twilio; None for an ordinary one. Only the word alone counts, in any case.

    A phone that is `blocked` already gets no second confirmation and no help; YES means START only to one that is.
    That START to one that is not gets no answer is unconfirmed.
    """
    word = body.strip().upper()
    if word in STOP_WORDS:
        return Keyword("STOP", None if blocked else STOP_REPLY, True)
    if word in START_WORDS and (blocked or word != "YES"):
        return Keyword("START", START_REPLY if blocked else None, False)
    if word in HELP_WORDS:
        return Keyword("HELP", None if blocked else HELP_REPLY, None)
    return None
