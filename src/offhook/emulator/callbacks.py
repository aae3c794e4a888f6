"""Webhooks to the customer's server: one queue for all faces, tried again as the face says, kept over a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from offhook.emulator.face import Answer, Attempt, Delivery, Face
from offhook.emulator.records import Callback

if TYPE_CHECKING:
    from offhook.emulator.emulation import Emulation

ANSWER_MAX_BYTES = 64 * 1024  # TwiML that is fetched may have so much (facts/telephony.md 2.1)
REORDER_SECONDS = 5.0
"""How long a callback waits for the next of its message, where the fault does not say."""


class Callbacks:
    """Delivers what the store says is owed. `start` one after its record is written; `open` starts what was left."""

    def __init__(self, emulation: Emulation, faces: Mapping[str, Face]) -> None:
        self._emulation = emulation
        self._store = emulation.store
        self._faces = faces
        self._session: aiohttp.ClientSession | None = None
        self._overtaken: dict[str, list[asyncio.Event]] = {}
        """Message to the held callbacks that wait for its next one."""

    def open(self) -> None:
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False)
        for callback_id in tuple(self._store.pending_callbacks):
            self.start(callback_id)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def start(self, callback_id: str) -> None:
        """Deliver a callback whose record was just written."""
        self._emulation.tasks.spawn(partial(self._deliver, self._store.pending_callbacks[callback_id]))

    async def _deliver(self, callback: Callback) -> None:
        """Deliver it, and write that this is over however it went: else it would come again at every restart."""
        try:
            outcome = await self._outcome(callback)
        except OSError:  # the disk did not take it: it is begun again
            raise
        except Exception:
            await self._end(callback, "error")
            raise
        await self._end(callback, outcome)

    async def _end(self, callback: Callback, outcome: str) -> None:
        if self._is_owed(callback):
            await self._emulation.keep({"type": "callback_ended", "id": callback.id, "outcome": outcome})
        for held in self._overtaken.pop(callback.message_sid or "", ()):
            held.set()

    async def _outcome(self, callback: Callback) -> str:
        fault = self._emulation.faults.draw("callback", to=callback.to)
        kind = fault.kind if fault else None
        if fault is not None and kind == "latency":
            await self._emulation.clock.sleep(fault.seconds)
        if fault is not None and kind == "reorder":
            await self._let_the_next_pass(callback, fault.seconds or REORDER_SECONDS)
        outcome = "dropped" if kind == "drop" else await self._through_addresses(callback)
        if kind == "double":
            outcome = await self._through_addresses(callback)
        return outcome

    async def _let_the_next_pass(self, callback: Callback, seconds: float) -> None:
        passed = asyncio.Event()
        self._overtaken.setdefault(callback.message_sid or "", []).append(passed)
        await self._emulation.clock.sleep(seconds, until=passed)

    async def _through_addresses(self, callback: Callback) -> str:
        """Try each address until one takes it; returns the last outcome. One that was forgotten goes nowhere."""
        face = self._faces[callback.face]
        outcome, code, failed_url = "ct", None, None
        for delivery in face.deliveries(callback, self._emulation.settings):
            attempt = Attempt(delivery.url, error_code=code, error_url=failed_url)
            if not self._is_owed(callback):
                return "dropped"
            attempt, answer = await self._try_until_answered(face, callback, delivery, attempt)
            if not self._is_owed(callback):
                return "dropped"
            outcome, failed_url = answer.outcome, delivery.url
            code = await face.answered(self._emulation, callback, attempt, answer)
            if code is None:
                break
        return outcome

    def _is_owed(self, callback: Callback) -> bool:
        """Whether it was not forgotten in the meantime, with its message."""
        return callback.id in self._store.pending_callbacks

    async def _try_until_answered(
        self, face: Face, callback: Callback, delivery: Delivery, attempt: Attempt
    ) -> tuple[Attempt, Answer]:
        """The last try and its answer. A pause is of the emulated time, waiting for the customer's server of the real
        one; the delivery's total is for both."""
        loop, left = asyncio.get_running_loop(), delivery.total_seconds
        pauses = iter(delivery.pauses)
        while True:
            started = loop.time()
            answer = await self._post(face, callback, delivery, attempt, min(left, delivery.try_seconds))
            left -= loop.time() - started
            pause = next(pauses, None) if delivery.retries_after(answer.outcome) else None
            if pause is None or pause >= left:
                return attempt, answer
            await self._emulation.clock.sleep(pause)
            if not self._is_owed(callback):
                return attempt, answer
            left -= pause
            attempt = replace(attempt, number=attempt.number + 1)

    async def _post(
        self, face: Face, callback: Callback, delivery: Delivery, attempt: Attempt, seconds: float
    ) -> Answer:
        assert self._session is not None
        account = self._store.accounts[callback.account_sid]
        seed = self._store.seed(account.sid)
        posting = face.posting(callback, account, attempt, seed, self._emulation.clock.time())
        timeout = aiohttp.ClientTimeout(
            total=seconds, sock_connect=delivery.connect_seconds, sock_read=delivery.read_seconds
        )
        try:
            async with self._session.post(
                URL(delivery.url, encoded=True),
                data=posting.body,
                headers=posting.headers,
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                body = await answer.content.read(ANSWER_MAX_BYTES + 1) if answer.content_length != 0 else b""
                while len(body) <= ANSWER_MAX_BYTES and (more := await answer.content.read(ANSWER_MAX_BYTES)):
                    body += more
                return Answer(f"{answer.status // 100}xx", answer.status, answer.content_type, body)
        except (aiohttp.ClientOSError, aiohttp.ConnectionTimeoutError, aiohttp.ServerDisconnectedError, ValueError):
            return Answer("ct")  # a ValueError is an address that is none
        except (TimeoutError, aiohttp.ClientError):
            return Answer("rt")
