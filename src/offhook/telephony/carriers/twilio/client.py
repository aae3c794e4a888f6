"""Twilio over HTTP: create, fetch, list and redact messages. Nothing is retried here; a POST least of all.

The SDK is not used: its async client ignores timeouts and its retries repeat POSTs (facts/telephony.md 5.2).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, Final, cast
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from offhook.core.egress import Egress
from offhook.telephony.carrier import (
    CarrierAccount,
    CarrierEvent,
    CarrierMessage,
    CarrierRefused,
    OutboundText,
    OutcomeUnknown,
    Refusal,
)
from offhook.telephony.carriers.twilio.account import (
    BASE_URL_PATTERN,
    CREDENTIALS_SCHEMA,
    EXTERNAL_ID_PATTERN,
    Door,
    door_of,
)
from offhook.telephony.carriers.twilio.errors import GONE, refusal_of, refusal_of_answer
from offhook.telephony.carriers.twilio.events import event_of, is_older, message_of
from offhook.telephony.carriers.twilio.offer import LIMITS, MESSAGING_SERVICE_PATTERN, PRICES
from offhook.telephony.carriers.twilio.signature import (
    SETTINGS_HEADER,
    SIGNATURE_HEADER,
    form_pairs,
    is_signed,
    settings_of,
)
from offhook.telephony.doors import Doors
from offhook.telephony.exchange import TOTAL_TIMEOUT_SECONDS, MediaDoor, exchange, fetching, object_in

_WHO: Final = "Twilio"
_PAGE_SIZE: Final = 1000  # the largest that Twilio gives
_MAX_PAGES: Final = 50
_SLACK: Final = timedelta(days=1)
"""Pages come newest first; how far past `since` one must reach before the rest is left unread."""


class TwilioCarrier:
    """One process's Twilio. The session is shared, pooled, and its owner's to close."""

    name = "twilio"
    external_account_id_pattern = EXTERNAL_ID_PATTERN
    base_url_pattern = BASE_URL_PATTERN
    messaging_service_id_pattern = MESSAGING_SERVICE_PATTERN
    attempt_timeout_seconds = TOTAL_TIMEOUT_SECONDS
    lists_messages = True
    honours_keys = False  # facts/telephony.md 1.8
    honours_validity = True
    limits = LIMITS
    prices = PRICES

    def __init__(self, session: aiohttp.ClientSession, egress: Egress | None = None) -> None:
        self._session = session
        self._egress = egress
        self._doors = Doors(door_of)

    async def send_text(self, account: CarrierAccount, text: OutboundText) -> CarrierMessage:
        door = self._doors.of(account)
        return _message(await self._request("POST", door.messages_url, door, _form_of(text)))

    async def get_message(self, account: CarrierAccount, carrier_message_id: str) -> CarrierMessage:
        door = self._doors.of(account)
        return _message(await self._request("GET", door.message_url(carrier_message_id), door))

    async def redact_message(self, account: CarrierAccount, carrier_message_id: str, *, with_media: bool) -> None:
        door = self._doors.of(account)
        try:
            # facts/telephony.md 1.3: an empty body redacts.
            _message(await self._request("POST", door.message_url(carrier_message_id), door, b"Body="))
            if with_media:
                await self._delete_media(door, carrier_message_id)
        except CarrierRefused as refused:
            if refused.refusal.code not in GONE:
                raise

    async def _delete_media(self, door: Door, carrier_message_id: str) -> None:
        """Ten at most, so one page of them has all (twilio.com/docs/messaging/api/media-resource)."""
        page = object_in(await self._request("GET", door.media_url(carrier_message_id), door), _WHO)
        for sid in _media_sids(page):
            try:
                await self._request("DELETE", door.media_url(carrier_message_id, sid), door)
            except CarrierRefused as refused:
                if refused.refusal.code not in GONE:
                    raise

    def fetch_media(
        self, account: CarrierAccount, url: str
    ) -> AbstractAsyncContextManager[tuple[str, AsyncIterator[bytes]]]:
        # Twilio answers with a redirect to its storage, which wants no credentials.
        door = self._doors.of(account)
        credentials = {"Authorization": door.headers["Authorization"]}
        media = MediaDoor(_WHO, URL(door.origin).origin(), credentials, lambda status: refusal_of_answer(status, None))
        return fetching(self._session, self._egress, url, media)

    async def list_messages(
        self, account: CarrierAccount, *, to_number: str, from_number: str | None, since: datetime
    ) -> Sequence[CarrierMessage]:
        # Not filtered by DateSent: that is null while a message is queued (facts/telephony.md 1.8).
        door = self._doors.of(account)
        query = {"To": to_number, "PageSize": _PAGE_SIZE}
        if from_number is not None:
            query["From"] = from_number
        url: URL | None = URL(f"{door.messages_url}?{urlencode(query)}", encoded=True)
        found: list[CarrierMessage] = []
        for _ in range(_MAX_PAGES):
            if url is None:
                return found
            page = object_in(await self._request("GET", url, door), _WHO)
            messages = _messages(page)
            found += [message for message in messages if not is_older(message, since)]
            if messages and all(message.created_at < since - _SLACK for message in messages):
                return found
            url = _next_page(page, door)
        raise OutcomeUnknown("the listing has more pages than are read")

    def verify(self, account: CarrierAccount, *, url: str, headers: Mapping[str, str], body: bytes) -> bool:
        door = self._doors.of(account)
        signature = headers.get(SIGNATURE_HEADER)
        if not signature:
            return False
        secrets = door.webhook_secrets
        key_id, algorithm = settings_of(headers.get(SETTINGS_HEADER))
        if key_id is not None:
            # The header may choose among what was configured, and nothing else.
            if key_id != door.shared_key_id:
                return False
            secrets = (door.shared_key_secret,)
        is_form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        pairs = form_pairs(body) if is_form else None
        if is_form and pairs is None:
            return False
        return is_signed(secrets, url=url, pairs=pairs, body=body, signature=signature, algorithm=algorithm)

    def parse_event(self, *, kind: str, query: Mapping[str, str], body: bytes) -> CarrierEvent | None:
        return event_of(kind, query, body)

    def refusal_of(self, error_code: str) -> Refusal:
        return refusal_of(error_code)

    def credentials_schema(self) -> Mapping[str, Any]:
        return CREDENTIALS_SCHEMA

    async def _request(self, method: str, url: URL, door: Door, body: bytes | None = None) -> object:
        """The JSON of a 2xx answer. Raises CarrierRefused, NotSent, OutcomeUnknown."""
        answer = await exchange(self._session, method, url, who=_WHO, headers=door.headers, body=body)
        if answer.status >= 300:
            wait_seconds = answer.seconds_in("Retry-After")
            raise CarrierRefused(refusal_of_answer(answer.status, answer.content, wait_seconds))
        return answer.content


def _form_of(text: OutboundText) -> bytes:
    fields = [("To", text.to_number)]
    if text.from_number is not None:
        fields.append(("From", text.from_number))
    if text.messaging_service is not None:
        fields.append(("MessagingServiceSid", text.messaging_service))
    if text.body or not text.media_urls:
        fields.append(("Body", text.body))
    fields += [("MediaUrl", url) for url in text.media_urls]
    if text.status_callback_url is not None:
        fields.append(("StatusCallback", text.status_callback_url))
    if text.validity_seconds is not None:
        fields.append(("ValidityPeriod", str(text.validity_seconds)))
    return urlencode(fields).encode()


def _message(answer: object) -> CarrierMessage:
    try:
        return message_of(object_in(answer, _WHO))
    except ValueError as error:
        raise OutcomeUnknown("Twilio's answer is not a message") from error


def _messages(page: Mapping[str, Any]) -> list[CarrierMessage]:
    listed = page.get("messages")
    if not isinstance(listed, list):
        raise OutcomeUnknown("Twilio's answer is not a list of messages")
    return [_message(resource) for resource in cast("list[Any]", listed)]


def _media_sids(page: Mapping[str, Any]) -> list[str]:
    try:
        return [str(resource["sid"]) for resource in page["media_list"]]
    except (KeyError, TypeError) as error:
        raise OutcomeUnknown("Twilio's answer is not a list of media") from error


def _next_page(page: Mapping[str, Any], door: Door) -> URL | None:
    """The next page on the same host: the credentials go nowhere else, whatever the answer says."""
    uri = page.get("next_page_uri")
    if not isinstance(uri, str) or not uri:
        return None
    if not uri.startswith("/") or uri.startswith("//"):
        raise OutcomeUnknown("Twilio names a next page on another host")
    return URL(f"{door.origin}{uri}", encoded=True)
