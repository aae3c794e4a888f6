"""MMS both ways, seen by Twilio's own SDK and over plain HTTP."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from fixtures.emulator_bench import NUMBER, PHONE, PNG, Bench, Webhook
from fixtures.emulators import basic, sdk_client
from offhook.emulator import DEFAULT_ACCOUNT_SID


class Shelf:
    """A server of media: path to status, type and body."""

    def __init__(self) -> None:
        self.url = ""
        self.things: dict[str, tuple[int, str, bytes]] = {}
        self.asked: list[str] = []

    async def give(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        status, content_type, body = self.things[request.path]
        headers = {"Location": body.decode()} if status in {301, 302, 307} else {"Content-Type": content_type}
        return web.Response(status=status, body=b"" if "Location" in headers else body, headers=headers)


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    shelf = Shelf()
    app = web.Application()
    app.router.add_get("/{path:.*}", shelf.give)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    shelf.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield shelf
    await runner.cleanup()


async def test_media_are_fetched_when_the_message_is_sent_and_listed_fetched_and_deleted(
    bench: Bench, shelf: Shelf
) -> None:
    shelf.things = {
        "/a.png": (200, "image/png", PNG),
        "/moved": (302, "", b"/card"),
        "/card": (200, "text/vcard; charset=utf-8", b"BEGIN:VCARD"),
    }
    status, created = await bench.create(Body="Look", MediaUrl=[f"{shelf.url}/a.png", f"{shelf.url}/moved"])
    assert (status, created["num_media"], created["sid"][:2], shelf.asked) == (201, "2", "MM", [])
    await bench.clock.advance(1)
    assert bench.message(created["sid"]).status == "delivered"
    client = sdk_client(bench.emulator.url)

    def walk() -> None:
        message = client.messages(created["sid"])
        first, second = message.media.list()
        assert [(m.content_type, m.parent_sid) for m in (first, second)] == [
            ("image/png", created["sid"]),
            ("text/vcard", created["sid"]),
        ]
        assert message.media(first.sid).fetch().sid == first.sid
        assert message.media(second.sid).delete()
        assert [m.sid for m in message.media.list()] == [first.sid]
        assert message.fetch().num_media == "2"

    await asyncio.to_thread(walk)
    (shown,) = await bench.phone()
    (medium,) = shown["media"]
    assert (medium["content_type"], medium["size_bytes"]) == ("image/png", len(PNG))
    assert len(list(bench.emulator.store.medium_path("x").parent.iterdir())) == 1


@pytest.mark.parametrize(
    ("thing", "code"),
    [
        ((404, "image/png", b"gone"), 11200),
        ((500, "image/png", b""), 11200),
        ((200, "text/html", b"<html>"), 12300),
        ((200, "application/x-sh", b"#!"), 12300),
        ((200, "image/png", b"x" * 5_000_001), 30019),
        ((200, "image/webp", b"x" * 500_001), 30019),
        ((302, "", b"/thing"), 11200),
        ((302, "", b"http://127.0.0.1:9/nobody"), 11200),
    ],
)
async def test_media_that_cannot_be_had_fail_the_message_with_a_code(
    bench: Bench, shelf: Shelf, thing: tuple[int, str, bytes], code: int
) -> None:
    shelf.things = {"/thing": thing, "/fine.png": (200, "image/png", PNG)}
    _, created = await bench.create(Body="Look", MediaUrl=[f"{shelf.url}/fine.png", f"{shelf.url}/thing"])
    await bench.clock.advance(1)
    message = bench.message(created["sid"])
    assert (message.status, message.error_code, message.sent_at) == ("failed", code, None)
    assert bench.emulator.store.media == {}


async def test_a_phone_sends_media_whose_address_wants_the_accounts_credentials(
    bench: Bench, webhook: Webhook, shelf: Shelf
) -> None:
    shelf.things = {"/b.gif": (200, "image/gif", b"GIF89a")}
    given = [
        {"content_type": "image/png", "data": base64.b64encode(PNG).decode()},
        {"url": f"{shelf.url}/b.gif"},
    ]
    sent = await bench.text("", media=given)
    await bench.clock.advance(1)
    told = webhook.received[0]
    assert (told["NumMedia"], told["Body"], told["MessageSid"][:2]) == ("2", "", "MM")
    assert (told["MediaContentType0"], told["MediaContentType1"]) == ("image/png", "image/gif")
    assert told["MediaUrl0"].startswith(f"{bench.emulator.url}/2010-04-01/Accounts/{DEFAULT_ACCOUNT_SID}/Messages/MM")
    async with bench.http.get(told["MediaUrl0"]) as answer:
        assert (answer.status, (await answer.json())["code"]) == (401, 20003)
    async with bench.http.get(told["MediaUrl0"], headers=basic(), allow_redirects=False) as answer:
        assert answer.status == 307
    async with bench.http.get(told["MediaUrl0"], headers=basic()) as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "image/png", PNG)
    client = sdk_client(bench.emulator.url)
    assert await asyncio.to_thread(lambda: client.messages(sent["sid"]).delete())
    async with bench.http.get(told["MediaUrl0"], headers=basic()) as answer:
        assert answer.status == 404
    assert list(bench.emulator.store.medium_path("x").parent.iterdir()) == []


async def test_an_account_may_leave_its_media_open(bench: Bench, webhook: Webhook) -> None:
    (account,) = bench.emulator.emulation.settings.accounts
    await bench.control("accounts", sid=account.sid, auth_token=account.auth_token, media_auth=False)
    await bench.text("", media=[{"content_type": "image/png", "data": base64.b64encode(PNG).decode()}])
    await bench.clock.advance(1)
    async with bench.http.get(webhook.received[0]["MediaUrl0"]) as answer:
        assert await answer.read() == PNG


async def test_the_media_of_another_account_are_not_found(bench: Bench, webhook: Webhook) -> None:
    other = "AC" + "3" * 32
    await bench.control("accounts", sid=other, auth_token="own")
    await bench.text("", media=[{"content_type": "image/png", "data": base64.b64encode(PNG).decode()}])
    await bench.clock.advance(1)
    url = webhook.received[0]["MediaUrl0"].replace(DEFAULT_ACCOUNT_SID, other)
    async with bench.http.get(url, headers=basic(other, "own")) as answer:
        assert answer.status == 404


@pytest.mark.parametrize(
    "media",
    [
        [{"content_type": "text/html", "data": "PGI+"}],
        [{"content_type": "image/png", "data": "not base64!"}],
        [{"content_type": "image/png"}],
        [{"url": "http://127.0.0.1:9/x"}],
        [{"url": "nowhere"}],
        ["x"],
        "x",
        [{"content_type": "image/png", "data": "AAAA"}] * 11,
    ],
)
async def test_media_that_no_phone_could_send_are_refused(bench: Bench, media: Any) -> None:
    answer = await bench.control(f"phones/{PHONE}/send", 400, to=NUMBER, body="hello", media=media)
    assert answer["error"]
    assert bench.emulator.store.messages == {}


async def test_a_medium_that_is_no_plain_image_is_offered_as_a_file(bench: Bench) -> None:
    for kind, shown in (("image/svg+xml", "attachment"), ("application/pdf", "attachment"), ("image/png", "inline")):
        sent = await bench.text("", media=[{"content_type": kind, "data": base64.b64encode(b"<svg/>").decode()}])
        async with bench.http.get(bench.emulator.url + sent["media"][0]["path"]) as answer:
            assert answer.headers["Content-Disposition"] == shown
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_media_are_not_fetched_before_the_message_is_sent(bench: Bench, shelf: Shelf) -> None:
    shelf.things = {"/a.png": (200, "image/png", PNG)}
    _, created = await bench.create(Body="Look", MediaUrl=f"{shelf.url}/a.png")
    await bench.clock.advance(0.06)
    assert (bench.message(created["sid"]).status, shelf.asked) == ("sending", [])
