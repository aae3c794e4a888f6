"""The list of messages: filters, order and pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from urllib.parse import urlencode

from offhook.emulator.records import Message
from offhook.emulator.store import Store
from offhook.emulator.twilio.errors import TwilioError
from offhook.emulator.twilio.resources import Resource, account_uri, message_resource

PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 50, 1000  # the maximum: facts/telephony.md 1.8
FILTERS = ("To", "From", "DateSent", "DateSent<", "DateSent>")


@dataclass(frozen=True, slots=True)
class Page:
    number: int
    size: int
    before: str | None
    after: str | None
    """The message that the page ends before or begins after, in the order they were made: from a PageToken, so that
    neither new messages nor deleted ones shift the pages."""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Page:
        token = query.get("PageToken", "")
        return cls(
            number=_whole(query, "Page", 0),
            size=min(PAGE_SIZE_MAX, max(1, _whole(query, "PageSize", PAGE_SIZE_DEFAULT))),
            before=token.removeprefix("PA") if token.startswith("PA") else None,
            after=token.removeprefix("PB") if token and not token.startswith("PA") else None,
        )


def page_of_messages(store: Store, account_sid: str, query: Mapping[str, str]) -> Resource:
    """One page of an account's messages, newest first, in Twilio's envelope."""
    page = Page.of(query)
    shown, more = _shown(store, account_sid, page, query)
    filters = {name: query[name] for name in FILTERS if query.get(name)}
    base = f"{account_uri(account_sid)}/Messages.json"

    def uri(number: int, token: str | None) -> str:
        extra = {"PageToken": token} if token else {}
        return f"{base}?{urlencode({**filters, 'PageSize': page.size, 'Page': number, **extra})}"

    start = page.number * page.size
    newer = f"PB{shown[0].sid}" if shown else None
    return {
        "messages": [message_resource(message) for message in shown],
        "page": page.number,
        "page_size": page.size,
        "start": start,
        "end": start + max(0, len(shown) - 1),
        "uri": uri(page.number, query.get("PageToken")),
        "first_page_uri": uri(0, None),
        "next_page_uri": uri(page.number + 1, f"PA{shown[-1].sid}") if more and shown else None,
        "previous_page_uri": uri(page.number - 1, newer) if page.number > 0 else None,
    }


def _shown(store: Store, account_sid: str, page: Page, query: Mapping[str, str]) -> tuple[list[Message], bool]:
    """The messages of the page, and whether there are older ones. Raises `TwilioError`."""
    wanted, to = _filter(query), query.get("To") or None
    try:
        if page.after is not None:
            newer = store.oldest_first(account_sid, to=to, after=page.after)
            return list(islice(filter(wanted, newer), page.size))[::-1], True
        older = store.newest_first(account_sid, to=to, before=page.before)
    except ValueError:
        raise TwilioError(20422, "Invalid 'PageToken'") from None
    skip = 0 if page.before is not None else page.number * page.size
    found = list(islice(filter(wanted, older), skip, skip + page.size + 1))
    return found[: page.size], len(found) > page.size


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
        if message.face != "twilio" or (to and message.to != to) or (sender and message.from_number != sender):
            return False
        # A message that was not sent yet has no DateSent, so it fits no filter on it.
        return not windows or (
            message.sent_at is not None and all(low <= int(message.sent_at) <= high for low, high in windows)
        )

    return wanted


def _window(name: str, given: str) -> tuple[float, float]:
    """The sent times that fit, both ends included. `DateSent` means the whole UTC day of a date or time: the SDK makes
    a time of midnight even of a date. The others mean a date's day, and a time's second."""
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise TwilioError(20422, f"Invalid '{name}'") from None
    first = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    last = first
    if name == "DateSent" or len(given) == len("2026-11-20"):
        first = first.replace(hour=0, minute=0, second=0, microsecond=0)
        last = first.replace(hour=23, minute=59, second=59)
    bounds = {
        "DateSent": (first.timestamp(), last.timestamp()),
        "DateSent<": (float("-inf"), last.timestamp()),
        "DateSent>": (first.timestamp(), float("inf")),
    }
    return bounds[name]
