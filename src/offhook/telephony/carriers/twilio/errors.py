"""Twilio's error codes and what to do about each: facts/telephony.md 1.5.

Twilio says that codes may change, so a code that is not here is permanent for its message and alerts the operator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from offhook.telephony.carrier import Refusal, Treatment

_RETRY = Treatment.RETRY
_WAIT = Treatment.WAIT_SENDER
_WAIT_DAY = Treatment.WAIT_DAY
_LATER = Treatment.RETRY_LATER
_FAIL = Treatment.FAIL
_ALERT = Treatment.ALERT
_UNREACHABLE = Treatment.UNREACHABLE
_STOP_SENDER = Treatment.STOP_SENDER
_STOP_ACCOUNT = Treatment.STOP_ACCOUNT

_FAULT = "This is a fault of Offhook's: please report it."

_TABLE: Final = (
    # Of media: twilio.com/docs/api/errors.
    Refusal("11200", _ALERT, "Twilio could not fetch a medium: an operator must see that its address can be reached."),
    Refusal("12300", _FAIL, "Twilio does not take a medium's content type: whoever wrote the text must send another."),
    Refusal("20003", _STOP_ACCOUNT, "Twilio refuses the credentials: an operator must enter valid ones."),
    Refusal("20009", _FAIL, "The text has not ended at Twilio, which forgets it only then: ask again when it has."),
    Refusal("20404", _FAIL, f"Twilio knows no such resource. {_FAULT}"),
    Refusal("20422", _FAIL, f"Twilio refuses a parameter of the request. {_FAULT}"),
    Refusal("20429", _RETRY, "Twilio takes no more requests at the moment: nobody has to act."),
    Refusal("21211", _FAIL, "The recipient's number is invalid: whoever entered it must correct it."),
    Refusal("21212", _STOP_SENDER, "The sender's number is invalid: an operator must correct it."),
    Refusal("21217", _FAIL, "The number is invalid: whoever entered it must correct it."),
    Refusal("21266", _FAIL, "Sender and recipient are the same number: whoever entered it must correct it."),
    Refusal("21408", _ALERT, "Twilio's geo permissions forbid texts to that country: an operator may allow them."),
    Refusal("21602", _FAIL, f"The text has no body. {_FAULT}"),
    Refusal("21603", _FAIL, f"The text has no sender. {_FAULT}"),
    Refusal("21604", _FAIL, f"The text has no recipient. {_FAULT}"),
    Refusal(
        "21606",
        _ALERT,
        "The sender's number cannot text that recipient, or is not this account's: an operator must choose another.",
    ),
    Refusal("21608", _ALERT, "A trial account texts verified numbers only: an operator must verify it or upgrade."),
    Refusal(
        "21610", Treatment.SUPPRESS, "The recipient has opted out of texts from this sender: only they can undo it."
    ),
    Refusal("21611", _WAIT, "The sender's queue at Twilio is full: nobody has to act."),
    Refusal(
        "21612", _FAIL, "Twilio has no route from this sender to that recipient: an operator may use another sender."
    ),
    Refusal("21614", _UNREACHABLE, "The recipient's number is not a mobile one: texts do not reach it."),
    Refusal("21617", _FAIL, "The text is longer than 1600 characters: whoever wrote it must shorten it."),
    Refusal("21620", _FAIL, "A media address is invalid: whoever entered it must correct it."),
    Refusal("21623", _FAIL, "The text has too many media: whoever wrote it must send fewer."),
    Refusal("21703", _STOP_SENDER, "The messaging service has no sender: an operator must add one at Twilio."),
    Refusal(
        "21704", _STOP_SENDER, "The messaging service has no sender that fits: an operator must add one at Twilio."
    ),
    Refusal("30001", _WAIT, "The sender's queue at Twilio was full: nobody has to act."),
    Refusal("30002", _STOP_ACCOUNT, "Twilio has suspended the account: an operator must settle that with Twilio."),
    Refusal("30003", _LATER, "The handset could not be reached; it may be off: nobody has to act.", repeats=2),
    Refusal("30004", _FAIL, "The recipient or its carrier blocks the text: do not repeat it."),
    Refusal("30005", _UNREACHABLE, "The handset is unknown: texts do not reach that number."),
    Refusal("30006", _UNREACHABLE, "The number is a landline or its carrier takes no texts: texts do not reach it."),
    Refusal("30007", _ALERT, "Twilio or the carrier filtered the text: an operator must look at its content."),
    Refusal("30008", _LATER, "The carrier gave no reason: nobody has to act.", repeats=1),
    Refusal("30010", _ALERT, "The text costs more than the highest price allowed: an operator may raise it at Twilio."),
    Refusal("30011", _FAIL, "The sender or the recipient's network takes no media: send the text with a link instead."),
    Refusal("30019", _FAIL, "The content is too large: whoever wrote it must send less."),
    Refusal("30022", _WAIT, "The sender's rate at the carriers is exceeded: an operator may lower the sender's pace."),
    Refusal(
        "30023", _WAIT_DAY, "The sender's daily limit at the carriers is reached; it ends at midnight, US Pacific."
    ),
    Refusal("30027", _WAIT_DAY, "The brand's daily limit at the carrier is reached; it ends at midnight, US Pacific."),
    Refusal("30032", _STOP_SENDER, "The toll-free sender is not verified: an operator must verify it at Twilio."),
    Refusal(
        "30034", _STOP_SENDER, "The sender is in no approved 10DLC campaign: an operator must register it at Twilio."
    ),
    Refusal(
        "30035", _STOP_SENDER, "The sender is still being registered: an operator must start it when that is done."
    ),
    Refusal("30036", _FAIL, "The text's validity ended before it was sent: an operator may lower the sender's pace."),
    Refusal("30410", _LATER, "The carrier did not answer Twilio in time: nobody has to act.", repeats=1),
    Refusal(
        "30450",
        _ALERT,
        "Twilio suspects SMS pumping to that destination and blocks it for a while: an operator must look into it.",
    ),
    Refusal("35111", _FAIL, f"The time to send at is missing. {_FAULT}"),
    Refusal("35114", _FAIL, f"The time to send at is out of range. {_FAULT}"),
    Refusal("35118", _FAIL, f"A scheduled text needs a messaging service. {_FAULT}"),
    Refusal("35125", _ALERT, "The account has too many scheduled texts at Twilio: an operator must look."),
    Refusal("14107", _ALERT, "Two numbers answer each other without end: an operator must stop one of them."),
)

ERRORS: Final[Mapping[str, Refusal]] = {refusal.code: refusal for refusal in _TABLE}

GONE: Final = frozenset({"20404", "http_404"})
"""Of a resource that was there: it is there no more."""

_BY_STATUS: Final[Mapping[int, str]] = {401: "20003", 403: "20003", 429: "20429"}


def refusal_of(code: str) -> Refusal:
    """What to do about an error code."""
    known = ERRORS.get(code)
    if known is not None:
        return known
    sentence = f"Twilio refused the text with code {code}, which Offhook does not know: an operator must look."
    return Refusal(code, _ALERT, sentence)


def refusal_of_answer(status: int, content: object, retry_after_seconds: float | None = None) -> Refusal:
    """What to do about a 3xx or 4xx answer; `content` is its JSON, if it had any."""
    code = _code_in(content)
    if status == 429:
        known = ERRORS.get(code or "", ERRORS["20429"])
        return replace(known, code=code or known.code, retry_after_seconds=retry_after_seconds)
    if code is not None:
        return replace(refusal_of(code), retry_after_seconds=retry_after_seconds)
    if status in _BY_STATUS:
        return ERRORS[_BY_STATUS[status]]
    return Refusal(f"http_{status}", _ALERT, f"Twilio answered HTTP {status} without a code: an operator must look.")


def _code_in(content: object) -> str | None:
    match content:
        case {"code": bool()}:
            return None
        case {"code": int(code)}:
            return str(code)
        case _:
            return None
