"""Webhooks to the customer's server: signed, tried again after a failed connection, remembered over a restart."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from urllib.parse import parse_qsl, urldefrag, urlencode

import aiohttp
from yarl import URL

from offhook.emulator.clock import Clock
from offhook.emulator.faults import Faults
from offhook.emulator.records import Callback, Message
from offhook.emulator.settings import Settings
from offhook.emulator.signature import sign
from offhook.emulator.store import Record, Store
from offhook.emulator.tasks import Tasks

API_VERSION = "2010-04-01"


def status_callback(message: Message, status: str, error_code: int | None = None) -> Record | None:
    """The record of the callback that tells this status, or None for a message that asked for none.

    Fields: facts/telephony.md 1.4.
    """
    if message.status_callback is None:
        return None
    fields = {
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "AccountSid": message.account_sid,
        "MessageStatus": status,
        "SmsStatus": status,
        "From": message.from_number,
        "To": message.to,
        "ApiVersion": API_VERSION,
    }
    if message.messaging_service_sid:
        fields["MessagingServiceSid"] = message.messaging_service_sid
    if error_code is not None:
        fields["ErrorCode"] = str(error_code)
    return callback_record(message.account_sid, message.status_callback, fields)


def callback_record(account_sid: str, url: str, fields: dict[str, str]) -> Record:
    callback = Callback(id=str(uuid.uuid4()), account_sid=account_sid, url=url, fields=fields)
    return {"type": "callback", **callback.to_record()}


@dataclass(frozen=True, slots=True)
class Delivery:
    """How one callback is delivered: Twilio's defaults, overridden by the URL's fragment (facts/telephony.md 4)."""

    url: str
    connect_seconds: float
    read_seconds: float
    total_seconds: float
    retries: int
    retry_on: frozenset[str]

    @classmethod
    def of(cls, url: str, settings: Settings) -> Delivery:
        bare, fragment = urldefrag(url)
        given = dict(parse_qsl(fragment))
        return cls(
            url=bare,
            connect_seconds=_milliseconds(given.get("ct"), 10_000, settings.callback_connect_seconds),
            read_seconds=_milliseconds(given.get("rt"), 15_000, settings.callback_read_seconds),
            total_seconds=_milliseconds(given.get("tt"), 15_000, settings.callback_total_seconds),
            retries=int(given["rc"]) if given.get("rc", "") in set("012345") - {""} else settings.callback_retries,
            retry_on=frozenset(given.get("rp", "ct").split(",")),
        )

    def retries_after(self, outcome: str) -> bool:
        return "all" in self.retry_on or outcome in self.retry_on


def _milliseconds(given: str | None, maximum: int, default: float) -> float:
    if given is None or not given.isascii() or not given.isdigit() or not 100 <= int(given) <= maximum:
        return default
    return int(given) / 1000


class Callbacks:
    """Delivers what the store says is owed. `start` one after its record is written; `resume` all after a restart."""

    def __init__(self, store: Store, settings: Settings, clock: Clock, faults: Faults, tasks: Tasks) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._faults = faults
        self._tasks = tasks
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False)
        for callback in tuple(self._store.pending_callbacks.values()):
            self._tasks.spawn(self._deliver(callback))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def start(self, record: Record) -> None:
        """Deliver the callback of a record that was just written."""
        self._tasks.spawn(self._deliver(self._store.pending_callbacks[record["id"]]))

    async def _deliver(self, callback: Callback) -> None:
        fault = self._faults.draw("callback", to=callback.fields.get("To"))
        kind = fault.kind if fault else None
        if fault is not None and kind == "latency":
            await self._clock.sleep(fault.seconds)
        outcome = "dropped" if kind == "drop" else await self._try_until_answered(callback)
        if kind == "double":
            outcome = await self._try_until_answered(callback)
        self._store.append({"type": "callback_ended", "id": callback.id, "outcome": outcome})

    async def _try_until_answered(self, callback: Callback) -> str:
        delivery = Delivery.of(callback.url, self._settings)
        outcome = await self._post(callback, delivery)
        for _ in range(delivery.retries):
            if not delivery.retries_after(outcome):
                break
            await self._clock.sleep(self._settings.callback_retry_pause_seconds)
            outcome = await self._post(callback, delivery)
        return outcome

    async def _post(self, callback: Callback, delivery: Delivery) -> str:
        """One try. Returns `2xx` to `5xx` by the answer, `ct` without a connection, `rt` without an answer in time."""
        assert self._session is not None
        account = self._store.accounts[callback.account_sid]
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "offhook-emulator",
            "I-Twilio-Idempotency-Token": callback.id,
            "X-Twilio-Signature": sign(account.auth_token, delivery.url, callback.fields),
        }
        timeout = aiohttp.ClientTimeout(
            total=delivery.total_seconds, sock_connect=delivery.connect_seconds, sock_read=delivery.read_seconds
        )
        body = urlencode(callback.fields).encode()
        url = URL(delivery.url, encoded=True)
        try:
            async with self._session.post(
                url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                await answer.read()
                return f"{answer.status // 100}xx"
        except (aiohttp.ClientOSError, aiohttp.ConnectionTimeoutError, aiohttp.ServerDisconnectedError):
            return "ct"
        except (TimeoutError, aiohttp.ClientError):
            return "rt"
