"""Telnyx over HTTP: create and fetch messages. Nothing is retried here; a POST least of all.

What is left of an unknown outcome: Telnyx has no list of messages that is complete soon after the fact. Its search of
detail records (`GET /v2/detail_records`) promises no time, so that a message missing there proves nothing. Instead
`POST /v2/messages` takes an Idempotency-Key: asked again with the same key and the same body, Telnyx answers as it did
and sends nothing more (developers.telnyx.com/docs/development/api-fundamentals/idempotency; telnyx-python 4.189,
messages.send).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Final

import aiohttp
from yarl import URL

from offhook.core.clock import Clock, SystemClock
from offhook.core.egress import Egress
from offhook.telephony.carrier import (
    CarrierAccount,
    CarrierEvent,
    CarrierMessage,
    CarrierRefused,
    NotOffered,
    OutboundText,
    OutcomeUnknown,
    Refusal,
)
from offhook.telephony.carriers.telnyx.account import BASE_URL_PATTERN, CREDENTIALS_SCHEMA, EXTERNAL_ID_PATTERN, door_of
from offhook.telephony.carriers.telnyx.errors import is_in_doubt, refusal_of, refusal_of_answer
from offhook.telephony.carriers.telnyx.events import event_of, message_of
from offhook.telephony.carriers.telnyx.offer import LIMITS, MESSAGING_SERVICE_PATTERN, PRICES
from offhook.telephony.carriers.telnyx.signature import is_signed
from offhook.telephony.doors import Doors
from offhook.telephony.exchange import TOTAL_TIMEOUT_SECONDS, Answer, MediaDoor, exchange, fetching, object_in

_WHO: Final = "Telnyx"


class TelnyxCarrier:
    """One process's Telnyx. The session is shared, pooled, and its owner's to close."""

    name = "telnyx"
    external_account_id_pattern = EXTERNAL_ID_PATTERN
    base_url_pattern = BASE_URL_PATTERN
    messaging_service_id_pattern = MESSAGING_SERVICE_PATTERN
    attempt_timeout_seconds = TOTAL_TIMEOUT_SECONDS
    lists_messages = False
    honours_keys = True
    honours_validity = False
    """messages.send of telnyx-python 4.189 has no such parameter: `valid_until` is Telnyx's to set."""
    limits = LIMITS
    prices = PRICES

    def __init__(
        self, session: aiohttp.ClientSession, egress: Egress | None = None, clock: Clock | None = None
    ) -> None:
        """`clock`: what the times in webhooks are compared with."""
        self._session = session
        self._egress = egress
        self._clock = clock or SystemClock()
        self._doors = Doors(door_of)

    async def send_text(self, account: CarrierAccount, text: OutboundText) -> CarrierMessage:
        door = self._doors.of(account)
        headers = door.headers
        if text.idempotency_key is not None:
            headers = {**headers, "Idempotency-Key": text.idempotency_key}
        return self._message(
            await self._request("POST", door.messages_url, headers, _body_of(text), asked_before=text.asked_before)
        )

    async def get_message(self, account: CarrierAccount, carrier_message_id: str) -> CarrierMessage:
        door = self._doors.of(account)
        return self._message(await self._request("GET", door.message_url(carrier_message_id), door.headers))

    async def list_messages(
        self, account: CarrierAccount, *, to_number: str, from_number: str | None, since: datetime
    ) -> Sequence[CarrierMessage]:
        raise NotOffered("Telnyx has no list of messages that would be evidence")

    async def redact_message(self, account: CarrierAccount, carrier_message_id: str, *, with_media: bool) -> None:
        # Redaction is a setting of the messaging profile, for all of its messages
        # (developers.telnyx.com/docs/messaging/messages/message-redaction).
        raise NotOffered("Telnyx redacts by messaging profile, not by message")

    def fetch_media(
        self, account: CarrierAccount, url: str
    ) -> AbstractAsyncContextManager[tuple[str, AsyncIterator[bytes]]]:
        # Telnyx's own media addresses are signed and want no credentials; the key goes to the API's host and no other.
        door = self._doors.of(account)
        credentials = {"Authorization": door.headers["Authorization"]}
        media = MediaDoor(_WHO, door.origin, credentials, lambda status: refusal_of_answer(status, None))
        return fetching(self._session, self._egress, url, media)

    def verify(self, account: CarrierAccount, *, url: str, headers: Mapping[str, str], body: bytes) -> bool:
        key = self._doors.of(account).public_key
        if key is None:
            return False
        return is_signed(key, headers=headers, body=body, now_seconds=self._clock.now().timestamp())

    def parse_event(self, *, kind: str, query: Mapping[str, str], body: bytes) -> CarrierEvent | None:
        return event_of(kind, query, body)

    def refusal_of(self, error_code: str) -> Refusal:
        return refusal_of(error_code)

    def credentials_schema(self) -> Mapping[str, Any]:
        return CREDENTIALS_SCHEMA

    async def _request(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        asked_before: bool = False,
    ) -> object:
        """The JSON of a 2xx answer. Raises CarrierRefused, NotSent, OutcomeUnknown."""
        answer = await exchange(self._session, method, url, who=_WHO, headers=headers, body=body)
        if answer.status < 300:
            return answer.content
        if asked_before and is_in_doubt(answer.status, answer.content):
            raise OutcomeUnknown("Telnyx knows the idempotency key from a request whose outcome it does not tell")
        raise CarrierRefused(refusal_of_answer(answer.status, answer.content, _wait_seconds(answer)))

    def _message(self, answer: object) -> CarrierMessage:
        try:
            return message_of(object_in(answer, _WHO), self._clock.now())
        except ValueError as error:
            raise OutcomeUnknown("Telnyx's answer is not a message") from error


def _body_of(text: OutboundText) -> bytes:
    fields: dict[str, Any] = {"to": text.to_number}
    if text.from_number is not None:
        fields["from"] = text.from_number
    if text.messaging_service is not None:
        fields["messaging_profile_id"] = text.messaging_service
    if text.body or not text.media_urls:
        fields["text"] = text.body
    if text.media_urls:
        fields["media_urls"] = text.media_urls
    if text.status_callback_url is not None:
        # Only there: the profile's own address is for texts to its numbers.
        fields |= {"webhook_url": text.status_callback_url, "use_profile_webhooks": False}
    return json.dumps(fields).encode()


def _wait_seconds(answer: Answer) -> float | None:
    """Of a 429: developers.telnyx.com/development/api-fundamentals/reliability/rate-limiting."""
    return answer.seconds_in("Retry-After") or answer.seconds_in("x-ratelimit-reset")
