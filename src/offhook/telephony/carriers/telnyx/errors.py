"""Telnyx's error codes and what to do about each.

Codes and meanings: developers.telnyx.com/docs/messaging/messages/error-codes (40xxx) and
developers.telnyx.com/development/api-fundamentals/api-errors (10xxx), read in November 2026. Marked where we could not
confirm a meaning there. A code that is not here is permanent for its message and alerts the operator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, cast

from offhook.core.text import clean_text
from offhook.telephony.carrier import Refusal, Treatment

_RETRY = Treatment.RETRY
_WAIT = Treatment.WAIT_SENDER
_WAIT_DAY = Treatment.WAIT_DAY
_LATER = Treatment.RETRY_LATER
_FAIL = Treatment.FAIL
_ALERT = Treatment.ALERT
_STOP_SENDER = Treatment.STOP_SENDER
_STOP_ACCOUNT = Treatment.STOP_ACCOUNT

_FAULT = "This is a fault of Offhook's: please report it."
_CONTENT = "an operator must look at its content."

_TABLE: Final = (
    Refusal("10001", _FAIL, "A number is inactive: whoever entered it must correct it."),
    Refusal("10002", _FAIL, "A number is invalid: whoever entered it must correct it."),
    Refusal(
        "10003",
        _FAIL,
        "An address in the text is invalid or longer than 2000 characters: whoever entered it must correct it.",
    ),
    Refusal("10004", _FAIL, f"Telnyx misses a parameter of the request. {_FAULT}"),
    Refusal("10005", _FAIL, "Telnyx knows no such message: nobody has to act."),
    Refusal("10006", _ALERT, "Telnyx knows no such id, likely of the messaging profile: an operator must look."),
    Refusal("10007", _ALERT, "Telnyx had an unexpected error: an operator must look whether it goes on."),
    Refusal("10009", _STOP_ACCOUNT, "Telnyx refuses the API key: an operator must enter a valid one."),
    Refusal("10010", _STOP_ACCOUNT, "The API key may not send texts: an operator must enter one that may."),
    Refusal("10011", _RETRY, "Telnyx takes no more requests at the moment: nobody has to act."),
    Refusal("10015", _FAIL, f"Telnyx refuses the request as malformed. {_FAULT}"),
    Refusal("10016", _FAIL, "A number is not in E.164 form: whoever entered it must correct it."),
    Refusal(
        "10039", _ALERT, "A trial account texts verified numbers only: an operator must verify it or upgrade."
    ),  # unconfirmed
    Refusal("20100", _STOP_ACCOUNT, "The account has no money left: an operator must pay in at Telnyx."),  # unconfirmed
    Refusal("40001", Treatment.UNREACHABLE, "The number is a landline or cannot be reached: texts do not reach it."),
    Refusal("40002", _ALERT, f"A spam filter stopped the text for the moment: {_CONTENT}"),
    Refusal(
        "40003", _STOP_SENDER, "Carriers block the sender for spam: an operator must use another sender or ask Telnyx."
    ),
    Refusal(
        "40004", _LATER, "The recipient's carrier refused the text without a reason: nobody has to act.", repeats=1
    ),
    Refusal("40005", _FAIL, "The text ran out of time on its way: whoever wrote it may send it again."),
    Refusal("40006", _LATER, "The recipient's carrier was not reachable: nobody has to act.", repeats=2),
    Refusal("40008", _LATER, "The recipient's carrier did not take the text: nobody has to act.", repeats=1),
    Refusal("40009", _FAIL, "The carrier refused the words of the text: whoever wrote it must change them."),
    Refusal(
        "40010", _STOP_SENDER, "The sender is in no approved 10DLC campaign: an operator must register it at Telnyx."
    ),
    Refusal("40011", _WAIT, "The sender's rate at the carriers is exceeded: an operator may lower the sender's pace."),
    Refusal("40012", _FAIL, "The carrier knows no such number: whoever entered it must correct it."),
    Refusal(
        "40013", _STOP_SENDER, "The carrier refuses the sender's number: an operator must see that it may send texts."
    ),
    Refusal("40014", _FAIL, "The text ran out of time in Telnyx's queue: an operator may lower the sender's pace."),
    Refusal("40015", _ALERT, f"Telnyx's spam filter stopped the text: {_CONTENT}"),
    Refusal("40016", _WAIT_DAY, "The brand's limit at T-Mobile is reached; it ends at midnight, US Pacific."),
    Refusal("40017", _ALERT, f"AT&T refused the text as spam: {_CONTENT}"),
    Refusal("40018", _WAIT, "The campaign's rate at AT&T is exceeded: an operator may lower the sender's pace."),
    Refusal(
        "40019", _STOP_SENDER, "AT&T does not know the sender's campaign: an operator must see to its registration."
    ),
    Refusal(
        "40020",
        _ALERT,
        "Telnyx suspects traffic that is made up, and blocks it for a day: an operator must look into it.",
    ),
    Refusal(
        "40100", _STOP_SENDER, "The sender's number is not enabled for texts: an operator must enable it at Telnyx."
    ),
    Refusal(
        "40300", Treatment.SUPPRESS, "The recipient has opted out of texts from this profile: only they can undo it."
    ),
    Refusal("40301", _FAIL, "The sender cannot send that kind of text: send it without media, or from another sender."),
    Refusal("40302", _FAIL, "The text is longer than ten segments: whoever wrote it must shorten it."),
    Refusal("40304", _FAIL, f"Telnyx refuses words and media together as they are. {_FAULT}"),
    Refusal(
        "40305",
        _STOP_SENDER,
        "The sender's number is in no messaging profile of this account: an operator must assign it.",
    ),
    Refusal("40306", _STOP_SENDER, "The messaging profile has no sender's name: an operator must enter one at Telnyx."),
    Refusal("40307", _STOP_SENDER, "The sender's name is not the messaging profile's: an operator must correct it."),
    Refusal("40308", _FAIL, "The sender cannot send media: send the text with a link instead."),
    Refusal(
        "40309", _ALERT, "The messaging profile forbids texts to that country: an operator may allow them at Telnyx."
    ),
    Refusal("40310", _FAIL, "The recipient's number is invalid: whoever entered it must correct it."),
    Refusal("40312", _STOP_SENDER, "The messaging profile is switched off: an operator must switch it on at Telnyx."),
    Refusal("40314", _STOP_ACCOUNT, "Telnyx has disabled texts: an operator must settle that with Telnyx."),
    Refusal(
        "40315", _STOP_SENDER, "Too many of the sender's texts fail or count as spam: an operator must look into it."
    ),
    Refusal("40316", _FAIL, f"The text has neither words nor media. {_FAULT}"),
    Refusal(
        "40317", _FAIL, "The text has more than ten media or more than 1 MB of them: whoever wrote it must send less."
    ),
    Refusal("40318", _WAIT, "The sender's queue at Telnyx is full: nobody has to act."),
    Refusal("40320", _WAIT, "Telnyx is still setting up the sender: nobody has to act."),
    Refusal(
        "40321", _STOP_SENDER, "The messaging profile has no number to send from: an operator must add one."
    ),  # unconfirmed
    Refusal("40322", _ALERT, f"Telnyx blocks such content: {_CONTENT}"),
    Refusal("40325", _STOP_SENDER, "The sender's name is invalid: an operator must correct it."),
    Refusal(
        "40328", _FAIL, "The text has more segments than Telnyx recommends: whoever wrote it must shorten it."
    ),  # unconfirmed
    Refusal("40329", _STOP_SENDER, "The toll-free sender is not verified: an operator must verify it at Telnyx."),
    Refusal(
        "40330",
        _STOP_SENDER,
        "The toll-free sender is still being set up: an operator must start it when that is done.",
    ),
    Refusal("40331", _STOP_SENDER, "The messaging profile allows no country: an operator must enter some at Telnyx."),
    Refusal(
        "40333", _WAIT, "The messaging profile's daily spending limit is reached: an operator may raise it at Telnyx."
    ),
)

ERRORS: Final[Mapping[str, Refusal]] = {refusal.code: refusal for refusal in _TABLE}

_BY_STATUS: Final[Mapping[int, str]] = {401: "10009", 403: "10010", 404: "10005", 429: "10011"}

_MALFORMED: Final = "10015"


def refusal_of(code: str) -> Refusal:
    """What to do about an error code."""
    known = ERRORS.get(code)
    if known is not None:
        return known
    sentence = f"Telnyx refused the text with code {code}, which Offhook does not know: an operator must look."
    return Refusal(code, _ALERT, sentence)


def refusal_of_answer(status: int, content: object, retry_after_seconds: float | None = None) -> Refusal:
    """What to do about a 3xx or 4xx answer; `content` is its JSON, if it had any."""
    code = first_code(content)
    if status == 429:
        known = ERRORS.get(code or "", ERRORS["10011"])
        return replace(known, code=code or known.code, retry_after_seconds=retry_after_seconds)
    if code is not None:
        return replace(refusal_of(code), retry_after_seconds=retry_after_seconds)
    if status in _BY_STATUS:
        return ERRORS[_BY_STATUS[status]]
    return Refusal(f"http_{status}", _ALERT, f"Telnyx answered HTTP {status} without a code: an operator must look.")


def is_in_doubt(status: int, content: object) -> bool:
    """Whether the answer speaks of another request with the same idempotency key, whose outcome it does not tell: one
    with other fields (HTTP 422; the code is documented nowhere), or one still running (409, which is a guess)."""
    code = first_code(content)
    return status in (409, 422) and (code not in ERRORS or code == _MALFORMED)


def first_code(content: object) -> str | None:
    """The first of `errors`, in an answer or in a message. Telnyx spells codes as strings; a number is taken too."""
    errors = cast("dict[str, object]", content).get("errors") if isinstance(content, dict) else None
    first = cast("list[object]", errors)[0] if isinstance(errors, list) and errors else None
    code = cast("dict[str, object]", first).get("code") if isinstance(first, dict) else None
    if isinstance(code, bool) or not isinstance(code, str | int):
        return None
    return clean_text(str(code))[:20] or None
