"""Load from a process of its own: prepared requests over kept-alive connections, each waiting for its answer.

It works on raw sockets in one epoll loop, because what it spends is missing to PostgreSQL beside it. The parent sends
one line of JSON and the requests' bytes per burst, and gets one line of JSON back.
"""

from __future__ import annotations

import asyncio
import json
import selectors
import socket
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import quantiles
from typing import BinaryIO

_HEADER_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_SILENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Burst:
    """What came of a burst of requests; all of them were answered with 2xx."""

    requests: int
    seconds: float
    p50_microseconds: float
    p99_microseconds: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


class BadAnswer(Exception):
    """Something was not answered with 2xx; nothing can be said about the speed of that."""


class Load:
    """The process that sends."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncGenerator[Load]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.load", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        try:
            yield cls(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()

    async def send(self, port: int, requests: Sequence[bytes], *, connections: int) -> Burst:
        """Send all of them. Raises BadAnswer for any answer that is not 2xx."""
        order = {"port": port, "connections": connections, "sizes": [len(request) for request in requests]}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n" + b"".join(requests))
        await self._process.stdin.drain()
        answer = json.loads(await self._process.stdout.readline() or b'{"problem": "the load process ended"}')
        if "problem" in answer:
            raise BadAnswer(answer["problem"])
        return Burst(**answer)


def post(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """A POST as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


class _Lane:
    """One connection, with at most one request under way."""

    __slots__ = ("began", "received", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.received = b""
        self.began = 0.0

    def start(self, request: bytes) -> None:
        self.began = time.perf_counter()
        if self.socket.send(request) != len(request):  # the buffer of an idle connection holds far more
            raise BadAnswer("a request did not fit into the connection's buffer")

    def take(self) -> bytes | None:
        """The whole answer, once it is there."""
        chunk = self.socket.recv(65536)
        if not chunk:
            raise BadAnswer("the server closed a connection")
        self.received = received = self.received + chunk if self.received else chunk
        end = received.find(_HEADER_END)
        if end < 0 or len(received) < end + len(_HEADER_END) + _length(received[:end]):
            return None
        self.received = b""
        return received


def _length(head: bytes) -> int:
    low = head.lower()
    at = low.find(_LENGTH)
    if at < 0:
        return 0  # 204
    return int(low[at + len(_LENGTH) :].split(b"\r\n", 1)[0])


def _drive(port: int, requests: Sequence[bytes], connections: int) -> Burst:
    lanes = [_Lane(port) for _ in range(min(connections, len(requests)))]
    bad: list[bytes] = []
    times: list[float] = []
    upcoming = iter(requests)
    selector = selectors.DefaultSelector()
    try:
        for lane in lanes:
            selector.register(lane.socket, selectors.EVENT_READ, lane)
        clock = time.perf_counter
        began = clock()
        for lane in lanes:
            lane.start(next(upcoming))
        while len(times) < len(requests):
            ready = selector.select(_SILENCE_SECONDS)
            if not ready:
                raise BadAnswer(f"no answer for {_SILENCE_SECONDS:g} seconds")
            for key, _ in ready:
                lane = key.data
                answer = lane.take()
                if answer is None:
                    continue
                times.append(clock() - lane.began)
                if answer[9:10] != b"2":
                    bad.append(answer)
                request = next(upcoming, None)
                if request is not None:
                    lane.start(request)
        seconds = clock() - began
    finally:
        selector.close()
        for lane in lanes:
            lane.socket.close()
    if bad:
        raise BadAnswer(f"{len(bad)} of {len(requests)} answers are not 2xx; the first: {bad[0][:600]!r}")
    cuts = quantiles(times, n=100) if len(times) > 1 else times * 99
    return Burst(len(times), seconds, cuts[49] * 1e6, cuts[98] * 1e6)


def _serve(orders: BinaryIO) -> None:
    while line := orders.readline():
        order = json.loads(line)
        requests = [orders.read(size) for size in order["sizes"]]
        try:
            burst = _drive(order["port"], requests, order["connections"])
            answer: dict[str, object] = {name: getattr(burst, name) for name in Burst.__slots__}
        except (BadAnswer, OSError) as error:
            answer = {"problem": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    _serve(sys.stdin.buffer)
