"""A request to send a message, judged: either a message to keep or Telnyx's error for it. Pure.

Parameters: the body of POST /v2/messages in Telnyx's API reference and in telnyx-python 4.189.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import phonenumbers

from offhook.emulator.addresses import is_phone_number
from offhook.emulator.queueing import QueueFull
from offhook.emulator.records import Message
from offhook.emulator.telnyx.errors import TelnyxError
from offhook.emulator.telnyx.fields import Fields, is_web_address
from offhook.emulator.telnyx.own import Own
from offhook.emulator.telnyx.profiles import EVERYWHERE, Book, Profile
from offhook.emulator.telnyx.segments import PARTS_MAX, Parts, parts_of

MEDIA_MAX = 10  # error 40317's text, support.telnyx.com article 6505121
VALID_SECONDS = 3600.0
"""How long a message may wait in the queue: the `valid_until` of an answer that somebody posted is an hour after its
`received_at` (github.com/simontelephonics/smsconnector, issue 73)."""
SCHEDULE_MIN_SECONDS, SCHEDULE_MAX_SECONDS = 5 * 60, 5 * 86_400  # developers.telnyx.com "Schedule a message"

_ENCODINGS = ("auto", "gsm7", "ucs2")


@dataclass(frozen=True, slots=True)
class Submission:
    """Everything the judgement depends on."""

    fields: Fields
    book: Book
    now: float
    requires: frozenset[str] = frozenset()
    """What the route asks for beside `to`: `from` (long_code), `messaging_profile_id` (number_pool), `send_at`."""


def judge(submission: Submission) -> Message:
    """The message as Telnyx would keep it. Raises `TelnyxError`."""
    fields = submission.fields
    fields.require("to", *sorted(submission.requires))
    to = _recipient(fields)
    sender, profile = _sender(submission, to)
    content = _content(fields)
    _check_pair(submission.book, sender, profile, to)
    send_at = _send_at(fields, submission.now)
    starts_at, ends_at = _slot(submission, sender, content.parts.count, send_at)
    return Message(
        sid=str(uuid.uuid4()),
        face="telnyx",
        account_sid=submission.book.account.sid,
        messaging_service_sid=profile.id,
        to=to,
        from_number=sender,
        body=content.text,
        status="queued" if send_at is None else "scheduled",
        created_at=submission.now,
        updated_at=submission.now,
        send_at=send_at,
        slot_starts_at=starts_at,
        slot_ends_at=ends_at,
        validity_seconds=VALID_SECONDS,
        media_urls=content.media_urls,
        media_count=len(content.media_urls),
        segments=content.parts.count,
        encoding=content.parts.encoding,
        tags=fields.texts("tags"),
        own=_own(fields, content.type, profile).to_record(),
    )


def _own(fields: Fields, kind: str, profile: Profile) -> Own:
    own = Own(
        type=kind,
        subject=fields.text("subject"),
        webhook_url=fields.web_address("webhook_url"),
        webhook_failover_url=fields.web_address("webhook_failover_url"),
    )
    given = [own.webhook_url, own.webhook_failover_url] if own.webhook_url else []
    profile_urls = profile.webhook_urls if fields.truth("use_profile_webhooks", True) else ()
    return replace(own, webhook_urls=(*(url for url in given if url), *profile_urls))


def _recipient(fields: Fields) -> str:
    to = fields.text("to") or ""
    if not is_phone_number(to):
        raise TelnyxError("40310", pointer="/to")
    return to


def _sender(submission: Submission, to: str) -> tuple[str, Profile]:
    """The sending number and its profile: `from`'s, or one that the named profile's pool picks."""
    fields, book = submission.fields, submission.book
    given, profile_id = fields.text("from"), fields.text("messaging_profile_id")
    named = None if profile_id is None else book.find_profile(profile_id)
    if profile_id is not None and named is None:
        raise TelnyxError("10006", "The messaging profile does not exist.", pointer="/messaging_profile_id")
    if given is None or "messaging_profile_id" in submission.requires:
        if named is None:
            raise TelnyxError("10004", "Either 'from' or 'messaging_profile_id' is required.", pointer="/from")
        pool = book.numbers_of(named) if named.number_pool else []
        if not pool:
            raise TelnyxError("40321", pointer="/messaging_profile_id")
        return next((number for number in pool if number != to), pool[0]), named
    profile = book.find_profile_of(given)
    if profile is None or (named is not None and named != profile):
        raise TelnyxError("40305", pointer="/from")
    return given, profile


@dataclass(frozen=True, slots=True)
class _Content:
    type: str
    text: str
    media_urls: tuple[str, ...]
    parts: Parts


def _content(fields: Fields) -> _Content:
    text, media, wanted = fields.text("text") or "", fields.texts("media_urls"), fields.text("type")
    if wanted not in {None, "SMS", "MMS"}:
        raise TelnyxError("10015", "'type' must be SMS or MMS.", pointer="/type")
    kind = wanted or ("MMS" if media else "SMS")
    if not text and not media:
        raise TelnyxError("40316", pointer="/text")
    if (kind == "SMS" and media) or (kind == "MMS" and not media and not fields.has("subject")):
        raise TelnyxError("40304")
    if len(media) > MEDIA_MAX:
        raise TelnyxError("40317", pointer="/media_urls")
    for position, url in enumerate(media):
        if not is_web_address(url):
            raise TelnyxError("10003", pointer=f"/media_urls/{position}")
    # An MMS is one part whatever its text is, in UTF-8 (developers.telnyx.com "Message Encoding").
    return _Content(kind, text, media, _parts(fields, text) if kind == "SMS" else Parts("UTF-8", 1))


def _parts(fields: Fields, text: str) -> Parts:
    wanted = fields.text("encoding") or "auto"
    if wanted not in _ENCODINGS:
        raise TelnyxError("10015", f"'encoding' must be one of: {', '.join(_ENCODINGS)}.", pointer="/encoding")
    parts = parts_of(text, wanted)
    if parts is None:
        raise TelnyxError("10015", "The text has characters that GSM-7 lacks.", pointer="/text")
    if parts.count > PARTS_MAX:
        raise TelnyxError("40302", pointer="/text")
    return parts


def _check_pair(book: Book, sender: str, profile: Profile, to: str) -> None:
    if sender == to:
        raise TelnyxError("40310", f"Source and destination cannot be the same number: {to}", pointer="/to")
    if not profile.enabled:
        raise TelnyxError("40312")
    allowed = profile.whitelisted_destinations
    if allowed != EVERYWHERE and _region(to) not in allowed:
        raise TelnyxError("40309", pointer="/to")
    if book.is_blocked(profile, to):
        raise TelnyxError("40300", f"Messages cannot be sent from '{sender}' to '{to}' due to an existing block rule.")


def _region(number: str) -> str | None:
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return None


def _slot(submission: Submission, sender: str, parts: int, send_at: float | None) -> tuple[float | None, float | None]:
    """When the sender's queue lets the message go; nothing for a sender without a rate of its own, nor for a scheduled
    message: it would hold up all that are sent before its time."""
    if send_at is not None:
        return None, None
    try:
        return submission.book.slot(sender, parts, submission.now) or (None, None)
    except QueueFull:
        raise TelnyxError("40318", pointer="/from") from None


def _send_at(fields: Fields, now: float) -> float | None:
    given = fields.text("send_at")
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given)
        at = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except ValueError:
        raise TelnyxError("10015", "'send_at' must be a time in ISO 8601.", pointer="/send_at") from None
    if not SCHEDULE_MIN_SECONDS <= at - now <= SCHEDULE_MAX_SECONDS:
        raise TelnyxError("10015", "'send_at' must be 5 minutes to 5 days ahead.", pointer="/send_at")
    return at
