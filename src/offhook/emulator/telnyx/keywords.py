"""Words that Telnyx answers itself: they block a phone for a whole messaging profile, or free it again.

Only a text that is nothing but the word counts, in any case (developers.telnyx.com "Advanced Opt-In/Out Management";
support.telnyx.com article 1270091).
"""

from __future__ import annotations

from dataclasses import dataclass

STOP_WORDS = frozenset({"STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
START_WORDS = frozenset({"START", "UNSTOP"})
HELP_WORDS = frozenset({"HELP"})


@dataclass(frozen=True, slots=True)
class AutoResponse:
    kind: str
    """`STOP`, `START` or `HELP`: the webhook's `autoresponse_type`."""
    reply: str
    """Our own words: only the beginning of Telnyx's is documented."""
    blocks: bool | None
    """Whether the phone is blocked from then on; None changes nothing."""


_STOP = AutoResponse("STOP", "You are unsubscribed and get no more messages. Reply START to resubscribe.", True)
_START = AutoResponse("START", "You are subscribed again. Reply STOP to unsubscribe.", False)
_HELP = AutoResponse("HELP", "Reply STOP to unsubscribe.", None)
_BY_WORD = {
    word: kind for words, kind in ((STOP_WORDS, _STOP), (START_WORDS, _START), (HELP_WORDS, _HELP)) for word in words
}


def auto_response(text: str) -> AutoResponse | None:
    """What Telnyx does by itself about a text from a phone; None for an ordinary one."""
    return _BY_WORD.get(" ".join(text.split()).upper())
