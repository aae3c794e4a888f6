"""One HTTP exchange with a carrier: what certainly never left, what nobody knows, and what was answered.

Nothing is repeated and no redirect is followed here: the one could send a text twice, the other a credential elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast

import aiohttp
from yarl import URL

from offhook.core.egress import Egress, EgressFailed, EgressRefused, Fetched
from offhook.telephony.carrier import CarrierRefused, NotSent, OutcomeUnknown, Refusal, Treatment

CONNECT_TIMEOUT_SECONDS: Final = 3.0
TOTAL_TIMEOUT_SECONDS: Final = 10.0
MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024
MAX_MEDIUM_BYTES: Final = 32 * 1024 * 1024
"""Whoever fetches has a limit of its own; this one only ends what has none."""
LONGEST_RETRY_AFTER_SECONDS: Final = 86_400.0

_TIMEOUT: Final = aiohttp.ClientTimeout(total=TOTAL_TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS)
_MEDIA_SECONDS: Final = 60.0
_MEDIA_TIMEOUT: Final = aiohttp.ClientTimeout(total=_MEDIA_SECONDS, connect=CONNECT_TIMEOUT_SECONDS, sock_read=10.0)
_NOTHING: Final[Mapping[str, str]] = {}
_MAX_REDIRECTS: Final = 4
_CHUNK_BYTES: Final = 64 * 1024

# Known not to have left: no address (UnicodeError: a name that no resolver takes), no connection, no TLS.
_NOT_SENT: Final = (
    UnicodeError,
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
    headers: Mapping[str, str] = field(repr=False)
    content: object = field(repr=False)
    """The JSON; None where it is none."""

    def seconds_in(self, header: str) -> float | None:
        """A header that counts seconds, as Retry-After does; its other form, a date, no carrier of ours uses."""
        text = self.headers.get(header, "")
        return min(float(text), LONGEST_RETRY_AFTER_SECONDS) if text.isdecimal() else None


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
            return Answer(response.status, response.headers, _json(raw))
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


def object_in(answer: object, who: str) -> Mapping[str, Any]:
    """An answer that must be a JSON object. Raises OutcomeUnknown."""
    if not isinstance(answer, dict):
        raise OutcomeUnknown(f"{who}'s answer is not a JSON object")
    return cast("Mapping[str, Any]", answer)


@dataclass(frozen=True, slots=True)
class MediaDoor:
    """How one account's media are fetched."""

    who: str
    origin: URL
    """Of the carrier's own API: the only place that the credentials go to."""
    headers: Mapping[str, str] = field(repr=False)
    """The credentials."""
    refusal: Callable[[int], Refusal]
    """What an HTTP status of the carrier's own means."""


Medium = tuple[str, AsyncIterator[bytes]]
"""Content type and bytes."""


@asynccontextmanager
async def fetching(
    session: aiohttp.ClientSession, egress: Egress | None, url: str, door: MediaDoor
) -> AsyncGenerator[Medium]:
    """A medium. The carrier's own address is asked with the credentials; what it redirects to, and any other address,
    without them, and elsewhere than at the carrier only by `egress`: the address came in a webhook that a tenant can
    sign."""
    async with AsyncExitStack() as stack:
        # Opened first and given then: what goes wrong at whoever reads the medium is not the carrier's doing.
        yield await _open(stack, session, egress, url, door)


async def _open(
    stack: AsyncExitStack, session: aiohttp.ClientSession, egress: Egress | None, url: str, door: MediaDoor
) -> Medium:
    target, credentials = _address(url), door.headers
    try:
        for _ in range(_MAX_REDIRECTS + 1):
            if target.origin() != door.origin:
                return await _open_elsewhere(stack, egress, str(target))
            asking = session.get(target, headers=credentials, timeout=_MEDIA_TIMEOUT, allow_redirects=False)
            response = await stack.enter_async_context(asking)
            location = response.headers.get("Location") if 300 <= response.status < 400 else None
            if location is None:
                _check_medium(response.status, door.who, door.refusal)
                return response.content_type, _chunks(response, door.who)
            target, credentials = _address(location, target), _NOTHING
    except _NOT_SENT as error:
        raise NotSent(f"no connection to fetch a medium ({type(error).__name__})") from error
    except _UNKNOWN as error:
        raise OutcomeUnknown(f"no clear answer when fetching a medium ({type(error).__name__})") from error
    raise CarrierRefused(_unfetchable("it is redirected too often"))


async def _open_elsewhere(stack: AsyncExitStack, egress: Egress | None, url: str) -> Medium:
    if egress is None:
        raise CarrierRefused(_unfetchable("it is not at the carrier"))
    try:
        asking = egress.get(url, timeout_seconds=_MEDIA_SECONDS, max_bytes=MAX_MEDIUM_BYTES)
        fetched = await stack.enter_async_context(asking)
    except EgressRefused as error:
        raise CarrierRefused(_unfetchable(error.sentence)) from error
    except EgressFailed as error:
        raise OutcomeUnknown(error.sentence) from error
    _check_medium(fetched.status, "the medium's host", _elsewhere)
    return fetched.response.content_type, _egress_chunks(fetched)


def _address(text: str, base: URL | None = None) -> URL:
    try:
        target = URL(text) if base is None else base.join(URL(text))
        target.origin()  # raises for what is not absolute
    except ValueError:
        raise CarrierRefused(_unfetchable("its address is none")) from None
    if target.scheme not in ("http", "https") or target.raw_user is not None or target.raw_password is not None:
        raise CarrierRefused(_unfetchable("its address is none that we use"))
    return target


def _check_medium(status: int, who: str, refusal: Callable[[int], Refusal]) -> None:
    if status >= 500 or status == 408:
        raise OutcomeUnknown(f"{who} answered HTTP {status} for a medium")
    if status != 200:
        raise CarrierRefused(refusal(status))


def _elsewhere(status: int) -> Refusal:
    """Another host than the carrier's says nothing about the account."""
    return _unfetchable(f"its host answered HTTP {status}", f"http_{status}")


def _unfetchable(why: str, code: str = "medium_unfetchable") -> Refusal:
    return Refusal(code, Treatment.FAIL, f"The medium cannot be fetched: {why.removesuffix('.')}.")


async def _chunks(response: aiohttp.ClientResponse, who: str) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            yield chunk
    except _UNKNOWN as error:
        raise OutcomeUnknown(f"{who}'s medium broke off ({type(error).__name__})") from error


async def _egress_chunks(fetched: Fetched) -> AsyncIterator[bytes]:
    try:
        async for chunk in fetched.chunks():
            yield chunk
    except EgressFailed as error:
        raise OutcomeUnknown(error.sentence) from error
