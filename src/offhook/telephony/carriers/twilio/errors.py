"""Twilio's error codes and what to do about each: facts/telephony.md 1.5.

Twilio says that codes may change, so a code that is not here is permanent for its message and shown to the operator.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from offhook.telephony.carrier import Refusal, Treatment

_RETRY = Treatment.RETRY
_WAIT = Treatment.WAIT_SENDER
_WAIT_DAY = Treatment.WAIT_DAY
_FAIL = Treatment.FAIL
_STOP = Treatment.STOP_ACCOUNT

ERRORS: Final[Mapping[str, tuple[Treatment, str]]] = {
    "20003": (_STOP, "Twilio refuses the credentials: an operator must enter valid ones."),
    "20404": (_FAIL, "Twilio knows no such resource."),
    "20422": (_FAIL, "Twilio refuses a parameter of the request: this is a fault of Offhook's."),
    "20429": (_RETRY, "Twilio takes no more requests at the moment."),
    "21211": (_FAIL, "The recipient's number is invalid."),
    "21212": (_FAIL, "The sender's number is invalid: an operator must correct it."),
    "21217": (_FAIL, "The number is invalid."),
    "21408": (_FAIL, "Texts to that country are switched off in Twilio's geo permissions: an operator may allow them."),
    "21602": (_FAIL, "The text has no body."),
    "21603": (_FAIL, "The text has no sender."),
    "21604": (_FAIL, "The text has no recipient."),
    "21606": (
        _FAIL,
        "The sender's number cannot send texts or is not this account's: an operator must choose one.",
    ),
    "21608": (_FAIL, "A trial account texts verified numbers only: an operator must verify it or upgrade."),
    "21610": (Treatment.SUPPRESS, "The recipient has opted out of texts from this sender."),
    "21611": (_WAIT, "The sender's queue at Twilio is full."),
    "21612": (_FAIL, "The recipient cannot be reached by a text from this sender."),
    "21614": (_FAIL, "The recipient's number is not a mobile one."),
    "21617": (_FAIL, "The text is longer than 1600 characters."),
    "21620": (_FAIL, "A media address is invalid."),
    "21623": (_FAIL, "The text has too many media."),
    "21703": (_FAIL, "The messaging service has no sender: an operator must add one."),
    "21704": (_FAIL, "The messaging service has no sender that fits: an operator must add one."),
    "30001": (_WAIT, "The sender's queue at Twilio was full."),
    "30002": (_STOP, "Twilio has suspended the account: an operator must settle that with Twilio."),
    "30003": (_FAIL, "The handset could not be reached."),
    "30004": (_FAIL, "The recipient or its carrier blocks the text."),
    "30005": (_FAIL, "The handset is unknown."),
    "30006": (_FAIL, "The number is a landline or its carrier takes no texts."),
    "30007": (_FAIL, "Twilio or the carrier filtered the text: an operator must look at its content."),
    "30008": (_FAIL, "The carrier gave no reason."),
    "30010": (_FAIL, "The text costs more than the highest price allowed."),
    "30011": (_FAIL, "The sender or the recipient's network takes no media."),
    "30019": (_FAIL, "The content is too large."),
    "30022": (_WAIT, "The sender's rate at the carriers is exceeded."),
    "30023": (_WAIT, "The sender's daily limit at the carriers is reached; it resets at midnight, US Pacific."),
    "30027": (_WAIT, "The brand's daily limit at the carrier is reached; it resets at midnight, US Pacific."),
    "30032": (_FAIL, "The toll-free sender is not verified: an operator must verify it."),
    "30034": (_FAIL, "The sender is in no approved 10DLC campaign: an operator must register it."),
    "30035": (_FAIL, "The sender is still being configured: try again later."),
    "30410": (_FAIL, "The carrier did not answer Twilio in time."),
    "30450": (_FAIL, "Twilio suspects SMS pumping to that destination and blocks it for a while: do not repeat it."),
    "35111": (_FAIL, "The time to send at is missing."),
    "35114": (_FAIL, "The time to send at is out of range."),
    "35118": (_FAIL, "A scheduled text needs a messaging service."),
    "35125": (_FAIL, "The account has too many scheduled texts."),
}

_BY_STATUS: Final[Mapping[int, str]] = {401: "20003", 403: "20003", 429: "20429"}


def refusal_of(code: str, *, retry_after_seconds: float | None = None) -> Refusal:
    """What to do about an error code."""
    treatment, sentence = ERRORS.get(
        code, (_FAIL, f"Twilio refused the text with code {code}, which Offhook does not know: an operator must look.")
    )
    return Refusal(code, treatment, sentence, retry_after_seconds)


def refusal_of_answer(status: int, code: object, retry_after: str | None) -> Refusal:
    """What to do about a 3xx or 4xx answer; `code` is the body's, if it had one."""
    wait = float(retry_after) if retry_after is not None and retry_after.isdecimal() else None
    if status == 429:
        known = refusal_of("20429", retry_after_seconds=wait)
        return known if code in (None, 20429) else Refusal(str(code), known.treatment, known.sentence, wait)
    if isinstance(code, int) and not isinstance(code, bool):
        return refusal_of(str(code), retry_after_seconds=wait)
    if status in _BY_STATUS:
        return refusal_of(_BY_STATUS[status])
    return Refusal(f"http_{status}", _FAIL, f"Twilio answered HTTP {status} without a code: an operator must look.")
