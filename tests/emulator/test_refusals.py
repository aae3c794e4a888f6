"""What the web server itself refuses, and what happens while the disk takes nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from fixtures.emulator_bench import NUMBER, PHONE, Bench, Webhook
from fixtures.emulators import MESSAGES, EmulatorProcess, basic
from fixtures.telnyx import Api
from offhook.emulator import journal
from offhook.emulator.refusals import is_own_host


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("GET", "/_emulator/nope", 404, None),
        ("PUT", "/_emulator/faults", 405, "DELETE, GET, HEAD, POST"),
        ("DELETE", "/_emulator/clock", 405, "GET, HEAD, POST"),
    ],
)
async def test_the_control_api_refuses_in_its_own_shape(
    bench: Bench, method: str, path: str, status: int, allowed: str | None
) -> None:
    async with bench.http.request(method, bench.emulator.url + path) as answer:
        assert (answer.status, answer.headers.get("Allow")) == (status, allowed)
        told = await answer.json()
    assert path in told["error"] or f"{method} is not taken here" in told["error"]


async def test_a_method_that_is_not_allowed_is_said_in_the_shape_of_the_face(bench: Bench) -> None:
    async with bench.http.put(bench.emulator.url + MESSAGES, headers=basic()) as answer:
        told = await answer.json()
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert (told["code"], told["message"]) == (20004, "Method not allowed")
    async with bench.http.put(f"{bench.emulator.url}/v2/messages") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
        assert (await answer.json())["errors"]


@pytest.mark.parametrize(
    ("given", "host", "own"),
    [
        ("127.0.0.1:4010", "127.0.0.1", True),
        ("localhost:4010", "127.0.0.1", True),
        ("emulator.localhost", "127.0.0.1", True),
        ("[::1]:4010", "127.0.0.1", True),
        ("192.168.1.7:80", "127.0.0.1", True),
        ("", "127.0.0.1", True),
        ("Box:4010", "box", True),
        ("evil.example", "127.0.0.1", False),
        ("evil.example:4010", "box", False),
        ("127.0.0.1.evil.example:4010", "127.0.0.1", False),
        ("emulator:4010", "0.0.0.0", True),
    ],
)
def test_a_host_that_a_foreign_page_could_name_is_not_the_emulators(given: str, host: str, own: bool) -> None:
    assert is_own_host(given, host) is own


async def test_a_page_whose_name_was_pointed_at_loopback_gets_nothing(bench: Bench) -> None:
    headers = {"Host": "evil.example", "Origin": "http://evil.example"}
    form = {"from": PHONE, "to": NUMBER, "body": "evil"}
    async with bench.http.post(bench.emulator.url, data=form, headers=headers) as answer:
        assert answer.status == 403
    async with bench.http.get(f"{bench.emulator.url}/_emulator/messages", headers=headers) as answer:
        assert (answer.status, "Host" in (await answer.json())["error"]) == (403, True)
    assert bench.emulator.store.messages == {}


async def test_an_emulator_on_ipv6_tells_an_address_that_works(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    process = EmulatorProcess(tmp_path, "--host", "::1")
    try:
        url = await process.start()
    except AssertionError:
        pytest.skip("this machine has no IPv6 loopback")
    assert url.startswith("http://[::1]:")
    async with http.get(f"{url}/_emulator/health") as answer:
        assert answer.status == 200
    await process.end()


class FullDisk:
    """The journal's disk: while `full`, nothing is written."""

    def __init__(self) -> None:
        self.full = False
        self._write_all = getattr(journal, "_write_all")  # noqa: B009 (private: the one place that writes)

    def write(self, fd: int, raw: bytes) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        self._write_all(fd, raw)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[FullDisk]:
    disk = FullDisk()
    monkeypatch.setattr(journal, "_write_all", disk.write)
    yield disk
    disk.full = False


async def test_a_full_disk_is_told_in_the_shape_of_what_was_asked(bench: Bench, disk: FullDisk) -> None:
    disk.full = True
    status, told = await bench.create(Body="hello")
    assert (status, told["code"]) == (500, 20500)
    answer = await Api(bench.http, bench.emulator.url).send()
    assert (answer.status, answer.codes) == (500, ["10007"])
    said = await bench.control("faults", 500, route="*", kind="drop_after")
    assert said["error"] == "the disk does not take it: ENOSPC"
    async with bench.http.post(bench.emulator.url, data={"from": PHONE, "to": NUMBER, "body": "typed"}) as answer:
        page = await answer.text()
        assert (answer.status, "the disk does not take it: ENOSPC" in page, "typed" in page) == (500, True, True)
    disk.full = False
    assert (await bench.create(Body="hello"))[0] == 201
    assert len(bench.emulator.store.messages) == 1


async def test_what_is_under_way_waits_for_a_disk_that_is_full(
    bench: Bench, disk: FullDisk, caplog: pytest.LogCaptureFixture
) -> None:
    async with Webhook().running() as webhook:
        _, created = await bench.create(Body="hello", StatusCallback=f"{webhook.url}/status")
        await bench.clock.advance(0.1)
        disk.full = True
        with caplog.at_level(logging.WARNING, "offhook.emulator"):
            await bench.clock.advance(20)
        assert bench.message(created["sid"]).status == "sending"
        told: list[Any] = [record for record in caplog.records if "does not take" in record.getMessage()]
        assert [record.error_type for record in told] == ["ENOSPC"]
        disk.full = False
        await bench.clock.advance(2)
        assert bench.message(created["sid"]).status == "delivered"
        assert [hook["MessageStatus"] for hook in webhook.received] == ["queued", "sent", "delivered"]


class DiskFiller(Webhook):
    """A customer's server during whose answers the emulator's disk fills up."""

    def __init__(self, disk: FullDisk) -> None:
        super().__init__()
        self._disk = disk

    async def take(self, request: web.Request) -> web.Response:
        answer = await super().take(request)
        self._disk.full = True
        return answer


async def test_a_webhook_is_asked_once_though_what_it_answers_has_to_wait(bench: Bench, disk: FullDisk) -> None:
    async with DiskFiller(disk).running() as webhook:
        await bench.control("numbers", number=NUMBER, sms_url=f"{webhook.url}/in")
        webhook.says("<Response><Message>one</Message><Message>two</Message></Response>")
        await bench.text("hello")
        await bench.clock.advance(30)
        assert [m["body"] for m in await bench.phone()] == ["hello"]
        disk.full = False
        await bench.clock.advance(5)
        assert [m["body"] for m in await bench.phone()] == ["hello", "one", "two"]
        assert len(webhook.received) == 1
        assert bench.emulator.store.pending_callbacks == {}
