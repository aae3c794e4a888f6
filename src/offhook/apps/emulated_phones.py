"""The emulator's phones, as its control API tells of them (`/_emulator/`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any, Final, Self

import aiohttp

from offhook.core.errors import InvalidInput, Unavailable

ENDED: Final = frozenset({"delivered", "undelivered", "failed", "canceled"})
"""Statuses of a text after which nothing follows."""

Document = dict[str, Any]
"""A text (`from`, `to`, `body`, `status`, `segments`, `encoding`, `direction`, `seq`, `sid`, `error_code`, times in
ISO 8601) or an event (`seq`, `at`, `type`, and for `message.*`: `status`, `message`)."""

_SLACK_SECONDS: Final = 5.0


class EmulatedPhones:
    """A session with one emulator. Every method raises Unavailable when it does not answer."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._session = aiohttp.ClientSession()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def seq(self) -> int:
        """The number of the last thing that happened."""
        return (await self._get("health"))["seq"]

    async def phones(self) -> list[Document]:
        """`{"number", "texts", "last"}` of each handset."""
        return (await self._get("phones"))["phones"]

    async def texts_of(self, number: str) -> list[Document]:
        """Oldest first."""
        return (await self._get(f"phones/{number}"))["messages"]

    async def texts_to(self, number: str, since: datetime) -> list[Document]:
        """Created then or later; oldest first."""
        return (await self._get("messages", to=number, since=since.isoformat()))["messages"]

    async def send(self, phone: str, to: str, body: str, *, account_sid: str | None = None) -> Document:
        """Have a phone text one of our numbers, of one account where several own it; the text as it was taken.

        Raises InvalidInput.
        """
        url = f"{self._url}/_emulator/phones/{phone}/send"
        wanted = {"to": to, "body": body, "account_sid": account_sid}
        timeout = aiohttp.ClientTimeout(total=_SLACK_SECONDS)
        try:
            async with self._session.post(url, json=wanted, timeout=timeout) as response:
                answer = await response.json()
                if response.status == 201:
                    return answer
                problem = f"answers {response.status}"
                if response.status == 400:
                    raise InvalidInput(f"the emulator does not take the text: {answer['error']}", code="phone_text")
        except (aiohttp.ClientError, TimeoutError, ValueError):
            problem = "does not answer"
        raise self._unavailable(problem)

    async def events(self, after: int, wait_seconds: float = 0.0) -> tuple[list[Document], int]:
        """What happened after `after`, and the number to go on from; waits for the first one."""
        answer = await self._get("events", wait_seconds, after=str(after), wait=f"{max(wait_seconds, 0.0):.3f}")
        return answer["events"], answer["last"]

    async def changes(self, after: int, seconds: float | None = None) -> AsyncGenerator[Document]:
        """The events of texts as they happen, for `seconds` at most (None: without end)."""
        clock = asyncio.get_running_loop().time
        until = None if seconds is None else clock() + seconds
        while (left := 30.0 if until is None else min(until - clock(), 30.0)) > 0:
            events, after = await self.events(after, left)
            for event in events:
                if event["type"] in {"message.created", "message.status"} and event.get("message"):
                    yield event

    async def _get(self, path: str, wait_seconds: float = 0.0, **query: str) -> Any:
        timeout = aiohttp.ClientTimeout(total=wait_seconds + _SLACK_SECONDS)
        try:
            async with self._session.get(f"{self._url}/_emulator/{path}", params=query, timeout=timeout) as response:
                if response.status == 200:
                    return await response.json()
                problem = f"answers {response.status}"
        except (aiohttp.ClientError, TimeoutError, ValueError):
            problem = "does not answer"
        raise self._unavailable(problem)

    def _unavailable(self, problem: str) -> Unavailable:
        return Unavailable(
            f"the emulator at {self._url} {problem}: `offhook status` says what runs", code="emulator_unavailable"
        )
