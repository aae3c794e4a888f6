"""A request to create a message, judged: either a message to keep or Twilio's error for it. Pure."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from offhook.emulator.records import Message
from offhook.emulator.segments import segmentation
from offhook.emulator.settings import MAGIC_SENDER, Account
from offhook.emulator.twilio.errors import TwilioError

BODY_MAX_CHARACTERS = 1600  # facts/telephony.md 1.1
MEDIA_MAX = 10  # same place
SCHEDULE_MIN_SECONDS, SCHEDULE_MAX_SECONDS = 15 * 60, 35 * 86_400  # facts/telephony.md 1.6

MAGIC_SENDER_ERRORS = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
MAGIC_RECIPIENT_ERRORS = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
"""Twilio's magic numbers and their codes: facts/telephony.md 1.10."""

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SERVICE = re.compile(r"MG[0-9a-f]{32}")

Form = Mapping[str, tuple[str, ...]]
"""Field names to their values, in the order they came."""


@dataclass(frozen=True, slots=True)
class Submission:
    """Everything the judgement depends on."""

    form: Form
    account: Account
    blocks: frozenset[tuple[str, str, str]] | set[tuple[str, str, str]]
    now: float

    def first(self, name: str) -> str:
        return self.form.get(name, ("",))[0]


def judge(submission: Submission) -> Message:
    """The message as Twilio would keep it. Raises `TwilioError`."""
    to = _recipient(submission)
    sender, service = _sender(submission)
    body, media = _content(submission)
    _check_pair(submission, sender, to)
    send_at = _send_at(submission) if service else None  # without a service scheduling is ignored: facts 1.6
    counted = segmentation(body)
    unscheduled = "accepted" if service else "queued"
    return Message(
        sid=("MM" if media else "SM") + uuid.uuid4().hex,
        account_sid=submission.account.sid,
        to=to,
        from_number=sender,
        body=body,
        status=unscheduled if send_at is None else "scheduled",
        created_at=submission.now,
        updated_at=submission.now,
        status_callback=_status_callback(submission),
        messaging_service_sid=service,
        send_at=send_at,
        media_urls=media,
        segments=counted.segments,
        encoding=counted.encoding,
    )


def is_phone_number(given: str) -> bool:
    return _E164.fullmatch(given) is not None


def _recipient(submission: Submission) -> str:
    to = re.sub(r"[\s().-]", "", submission.first("To"))
    if not to:
        raise TwilioError(21604)
    if not is_phone_number(to):
        raise TwilioError(21211)
    return to


def _sender(submission: Submission) -> tuple[str, str | None]:
    """The sending number and the messaging service, if one was named."""
    given, service = submission.first("From"), submission.first("MessagingServiceSid")
    if not given and not service:
        raise TwilioError(21603)
    if service and not _SERVICE.fullmatch(service):
        raise TwilioError(20422, "Invalid 'MessagingServiceSid'")
    if not given and not submission.account.numbers:
        raise TwilioError(21703)
    if not given:
        return submission.account.numbers[0], service
    sender = re.sub(r"[\s().-]", "", given)
    if sender in MAGIC_SENDER_ERRORS:
        raise TwilioError(MAGIC_SENDER_ERRORS[sender])
    if not is_phone_number(sender):
        raise TwilioError(21212)
    if sender != MAGIC_SENDER and sender not in submission.account.numbers:
        raise TwilioError(21606)
    return sender, service or None


def _content(submission: Submission) -> tuple[str, tuple[str, ...]]:
    body = submission.first("Body")
    media = submission.form.get("MediaUrl", ())
    if "ContentSid" in submission.form:
        raise TwilioError(20422, "ContentSid: this emulator has no content templates")
    if not body and not media:
        raise TwilioError(21602)
    if len(body) > BODY_MAX_CHARACTERS:
        raise TwilioError(21617)
    if len(media) > MEDIA_MAX:
        raise TwilioError(21623)
    if not all(_is_web_address(url) for url in media):
        raise TwilioError(21620)
    return body, media


def _check_pair(submission: Submission, sender: str, to: str) -> None:
    account = submission.account
    if to in MAGIC_RECIPIENT_ERRORS:
        raise TwilioError(MAGIC_RECIPIENT_ERRORS[to])
    if sender == to:
        raise TwilioError(21266)
    if (account.sid, sender, to) in submission.blocks:
        raise TwilioError(21610)
    if account.verified is not None and to not in account.verified:
        raise TwilioError(21608)


def _status_callback(submission: Submission) -> str | None:
    url = submission.first("StatusCallback")
    if not url:
        return None
    if not _is_web_address(url):
        raise TwilioError(21609)
    return url


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    # A name that no resolver would take is refused here rather than when the callback is due (limits: RFC 1035).
    if not host or len(host) > 253 or any(len(label) > 63 for label in host.split(".")):
        return False
    clean = url.isascii() and url.isprintable() and " " not in url
    return clean and parts.scheme in {"http", "https"} and "_" not in host


def _send_at(submission: Submission) -> float | None:
    if submission.first("ScheduleType") != "fixed":
        return None
    given = submission.first("SendAt")
    if not given:
        raise TwilioError(35111)
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise TwilioError(35114) from None
    at = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not SCHEDULE_MIN_SECONDS <= at - submission.now <= SCHEDULE_MAX_SECONDS:
        raise TwilioError(35114)
    return at
