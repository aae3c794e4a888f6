"""The list of messages: filters, order and pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from urllib.parse import urlencode

from offhook.emulator.records import Message
from offhook.emulator.twilio.errors import TwilioError
from offhook.emulator.twilio.resources import Resource, account_uri, message_resource

PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 50, 1000  # the maximum: facts/telephony.md 1.8
FILTERS = ("To", "From", "DateSent", "DateSent<", "DateSent>")


@dataclass(frozen=True, slots=True)
class Page:
    number: int
    size: int
    before_seq: int | None
    """Messages older than this transaction; from a PageToken, so that new messages do not shift the pages."""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Page:
        token = query.get("PageToken", "")
        if token and not (token.startswith("PA") and token[2:].isascii() and token[2:].isdigit()):
            raise TwilioError(20422, "Invalid 'PageToken'")
        return cls(
            number=_whole(query, "Page", 0),
            size=min(PAGE_SIZE_MAX, max(1, _whole(query, "PageSize", PAGE_SIZE_DEFAULT))),
            before_seq=int(token[2:]) if token else None,
        )


def page_of_messages(
    account_sid: str, newest_first: Iterable[Message], query: Mapping[str, str], *, path: str | None = None
) -> Resource:
    """One page in Twilio's envelope. `newest_first` are the account's messages."""
    page = Page.of(query)
    wanted = _filter(query)
    matching = (m for m in newest_first if wanted(m) and (page.before_seq is None or m.seq < page.before_seq))
    skip = 0 if page.before_seq is not None else page.number * page.size
    found = list(islice(matching, skip, skip + page.size + 1))
    shown, more = found[: page.size], len(found) > page.size
    filters = {name: query[name] for name in FILTERS if query.get(name)}
    base = path or f"{account_uri(account_sid)}/Messages.json"

    def uri(number: int, token: str | None) -> str:
        extra = {"PageToken": token} if token else {}
        return f"{base}?{urlencode({**filters, 'PageSize': page.size, 'Page': number, **extra})}"

    start = page.number * page.size
    return {
        "messages": [message_resource(message) for message in shown],
        "page": page.number,
        "page_size": page.size,
        "start": start,
        "end": start + max(0, len(shown) - 1),
        "uri": uri(page.number, query.get("PageToken")),
        "first_page_uri": uri(0, None),
        "next_page_uri": uri(page.number + 1, f"PA{shown[-1].seq}") if more else None,
        "previous_page_uri": uri(page.number - 1, None) if page.number > 0 else None,
    }


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    given = query.get(name, "")
    if not given:
        return default
    if not given.isascii() or not given.isdigit() or len(given) > 9:
        raise TwilioError(20422, f"Invalid '{name}'")
    return int(given)


def _filter(query: Mapping[str, str]) -> Callable[[Message], bool]:
    to, sender = query.get("To"), query.get("From")
    windows = [_window(name, query[name]) for name in FILTERS[2:] if query.get(name)]

    def wanted(message: Message) -> bool:
        if (to and message.to != to) or (sender and message.from_number != sender):
            return False
        # A message that was not sent yet has no DateSent, so it fits no filter on it.
        return not windows or (
            message.sent_at is not None and all(low <= int(message.sent_at) <= high for low, high in windows)
        )

    return wanted


def _window(name: str, given: str) -> tuple[float, float]:
    """The sent times that fit, both ends included. A date means its whole UTC day; a timestamp its second."""
    try:
        moment = datetime.fromisoformat(given)
        whole_day = len(given) == len("2026-11-20")
    except ValueError:
        raise TwilioError(20422, f"Invalid '{name}'") from None
    first = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    last = first + (timedelta(days=1).total_seconds() - 1 if whole_day else 0)
    bounds = {"DateSent": (first, last), "DateSent<": (float("-inf"), last), "DateSent>": (first, float("inf"))}
    return bounds[name]
