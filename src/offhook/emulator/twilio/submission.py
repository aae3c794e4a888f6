"""A request to create a message, judged: either a message to keep or Twilio's error for it. Pure."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from offhook.emulator.addresses import find_phone_number, web_host
from offhook.emulator.queueing import QueueFull, slot_of
from offhook.emulator.records import VALIDITY_SECONDS, Message, Service
from offhook.emulator.segments import segmentation
from offhook.emulator.settings import MAGIC_SENDER, Account
from offhook.emulator.smart_encoding import smart_encoded
from offhook.emulator.store import Store
from offhook.emulator.twilio.errors import TwilioError

BODY_MAX_CHARACTERS = 1600  # facts/telephony.md 1.1
MEDIA_MAX = 10  # same place
SCHEDULE_MIN_SECONDS, SCHEDULE_MAX_SECONDS = 15 * 60, 35 * 86_400  # facts/telephony.md 1.6

QUEUE_FULL_CODE = 30001
"""What a message ends with whose service found its sender's queue full."""

MAGIC_SENDER_ERRORS = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
MAGIC_RECIPIENT_ERRORS = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
"""Twilio's magic numbers and their codes: facts/telephony.md 1.10."""

_SERVICE = re.compile(r"MG[0-9a-f]{32}")

Form = Mapping[str, tuple[str, ...]]
"""Field names to their values, in the order they came."""


@dataclass(frozen=True, slots=True)
class Submission:
    """Everything the judgement depends on."""

    form: Form
    account: Account
    store: Store
    now: float

    def first(self, name: str) -> str:
        return self.form.get(name, ("",))[0]


def judge(submission: Submission) -> Message:
    """The message as Twilio would keep it. Raises `TwilioError`."""
    to = _recipient(submission)
    sender, service = _sender(submission, to)
    body, media = _content(submission)
    _check_pair(submission, sender, service, to)
    send_at = _send_at(submission) if service else None  # without a service scheduling is ignored: facts 1.6
    smart = submission.first("SmartEncoded").lower() == "true" or (service is not None and service.smart_encoding)
    counted = segmentation(smart_encoded(body) if smart else body)
    unscheduled = "accepted" if service else "queued"
    message = Message(
        sid=("MM" if media or submission.first("SendAsMms").lower() == "true" else "SM") + uuid.uuid4().hex,
        account_sid=submission.account.sid,
        to=to,
        from_number=sender,
        body=body,
        status=unscheduled if send_at is None else "scheduled",
        created_at=submission.now,
        updated_at=submission.now,
        status_callback=_status_callback(submission) or (service.status_callback if service else None),
        messaging_service_sid=service.sid if service else None,
        send_at=send_at,
        validity_seconds=_validity_seconds(submission, service),
        media_urls=media,
        media_count=len(media),
        segments=counted.segments,
        encoding=counted.encoding,
        own={"smart_encoded": True} if smart else {},
    )
    return _with_slot(submission, message)


def block_scopes(sender: str, service_sid: str | None) -> tuple[str, ...]:
    """What an opt-out may name: the number, or the messaging service that it is in."""
    return (sender,) if service_sid is None else (sender, service_sid)


def _with_slot(submission: Submission, message: Message) -> Message:
    """The message with its place in the queue of a sender that has a rate. A full one refuses, or fails it later.

    A scheduled one takes no place: it would hold up all that are sent before its time.
    """
    if message.send_at is not None:
        return message
    try:
        slot = slot_of(submission.store, message.account_sid, message.from_number, message.segments, submission.now)
    except QueueFull:
        if message.messaging_service_sid is None:
            raise TwilioError(21611) from None
        # A messaging service picks its sender after the answer, so that a full queue shows on the message.
        return replace(message, ending="failed", ending_error_code=QUEUE_FULL_CODE)
    if slot is None:
        return message
    return replace(message, slot_starts_at=slot[0], slot_ends_at=slot[1])


def _validity_seconds(submission: Submission, service: Service | None) -> float:
    given = submission.first("ValidityPeriod")
    if given:
        return validity_seconds(given)
    return service.validity_seconds if service else VALIDITY_SECONDS


def validity_seconds(given: str) -> float:
    """A ValidityPeriod: 1 to 36000 whole seconds. Raises `TwilioError`."""
    if not re.fullmatch(r"[0-9]{1,5}", given) or not 1 <= int(given) <= VALIDITY_SECONDS:
        raise TwilioError(20422, "'ValidityPeriod' must be from 1 to 36000")
    return float(given)


def _recipient(submission: Submission) -> str:
    given = submission.first("To")
    if not given.strip():
        raise TwilioError(21604)
    to = find_phone_number(given)
    if to is None:
        raise TwilioError(21211)
    return to


def _sender(submission: Submission, to: str) -> tuple[str, Service | None]:
    """The sending number and the messaging service, if one was named."""
    given, service_sid = submission.first("From"), submission.first("MessagingServiceSid")
    if not given and not service_sid:
        raise TwilioError(21603)
    service = _service(submission, service_sid) if service_sid else None
    if not given:
        assert service is not None
        return _pick(submission, service, to), service
    sender = find_phone_number(given)
    if sender is None:
        raise TwilioError(21212)
    if sender in MAGIC_SENDER_ERRORS:
        raise TwilioError(MAGIC_SENDER_ERRORS[sender])
    if sender != MAGIC_SENDER and sender not in submission.account.numbers:
        raise TwilioError(21606)
    return sender, service


def _service(submission: Submission, sid: str) -> Service:
    """The service by its sid. One that was never defined, or was deleted, has all of the account's numbers, so that
    code which names a service of the real account runs as it is."""
    if not _SERVICE.fullmatch(sid):
        raise TwilioError(20422, "Invalid 'MessagingServiceSid'")
    found = submission.store.services.get(sid)
    if found is None:
        return Service(sid, submission.account.sid, numbers=submission.account.numbers)
    if found.account_sid != submission.account.sid:
        raise TwilioError(20422, "Invalid 'MessagingServiceSid'")
    return found


def _pick(submission: Submission, service: Service, to: str) -> str:
    """The number that sends: for a sticky service the one the recipient knows, else each in its turn."""
    numbers = [number for number in service.numbers if number != to]
    if not numbers:
        raise TwilioError(21703)
    if not service.sticky:
        return numbers[submission.store.seq % len(numbers)]
    for message in submission.store.newest_first(submission.account.sid, to=to):
        if message.messaging_service_sid == service.sid and message.from_number in numbers:
            return message.from_number
    return numbers[int.from_bytes(hashlib.sha256(to.encode()).digest()[:4]) % len(numbers)]


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
    if not all(is_web_address(url) for url in media):
        raise TwilioError(21620)
    return body, media


def _check_pair(submission: Submission, sender: str, service: Service | None, to: str) -> None:
    account = submission.account
    if to in MAGIC_RECIPIENT_ERRORS:
        raise TwilioError(MAGIC_RECIPIENT_ERRORS[to])
    if sender == to:
        raise TwilioError(21266)
    scopes = {sender, *([service.sid] if service else []), *_services_of(submission, sender)}
    if any((account.sid, scope, to) in submission.store.blocks for scope in scopes):
        raise TwilioError(21610)
    if account.verified is not None and to not in account.verified:
        raise TwilioError(21608)


def _services_of(submission: Submission, number: str) -> list[str]:
    services = submission.store.services.values()
    return [s.sid for s in services if s.account_sid == submission.account.sid and number in s.numbers]


def web_address(given: str) -> str | None:
    """An address of a number's or service's webhook; "" takes it away. Raises `TwilioError`."""
    if given and not is_web_address(given):
        raise TwilioError(21502, f"Invalid callback url: {given[:200]}")
    return given or None


def _status_callback(submission: Submission) -> str | None:
    url = submission.first("StatusCallback")
    if not url:
        return None
    if not is_web_address(url):
        raise TwilioError(21609)
    return url


def is_web_address(url: str) -> bool:
    return "_" not in (web_host(url) or "_")  # Twilio takes no host with underscores: facts/telephony.md 1.1


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
