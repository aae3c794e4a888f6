"""Bytes to the API and back: one pooled aiohttp session, prebuilt headers, retries with one deadline."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
from yarl import URL

from offhook.client.errors import ApiError, Unreachable, api_error
from offhook.core import ids

DEFAULT_TIMEOUT_SECONDS: Final = 10.0
POOL_SIZE: Final = 256
"""Connections per process. A worker's job needs a handful; the relay serves many conversations on one pool."""

_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 0.5
"""A gateway that was killed is back within a second or two; half a second keeps the caller's wait short."""

_TRANSIENT: Final = frozenset({500, 502, 503, 504})


class Transport:
    """Opened on first use, so that it may be made outside an event loop; `aclose` gives the connections back."""

    def __init__(self, url: str, api_key: str, connector: aiohttp.TCPConnector | None = None) -> None:
        self._connector = connector
        self._base = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        self._session: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        return self._base

    async def aclose(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def send(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        query: Mapping[str, str] | None = None,
        content_type: str | None = None,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> Any:
        """The JSON answer (None for an empty one). `body` is sent as JSON; bytes as they are, with their
        `content_type`. Raises ApiError or Unreachable."""
        url = self._url(path, query)
        payload = None if body is None else body if isinstance(body, bytes) else _dump(body)
        try:
            headers = None if content_type is None else {"Content-Type": content_type}
            return await self._once(method, url, payload, timeout_seconds, headers)
        except TimeoutError:
            raise Unreachable(self._slow(timeout_seconds), maybe_received=True) from None
        except aiohttp.ClientConnectorError:
            raise Unreachable(self._absent(), maybe_received=False) from None
        except aiohttp.ClientError:
            raise Unreachable(self._absent(), maybe_received=True) from None

    async def send_until(
        self, method: str, path: str, *, body: object, deadline_seconds: float, idempotency_key: str | None = None
    ) -> Any:
        """Like `send`, and again while nobody answers or the answer is 5xx, until the deadline.

        Only for requests that carry an id of their own, or a key: what arrives twice must be done once.
        """
        url, payload = self._url(path, None), _dump(body)
        ends = time.monotonic() + deadline_seconds
        pause, maybe_received, refused = _FIRST_PAUSE_SECONDS, False, None
        headers = None if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        while (left := ends - time.monotonic()) > 0:
            try:
                return await self._once(method, url, payload, left, headers)
            except ApiError as error:
                if error.http_status not in _TRANSIENT:
                    raise
                maybe_received, refused = True, error
            except TimeoutError:
                maybe_received = True
                break
            except aiohttp.ClientConnectorError:
                pass
            except aiohttp.ClientError:
                maybe_received = True
            await asyncio.sleep(min(pause, max(ends - time.monotonic(), 0)))
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        if refused is not None:
            raise refused
        raise Unreachable(
            self._slow(deadline_seconds) if maybe_received else self._absent(), maybe_received=maybe_received
        )

    async def _once(
        self,
        method: str,
        url: URL,
        payload: bytes | None,
        timeout_seconds: float,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        session = self._session or self._open()
        timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        # From a file, however short: of long bytes aiohttp says that writing them in one go holds the loop up.
        data = io.BytesIO(payload) if payload is not None and "Content-Type" in (headers or {}) else payload
        async with session.request(
            method, url, data=data, headers=headers, timeout=timeout, allow_redirects=False
        ) as response:
            raw = await response.read()
            if response.status < 300:
                return _load(raw)
            raise api_error(response.status, _load(raw))

    def _open(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession(
            connector=self._connector or aiohttp.TCPConnector(limit=POOL_SIZE, ttl_dns_cache=300),
            connector_owner=self._connector is None,
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self._session

    def _url(self, path: str, query: Mapping[str, str] | None) -> URL:
        url = URL(self._base + path, encoded=True)
        return url.with_query(query) if query else url

    def _absent(self) -> str:
        return (
            f"Offhook's API does not answer at {self._base}. Is it running? `offhook up` starts it; "
            "OFFHOOK_URL says where it is."
        )

    def _slow(self, seconds: float) -> str:
        return f"Offhook's API at {self._base} did not answer within {seconds:g} s. `offhook status` says how it does."


def _dump(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":"), default=str).encode()


def _load(raw: bytes) -> Any:
    """The JSON in `raw`; None where there is none. What is not JSON is never an answer of ours."""
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        return None


def new_id() -> str:
    """A UUID of version 7 as the API writes it; sorts by time."""
    return str(ids.new_id())
