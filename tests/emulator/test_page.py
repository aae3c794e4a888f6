"""The page at `/`, as a browser without scripts sees it, and what hostile texts can do to it."""

from __future__ import annotations

import html
import re
import time

import aiohttp
import pytest

from fixtures.emulator_bench import NUMBER, PHONE, PNG, Bench
from offhook.emulator.records import Message

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</main></body><form action=http://evil.example>",
    "'; DROP TABLE messages; --",
    "&lt;b&gt;",
    "\u202ereversed\u202c",
    "line\nbreak\r\n\ttab",
    "a\x00b\x1b[2J",
    "🚲" * 300,
)


async def page(bench: Bench) -> tuple[str, aiohttp.ClientResponse]:
    async with bench.http.get(bench.emulator.url) as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        return await answer.text(), answer


@pytest.mark.parametrize("body", HOSTILE)
async def test_a_hostile_text_is_shown_as_text(bench: Bench, body: str) -> None:
    await bench.create(Body=body)
    await bench.clock.advance(1)
    shown, _ = await page(bench)
    (item,) = re.findall(r"<li><p><bdi>(.*?)</bdi></p>", shown, re.DOTALL)
    assert html.unescape(item) == re.sub(r"[\x00\x1b]", "\ufffd", html.unescape(html.escape(body)))
    assert not re.search(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]", shown)
    assert not re.search(r"<(script|img|form)", item)
    assert shown.count("<script") == shown.count("</main>") == 1


async def test_the_page_loads_nothing_from_elsewhere_and_runs_only_its_own_script(bench: Bench) -> None:
    shown, answer = await page(bench)
    policy = answer.headers["Content-Security-Policy"]
    (nonce,) = re.findall(r"script-src 'nonce-([\w-]+)'", policy)
    assert f'<script nonce="{nonce}">' in shown
    assert "default-src 'none'" in policy
    assert "http://" not in shown
    assert "https://" not in shown
    assert '<noscript><meta http-equiv="refresh"' in shown
    second, _ = await page(bench)
    assert nonce not in second


async def test_the_page_is_dark_where_the_browser_asks_for_it(bench: Bench) -> None:
    shown, _ = await page(bench)
    assert "color-scheme:light dark" in shown
    assert "@media(prefers-color-scheme:dark)" in shown
    assert not re.search(r"[^-]color:#", shown.partition("body{")[2])  # every colour has one for the dark


async def test_every_phone_has_its_texts_with_status_source_and_error(bench: Bench) -> None:
    service = await bench.control("services", numbers=[NUMBER])
    await bench.control("faults", route="delivery", kind="undelivered", error_code=30003, to="+12025550124")
    await bench.create(Body="mine")
    await bench.create(Body="not mine", To="+12025550124", MessagingServiceSid=service["sid"])
    await bench.text("hello back")
    await bench.clock.advance(1)
    shown, _ = await page(bench)
    phones = re.findall(r"<section><h2>(.*?)</h2>(.*?)</section>", shown, re.DOTALL)
    assert [number for number, _ in phones] == [PHONE, "+12025550124"]
    assert f"from {NUMBER} · delivered · 1 segment GSM-7 · twilio" in phones[0][1]
    assert "class=mine" in phones[0][1]
    assert f"twilio, {service['sid']}" in phones[1][1]
    assert '<span class="bad">error 30003</span>' in phones[1][1]


async def test_the_page_holds_no_control_characters(bench: Bench) -> None:
    await bench.create(Body="a\x1b[31mred\x07 line\nnext")
    shown, _ = await page(bench)
    assert "a\ufffd[31mred\ufffd line\nnext" in shown


async def test_a_phone_texts_and_sends_a_picture_with_the_form(bench: Bench) -> None:
    form = aiohttp.FormData({"from": "+1 (202) 555-0123", "to": "+1 202 555 0100", "body": " Look "})
    form.add_field("media", PNG, filename="bike.png", content_type="image/png")
    form.add_field("media", b"%PDF-", filename="bill.pdf", content_type="application/pdf")
    headers = {"Origin": bench.emulator.url}
    async with bench.http.post(bench.emulator.url, data=form, headers=headers, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")
    shown, _ = await page(bench)
    picture, link = re.findall(r'(?:src|href)="(/_emulator/media/ME\w+)"', shown)
    async with bench.http.get(bench.emulator.url + picture) as answer:
        assert await answer.read() == PNG
    async with bench.http.get(bench.emulator.url + link) as answer:
        assert answer.headers["Content-Disposition"] == "attachment"
    (text,) = await bench.phone()
    assert (text["body"], text["direction"], len(text["media"])) == ("Look", "inbound", 2)


@pytest.mark.parametrize(
    ("fields", "headers", "status"),
    [
        ({"from": "nobody", "to": NUMBER, "body": "x"}, {}, 400),
        ({"from": PHONE, "to": "+14155551234", "body": "x"}, {}, 400),
        ({"from": PHONE, "to": NUMBER, "body": ""}, {}, 400),
        ({}, {}, 400),
        ({"from": PHONE, "to": NUMBER, "body": "x"}, {"Origin": "https://evil.example"}, 403),
        ({"from": PHONE, "to": NUMBER, "body": "x"}, {"Origin": "null"}, 403),
    ],
)
async def test_a_form_that_cannot_be_sent_says_why(
    bench: Bench, fields: dict[str, str], headers: dict[str, str], status: int
) -> None:
    async with bench.http.post(bench.emulator.url, data=fields, headers=headers) as answer:
        assert (answer.status, 'class="bad"' in await answer.text()) == (status, True)
    assert bench.emulator.store.messages == {}


async def test_a_refused_form_keeps_what_was_typed(bench: Bench) -> None:
    fields = {"from": PHONE, "to": "+14155551234", "body": "typed <b> & kept"}
    async with bench.http.post(bench.emulator.url, data=fields) as answer:
        shown = await answer.text()
    assert "no account owns the number" in shown
    assert f'name="from" value="{PHONE}"' in shown
    assert 'name="to" value="+14155551234"' in shown
    assert ">\ntyped &lt;b&gt; &amp; kept</textarea>" in shown


async def test_the_form_lets_choose_an_account_where_there_are_several(bench: Bench) -> None:
    assert "<select" not in (await page(bench))[0]
    other = "AC" + "2" * 32
    await bench.control("accounts", sid=other, auth_token="own")
    shown, _ = await page(bench)
    assert f'<option value="{other}">' in shown
    fields = {"from": PHONE, "to": NUMBER, "body": "hello", "account": other}
    async with bench.http.post(bench.emulator.url, data=fields) as answer:
        assert answer.status == 200
    assert [m["account_sid"] for m in await bench.phone()] == [other]


async def test_older_texts_of_a_phone_are_counted_and_linked(bench: Bench) -> None:
    for n in range(53):
        await bench.create(Body=f"text {n}")
    shown, _ = await page(bench)
    assert shown.count("<li>") == 50
    assert f'<a href="/_emulator/phones/{PHONE}">3 older texts</a>' in shown


async def test_what_was_ignored_is_on_the_page(bench: Bench) -> None:
    await bench.create(Body="hello", ShortenUrls="true", **{"Odd<b>": "1"})
    shown, _ = await page(bench)
    assert "<p>ignored: ShortenUrls, Odd&lt;b&gt;</p>" in shown
    assert shown.index("ignored:") < shown.index(f"<h2>{PHONE}</h2>")


async def test_the_error_log_is_on_the_page(bench: Bench) -> None:
    await bench.control("numbers", number=NUMBER, sms_url="http://127.0.0.1:9/<in>")
    await bench.text("hello")
    await bench.clock.advance(5)
    shown, _ = await page(bench)
    assert "11200: HTTP retrieval failure: the address did not answer" in shown
    assert "http://127.0.0.1:9/&lt;in&gt;" in shown


async def test_twenty_thousand_texts_do_not_slow_the_page_or_the_lists(bench: Bench) -> None:
    records: list[dict[str, object]] = []
    for n in range(20_000):
        message = Message(
            sid=f"SM{n:032x}",
            account_sid=bench.emulator.emulation.settings.accounts[0].sid,
            to=f"+1202555{n % 5000:04d}",
            from_number=NUMBER,
            body=f"text {n}",
            status="delivered",
            created_at=bench.clock.time(),
            updated_at=bench.clock.time(),
            price="-0.00830",
        )
        records.append({"type": "message", **message.to_record()})
    bench.emulator.store.append(*records)
    paths = ("", "/_emulator/phones/+12025550123", "/_emulator/messages?to=%2B12025550123", "/_emulator/phones")
    started = time.monotonic()
    for path in paths:
        async with bench.http.get(bench.emulator.url + path) as answer:
            assert answer.status == 200
            assert len(await answer.read()) < 8_000_000
    # 0.2 s on the machine this was written on, idle; the bound is for one that is busy.
    assert time.monotonic() - started < 5
    shown, _ = await page(bench)
    assert shown.count("<section>") == 50
    assert "4950 more phones" in shown
