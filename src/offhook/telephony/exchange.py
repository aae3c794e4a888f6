"""One HTTP exchange with a carrier: what certainly never left, what nobody knows, and what was answered.

Nothing is repeated and no redirect is followed here: the one could send a text twice, the other a credential elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast

import aiohttp
from yarl import URL

from offhook.telephony.carrier import CarrierRefused, NotSent, OutcomeUnknown, Refusal, Treatment

CONNECT_TIMEOUT_SECONDS: Final = 3.0
TOTAL_TIMEOUT_SECONDS: Final = 10.0
MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024
LONGEST_RETRY_AFTER_SECONDS: Final = 86_400.0

_TIMEOUT: Final = aiohttp.ClientTimeout(total=TOTAL_TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS)
_MEDIA_TIMEOUT: Final = aiohttp.ClientTimeout(total=60.0, connect=CONNECT_TIMEOUT_SECONDS, sock_read=10.0)
_NOTHING: Final[Mapping[str, str]] = {}
_MAX_REDIRECTS: Final = 4
_CHUNK_BYTES: Final = 64 * 1024

# Known not to have left: no address, no connection, no TLS.
_NOT_SENT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientConnectorDNSError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)
_UNKNOWN: Final = (TimeoutError, aiohttp.ClientError, OSError)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, below 500."""

    status: int
    retry_after_seconds: float | None
    content: object = field(repr=False)
    """The JSON; None where it is none."""


async def exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    *,
    who: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> Answer:
    """Ask once. `who`: the carrier, for sentences. Raises NotSent, and OutcomeUnknown for whatever may have had an
    effect without our learning of it: 408, 5xx, a broken connection, an answer too long to be read."""
    try:
        async with session.request(
            method, url, data=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False
        ) as response:
            if response.status >= 500 or response.status == 408:
                raise OutcomeUnknown(f"{who} answered HTTP {response.status}")
            raw = await _read(response, who)
            return Answer(response.status, _retry_after(response.headers.get("Retry-After")), _json(raw))
    except _NOT_SENT as error:
        raise NotSent(f"no connection to {who} ({type(error).__name__})") from error
    except _UNKNOWN as error:
        raise OutcomeUnknown(f"no clear answer from {who} ({type(error).__name__})") from error


async def _read(response: aiohttp.ClientResponse, who: str) -> bytes:
    """The whole answer. What is packed is counted unpacked: a small answer may unpack to a huge one."""
    length = response.content_length
    if length is not None and length <= MAX_ANSWER_BYTES and "Content-Encoding" not in response.headers:
        return await response.read()
    received = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        received += chunk
        if len(received) > MAX_ANSWER_BYTES:
            raise OutcomeUnknown(f"{who}'s answer is longer than is read")
    return bytes(received)


def _json(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _retry_after(header: str | None) -> float | None:
    """Seconds; the header's other form, a date, is not used by the carriers we know."""
    if header is None or not header.isdecimal():
        return None
    return min(float(header), LONGEST_RETRY_AFTER_SECONDS)


def object_in(answer: object, who: str) -> Mapping[str, Any]:
    """An answer that must be a JSON object. Raises OutcomeUnknown."""
    if not isinstance(answer, dict):
        raise OutcomeUnknown(f"{who}'s answer is not a JSON object")
    return cast("Mapping[str, Any]", answer)


@asynccontextmanager
async def fetching(
    session: aiohttp.ClientSession,
    url: str,
    *,
    who: str,
    origin: URL,
    headers: Mapping[str, str],
    refusal: Callable[[int], Refusal],
) -> AsyncGenerator[tuple[str, AsyncIterator[bytes]]]:
    """Content type and bytes of a medium. `headers`, which are the credentials, go with the first request and only to
    `origin`; redirects are followed without them. `refusal`: what the carrier's own HTTP status means."""
    target = _address(url)
    own = target.origin() == origin
    sent = headers if own else _NOTHING
    try:
        for _ in range(_MAX_REDIRECTS + 1):
            async with session.get(target, headers=sent, timeout=_MEDIA_TIMEOUT, allow_redirects=False) as response:
                location = response.headers.get("Location") if 300 <= response.status < 400 else None
                if location is None:
                    _check_medium(response.status, who, refusal if own else _foreign_refusal)
                    yield response.content_type, _chunks(response, who)
                    return
                target, own, sent = _address(location, target), False, _NOTHING
    except _NOT_SENT as error:
        raise NotSent(f"no connection to fetch a medium ({type(error).__name__})") from error
    except _UNKNOWN as error:
        raise OutcomeUnknown(f"no clear answer when fetching a medium ({type(error).__name__})") from error
    raise CarrierRefused(_unfetchable("it is redirected too often"))


def _address(text: str, base: URL | None = None) -> URL:
    try:
        target = URL(text) if base is None else base.join(URL(text))
        target.origin()  # raises for what is not absolute
    except ValueError:
        raise CarrierRefused(_unfetchable("its address is none")) from None
    if target.scheme not in ("http", "https"):
        raise CarrierRefused(_unfetchable("its address is none"))
    return target


def _check_medium(status: int, who: str, refusal: Callable[[int], Refusal]) -> None:
    if status >= 500 or status == 408:
        raise OutcomeUnknown(f"{who} answered HTTP {status} for a medium")
    if status != 200:
        raise CarrierRefused(refusal(status))


def _foreign_refusal(status: int) -> Refusal:
    """Another host than the carrier's says nothing about the account."""
    return _unfetchable(f"its host answered HTTP {status}", f"http_{status}")


def _unfetchable(why: str, code: str = "medium_unfetchable") -> Refusal:
    return Refusal(code, Treatment.FAIL, f"The medium cannot be fetched: {why}.")


async def _chunks(response: aiohttp.ClientResponse, who: str) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            yield chunk
    except _UNKNOWN as error:
        raise OutcomeUnknown(f"{who}'s medium broke off ({type(error).__name__})") from error
