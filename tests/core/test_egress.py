"""The client for URLs that tenants give, against real sockets: what must not be reached is a server that counts."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from offhook.core import egress as egress_module
from offhook.core.egress import MAX_REDIRECTS, Egress, EgressFailed, EgressRefused, Fetched, is_public

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Server:
    """`requests` that arrived, as method and path; `connections` counts also those that never spoke."""

    host: str
    port: int
    requests: list[str] = field(default_factory=list[str])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@asynccontextmanager
async def serving(answer: Answer | None = None, host: str = "127.0.0.1", port: int = 0) -> AsyncGenerator[Server]:
    server = Server(host, port)

    async def take(request: web.Request) -> web.StreamResponse:
        server.requests.append(f"{request.method} {request.path}")
        server.headers.append(dict(request.headers))
        return await answer(request) if answer is not None else web.Response(text="hello")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        server.port = runner.addresses[0][1]
        yield server
    finally:
        await runner.cleanup()


class Names(AbstractResolver):
    """Answers each question with the next of its answers, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        hosts = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in hosts
        ]

    async def close(self) -> None:
        """Nothing is open."""


@asynccontextmanager
async def client(*allow: tuple[str, int], resolver: AbstractResolver | None = None) -> AsyncGenerator[Egress]:
    made = Egress(allow, resolver=resolver)
    try:
        yield made
    finally:
        await made.close()


async def read(egress: Egress, url: str, *, seconds: float = 5.0, max_bytes: int = 1000) -> tuple[Fetched, bytes]:
    async with egress.get(url, timeout_seconds=seconds, max_bytes=max_bytes) as fetched:
        return fetched, b"".join([chunk async for chunk in fetched.chunks()])


HOSTILE = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://127.0.0.1./",
    "http://１２７.0.0.1/",
    "http://0.0.0.0/",
    "http://10.1.2.3/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://100.100.100.200/latest/meta-data",
    "http://169.254.169.254/latest/meta-data",
    "http://168.63.129.16/machine",
    "http://192.0.0.192/",
    "http://192.88.99.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[2606:4700::1%25eth0]/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://ada:secret@example.com/",
    "http://ada@example.com/",
    "http://example.com@127.0.0.1/",
    "http://127.0.0.1\\@example.com/",
    "http://example.com:22/",
    "http://example.com:8710/",
    "http://example.com:0/",
    "http://example.com:99999/",
    "http:///etc/passwd",
    "http://",
    "//example.com/",
    "/etc/passwd",
    "file:///etc/passwd",
    "ftp://example.com/a",
    "gopher://example.com/",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "unix:///var/run/docker.sock",
    "http://exa mple.com/",
    "http://example.com/a\r\nHost: b",
    "http://example.com/\x00",
    "",
    "http://[",
    "http://example.com/" + "a" * 3000,
]


@pytest.mark.parametrize("url", HOSTILE)
async def test_a_url_that_leads_elsewhere_than_to_the_public_internet_is_refused(url: str) -> None:
    async with client(resolver=Names(["127.0.0.1"])) as egress:
        with pytest.raises(EgressRefused) as caught:
            await read(egress, url)
    assert "127.0.0.1" not in caught.value.sentence


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.png?x=1#f",
        "http://example.com:80/",
        "https://[2606:4700::6810:85e5]/",
        "https://bücher.example/",
    ],
)
async def test_an_ordinary_url_is_taken(url: str) -> None:
    async with client() as egress:
        egress.check(url)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:4700::6810:85e5", True),
        ("127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.215.14", False),
        ("fe80::1%eth0", False),
        ("2606:4700::1%eth0", False),
        ("198.18.0.1", False),
        ("240.0.0.1", False),
        ("no address", False),
    ],
)
def test_public_is_what_is_handed_out_for_the_internet(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize("found", [["127.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["::1"], ["169.254.169.254"]])
async def test_a_name_of_an_inner_address_is_refused_before_anything_is_connected(
    found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving() as inner, client(resolver=Names(found)) as egress:
        monkeypatch.setattr(egress_module, "PORTS", frozenset({inner.port}))
        with pytest.raises(EgressRefused):
            await read(egress, f"http://innocent.example:{inner.port}/")
        assert inner.requests == []


async def test_a_name_that_is_another_address_the_second_time_does_not_lead_inside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding. 127.0.0.2 stands for the public internet here, 127.0.0.1 for what is inside."""
    monkeypatch.setattr(egress_module, "is_public", lambda address: address == "127.0.0.2")
    names = Names(["127.0.0.2"], ["127.0.0.1"])

    async def answer(_: web.Request) -> web.StreamResponse:
        response = web.Response(text="hello")
        response.force_close()  # a kept connection would go on to the address that was checked
        return response

    async with (
        serving(answer, host="127.0.0.2") as outside,
        serving(port=outside.port) as inside,
        client(resolver=names) as egress,
    ):
        monkeypatch.setattr(egress_module, "PORTS", frozenset({outside.port}))
        url = f"http://rebinding.example:{outside.port}/"
        _, body = await read(egress, url)
        assert (body, names.asked) == (b"hello", 1)
        with pytest.raises(EgressRefused):
            await read(egress, url)
        assert (len(outside.requests), inside.requests) == (1, [])


REDIRECTS = [
    "http://127.0.0.1:{inner}/",
    "http://localhost:{inner}/",
    "//127.0.0.1:{inner}/",
    "http://[::ffff:127.0.0.1]:{inner}/",
    "http://0x7f.1:{inner}/",
    "file:///etc/passwd",
    "http://ada@127.0.0.1:{inner}/",
    "http://[",
]


@pytest.mark.parametrize("location", REDIRECTS)
async def test_a_redirect_is_checked_like_the_first_url(location: str) -> None:
    async with serving() as inner:

        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(status=302, headers={"location": location.format(inner=inner.port)})

        async with serving(answer) as outside, client((outside.host, outside.port)) as egress:
            with pytest.raises(EgressRefused):
                await read(egress, outside.url)
        assert inner.requests == []


async def test_a_few_redirects_are_followed_and_no_more() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        left = int(request.path.strip("/"))
        if left == 0:
            return web.Response(text="here")
        return web.Response(status=307, headers={"location": f"/{left - 1}"})

    async with serving(answer) as server, client((server.host, server.port)) as egress:
        assert (await read(egress, f"{server.url}/{MAX_REDIRECTS}"))[1] == b"here"
        with pytest.raises(EgressFailed, match="redirects"):
            await read(egress, f"{server.url}/{MAX_REDIRECTS + 1}")


async def test_what_an_operator_vouches_for_is_reached_wherever_it_is() -> None:
    async with serving() as server:
        named = ("files.internal", server.port)
        async with client(named, resolver=Names(["127.0.0.1"])) as egress:
            assert (await read(egress, f"http://Files.Internal:{server.port}/"))[1] == b"hello"
            with pytest.raises(EgressRefused):
                await read(egress, server.url)  # the same machine by another name
            with pytest.raises(EgressRefused):
                await read(egress, f"http://files.internal:{server.port + 1}/")


async def test_a_body_is_read_up_to_its_limit() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 1000)

    async with serving(answer) as server, client((server.host, server.port)) as egress:
        with pytest.raises(EgressFailed, match="larger than 5000 bytes"):
            await read(egress, server.url, max_bytes=5000)


async def test_a_server_that_drips_is_left_when_the_time_is_over() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.02)

    async with serving(answer) as server, client((server.host, server.port)) as egress:
        with pytest.raises(EgressFailed, match="in time"):
            await read(egress, server.url, seconds=0.3)


async def test_redirects_and_body_share_one_time() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.15)
        return web.Response(status=302, headers={"location": "/again"})

    async with serving(answer) as server, client((server.host, server.port)) as egress:
        with pytest.raises(EgressFailed, match="in time"):
            await read(egress, server.url, seconds=0.25)


async def test_nothing_is_unpacked() -> None:
    bomb = gzip.compress(b"\0" * 1_000_000)

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=bomb, headers={"content-encoding": "gzip"})

    async with serving(answer) as server, client((server.host, server.port)) as egress:
        assert (await read(egress, server.url, max_bytes=2000))[1] == bomb
        assert server.headers[0]["Accept-Encoding"] == "identity"


async def test_no_proxy_of_the_environment_and_no_cookie_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text="hello", headers={"set-cookie": "a=b"})

    async with serving() as proxy, serving(answer) as server, client((server.host, server.port)) as egress:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        for _ in range(2):
            await read(egress, server.url)
        assert proxy.requests == []
        assert [("Cookie" in headers, "Authorization" in headers) for headers in server.headers] == [(False, False)] * 2


async def test_a_name_that_nobody_has_and_a_port_that_nobody_serves_fail() -> None:
    class Nobody(Names):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            raise OSError("no such name")

    async with client(resolver=Nobody([])) as egress:
        with pytest.raises(EgressFailed, match="no host of that name"):
            await read(egress, "http://nobody.example/")
    async with serving() as server:
        port = server.port
    async with client(("127.0.0.1", port)) as egress:
        with pytest.raises(EgressFailed, match="cannot be reached"):
            await read(egress, f"http://127.0.0.1:{port}/")


async def test_what_is_no_http_fails() -> None:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with client(("127.0.0.1", port)) as egress:
            with pytest.raises(EgressFailed):
                await read(egress, f"http://127.0.0.1:{port}/")
    finally:
        server.close()
        await server.wait_closed()


async def test_the_machines_own_resolver_is_checked_too() -> None:
    async with client(resolver=aiohttp.ThreadedResolver()) as egress:
        with pytest.raises(EgressRefused):
            await read(egress, "http://localhost/")
