"""The only client for URLs that tenants give: it reaches the public internet and nothing else.

A name may resolve to one address now and to another a moment later, so what is checked is what is connected to:
aiohttp connects to exactly the addresses that its resolver returns, and this one returns none that is not public.
Literal addresses pass no resolver and are checked in the URL; so is each redirect. What was refused and what failed
are told in sentences that name no address: who asks must not learn about the network that we are in.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

MAX_URL_CHARACTERS: Final = 2048
MAX_REDIRECTS: Final = 3
PORTS: Final = frozenset({80, 443})
CHUNK_BYTES: Final = 64 * 1024
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MAX_CONNECTIONS: Final = 50
_UNSPEAKABLE: Final = re.compile(r"[\x00-\x20\x7f\\]")
_NUMERIC: Final = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_INTERNET_6: Final = ipaddress.IPv6Network("2000::/3")
"""All that is handed out for the public internet; loopback, mapped, NAT64, link-local, site-local and private
addresses are outside (IANA IPv6 address space)."""
_NOT_PUBLIC_6: Final = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )  # protocols and Teredo, examples, 6to4, examples
)
_NOT_PUBLIC_4: Final = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "192.0.0.0/24",  # protocol assignments; a cloud's metadata service too
        "192.88.99.0/24",  # relays of 6to4
        "168.63.129.16/32",  # Azure's own agent, on a public address
    )
)


class EgressRefused(Exception):
    """We do not go there. `sentence`: for whoever gave the URL."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class EgressFailed(Exception):
    """It did not work: no such name, no connection, too slow, too much. `sentence`: for whoever gave the URL."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer whose head has come. Its body is read by `chunks`, once."""

    status: int
    headers: Mapping[str, str]
    response: aiohttp.ClientResponse = field(repr=False)
    max_bytes: int

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body. Raises EgressFailed when it breaks off, takes too long or passes `max_bytes`."""
        seen = 0
        try:
            async for chunk in self.response.content.iter_chunked(CHUNK_BYTES):
                seen += len(chunk)
                if seen > self.max_bytes:
                    raise EgressFailed(f"It is larger than {self.max_bytes} bytes.")
                yield chunk
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _failed(error) from None


class Egress:
    """`allow`: (host, port) pairs that may be reached wherever they are: what an operator vouches for.

    `resolver` answers in place of the machine's own; what it answers is checked all the same.
    """

    def __init__(self, allow: Collection[tuple[str, int]] = (), *, resolver: AbstractResolver | None = None) -> None:
        self._allow = frozenset((host.lower(), port) for host, port in allow)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=SafeResolver(resolver or aiohttp.ThreadedResolver(), self._allow),
                use_dns_cache=False,
                limit=_MAX_CONNECTIONS,
                limit_per_host=10,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            headers={"user-agent": "Offhook", "accept": "*/*", "accept-encoding": "identity"},
        )

    async def close(self) -> None:
        await self._session.close()

    def check(self, url: str) -> URL:
        """The URL if we would go there, as far as it tells by itself. Raises EgressRefused."""
        if len(url) > MAX_URL_CHARACTERS or _UNSPEAKABLE.search(url):
            raise EgressRefused(
                f"The URL must have at most {MAX_URL_CHARACTERS} characters, no spaces and no backslashes."
            )
        try:
            parsed = URL(url)
            host, port = (parsed.raw_host or "").lower(), parsed.port
        except ValueError:
            raise EgressRefused("This is not a URL.") from None
        if parsed.scheme not in ("http", "https") or not host or port is None:
            raise EgressRefused("The URL must begin with https:// or http:// and name a host.")
        if parsed.raw_user is not None or parsed.raw_password is not None:
            raise EgressRefused("The URL must not carry a name or password.")
        if (host, port) in self._allow:
            return parsed
        if port not in PORTS:
            raise EgressRefused("The URL must be at port 443 or 80.")
        _check_literal(host)
        return parsed

    @asynccontextmanager
    async def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, timeout_seconds: float, max_bytes: int
    ) -> AsyncGenerator[Fetched]:
        """GET, after at most MAX_REDIRECTS redirects, each of them checked like the first URL. `timeout_seconds` is
        for all of it, the body included. Raises EgressRefused, EgressFailed."""
        deadline = time.monotonic() + timeout_seconds
        wanted = self.check(url)
        for _ in range(MAX_REDIRECTS + 1):
            response = await self._request(wanted, headers or {}, deadline - time.monotonic())
            try:
                if response.status not in _REDIRECTS or "location" not in response.headers:
                    yield Fetched(response.status, response.headers, response, max_bytes)
                    return
                wanted = self._follow(wanted, response.headers["location"])
            finally:
                # Not `release`, which would read what is left of a body that nobody wants.
                response.close()
        raise EgressFailed(f"It redirects more than {MAX_REDIRECTS} times.")

    async def _request(self, url: URL, headers: Mapping[str, str], seconds: float) -> aiohttp.ClientResponse:
        try:
            return await self._session.get(
                url,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=max(seconds, 0.001)),
            )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _failed(error) from None

    def _follow(self, base: URL, location: str) -> URL:
        try:
            return self.check(str(base.join(URL(location))))
        except ValueError:
            raise EgressRefused("It redirects to what is not a URL.") from None


class SafeResolver(AbstractResolver):
    """Names → addresses, all of them public, or none."""

    def __init__(self, inner: AbstractResolver, allow: Collection[tuple[str, int]]) -> None:
        self._inner = inner
        self._allow = allow

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if (host.lower(), port) not in self._allow:
            for answer in found:
                if not is_public(answer["host"]):
                    raise EgressRefused("The URL's host is not on the public internet.")
        return found

    async def close(self) -> None:
        await self._inner.close()


def is_public(text: str) -> bool:
    """Whether an address is one machine on the public internet."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        return (
            address.scope_id is None
            and address in _INTERNET_6
            and not any(address in network for network in _NOT_PUBLIC_6)
        )
    return address.is_global and not address.is_multicast and not any(address in network for network in _NOT_PUBLIC_4)


def _check_literal(host: str) -> None:
    """Refuses addresses that are not public, and every other spelling of one: 2130706433, 0x7f.1, 0177.0.0.1."""
    name = host.rstrip(".")
    try:
        literal = str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        if "%" in host or ":" in host or _NUMERIC.fullmatch(name.rpartition(".")[2]):
            raise EgressRefused("The URL's host is not a name.") from None
        return
    if not is_public(literal):
        raise EgressRefused("The URL's host is not on the public internet.")


def _failed(error: BaseException) -> EgressFailed:
    match error:
        case TimeoutError():
            return EgressFailed("It did not answer in time.")
        case aiohttp.ClientConnectorDNSError():
            return EgressFailed("There is no host of that name.")
        case aiohttp.ClientConnectorError():
            return EgressFailed("Its host cannot be reached.")
        case _:
            return EgressFailed("It broke off, or did not speak HTTP.")
