"""One GET at a process's own address: whether it answers, and with what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import aiohttp

SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Probe:
    """`problem` None: it answered well, with `body`."""

    problem: str | None
    body: bytes = field(default=b"", repr=False)


async def probe(url: str) -> Probe:
    """Ask once. Never raises for what the other side does."""
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            if response.status >= 400:
                return Probe(f"unhealthy (HTTP {response.status})")
            return Probe(None, await response.read())
    except TimeoutError:
        return Probe(f"does not answer within {SECONDS:g} s")
    except (aiohttp.ClientError, OSError):
        return Probe("does not answer")
