"""Twilio over HTTP: create, fetch and list messages. Nothing is retried here; a POST least of all.

The SDK is not used: its async client ignores timeouts and its retries repeat POSTs (facts/telephony.md 5.2).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from offhook.telephony.carrier import (
    CarrierAccount,
    CarrierEvent,
    CarrierMessage,
    CarrierRefused,
    NotSent,
    OutboundText,
    OutcomeUnknown,
    Refusal,
)
from offhook.telephony.carriers.twilio.account import CREDENTIALS_SCHEMA, EXTERNAL_ID_PATTERN, Door, door_of
from offhook.telephony.carriers.twilio.errors import refusal_of, refusal_of_answer
from offhook.telephony.carriers.twilio.events import event_of, is_older, message_of
from offhook.telephony.carriers.twilio.signature import (
    SETTINGS_HEADER,
    SIGNATURE_HEADER,
    form_pairs,
    is_signed,
    settings_of,
)

CONNECT_TIMEOUT_SECONDS: Final = 3.0
TOTAL_TIMEOUT_SECONDS: Final = 10.0
_TIMEOUT: Final = aiohttp.ClientTimeout(total=TOTAL_TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS)
_PAGE_SIZE: Final = 1000  # the largest that Twilio gives
_MAX_PAGES: Final = 50
_SLACK: Final = timedelta(days=1)
"""Pages come newest first; how far past `since` one must reach before the rest is left unread."""
_MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024

# Known not to have left: no address, no connection, no TLS.
_NOT_SENT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientConnectorDNSError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)


class TwilioCarrier:
    """One process's Twilio. The session is shared, pooled, and its owner's to close."""

    name: Final = "twilio"
    external_account_id_pattern: Final = EXTERNAL_ID_PATTERN
    attempt_timeout_seconds: Final = TOTAL_TIMEOUT_SECONDS

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._doors: dict[uuid.UUID, tuple[CarrierAccount, Door]] = {}

    async def send_text(self, account: CarrierAccount, text: OutboundText) -> CarrierMessage:
        door = self._door(account)
        form = {"To": text.to_number, "From": text.from_number, "Body": text.body}
        if text.status_callback_url is not None:
            form["StatusCallback"] = text.status_callback_url
        answer = await self._request("POST", door.messages_url, door, urlencode(form).encode())
        return _message(answer)

    async def get_message(self, account: CarrierAccount, carrier_message_id: str) -> CarrierMessage:
        door = self._door(account)
        return _message(await self._request("GET", door.message_url(carrier_message_id), door))

    async def list_messages(
        self, account: CarrierAccount, *, to_number: str, from_number: str, since: datetime
    ) -> Sequence[CarrierMessage]:
        # Not filtered by DateSent: that is null while a message is queued (facts/telephony.md 1.8).
        door = self._door(account)
        query = urlencode({"To": to_number, "From": from_number, "PageSize": _PAGE_SIZE})
        url: URL | None = URL(f"{door.messages_url}?{query}", encoded=True)
        found: list[CarrierMessage] = []
        for _ in range(_MAX_PAGES):
            if url is None:
                return found
            page = _object(await self._request("GET", url, door))
            messages = _messages(page)
            found += [message for message in messages if not is_older(message, since)]
            if messages and all(message.created_at < since - _SLACK for message in messages):
                return found
            url = _next_page(page, door)
        raise OutcomeUnknown("the listing has more pages than are read")

    def verify(self, account: CarrierAccount, *, url: str, headers: Mapping[str, str], body: bytes) -> bool:
        door = self._door(account)
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

    def _door(self, account: CarrierAccount) -> Door:
        known = self._doors.get(account.id)
        if known is not None and known[0] is account:
            return known[1]
        door = door_of(account)
        self._doors[account.id] = (account, door)
        return door

    async def _request(self, method: str, url: URL, door: Door, body: bytes | None = None) -> Any:
        """The JSON of a 2xx answer. Raises CarrierRefused, NotSent, OutcomeUnknown."""
        try:
            async with self._session.request(
                method, url, data=body, headers=door.headers, timeout=_TIMEOUT, allow_redirects=False
            ) as response:
                raw = await response.content.read(_MAX_ANSWER_BYTES) if body is None else await response.read()
                if response.status >= 500 or response.status == 408:
                    raise OutcomeUnknown(f"Twilio answered HTTP {response.status}")
                answer = _json(raw)
                if response.status >= 300:
                    code: object = cast("dict[str, Any]", answer).get("code") if isinstance(answer, dict) else None
                    raise CarrierRefused(refusal_of_answer(response.status, code, response.headers.get("Retry-After")))
                return answer
        except _NOT_SENT as error:
            raise NotSent(f"no connection to Twilio ({type(error).__name__})") from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise OutcomeUnknown(f"no clear answer from Twilio ({type(error).__name__})") from error


def _json(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _object(answer: Any) -> Mapping[str, Any]:
    if not isinstance(answer, dict):
        raise OutcomeUnknown("Twilio's answer is not a JSON object")
    return cast("Mapping[str, Any]", answer)


def _message(answer: Any) -> CarrierMessage:
    try:
        return message_of(_object(answer))
    except ValueError as error:
        raise OutcomeUnknown("Twilio's answer is not a message") from error


def _messages(page: Mapping[str, Any]) -> list[CarrierMessage]:
    listed = page.get("messages")
    if not isinstance(listed, list):
        raise OutcomeUnknown("Twilio's answer is not a list of messages")
    return [_message(resource) for resource in cast("list[Any]", listed)]


def _next_page(page: Mapping[str, Any], door: Door) -> URL | None:
    """The next page on the same host: the credentials go nowhere else, whatever the answer says."""
    uri = page.get("next_page_uri")
    if not isinstance(uri, str) or not uri:
        return None
    if not uri.startswith("/") or uri.startswith("//"):
        raise OutcomeUnknown("Twilio names a next page on another host")
    return URL(f"{door.origin}{uri}", encoded=True)
