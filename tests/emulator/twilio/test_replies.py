"""What a webhook answers to a text, carried out."""

from __future__ import annotations

import pytest
from twilio.request_validator import RequestValidator

from fixtures.emulator_bench import NUMBER, PHONE, Bench, Webhook
from offhook.emulator import DEFAULT_AUTH_TOKEN


def response(*verbs: str) -> str:
    return f"<?xml version='1.0' encoding='UTF-8'?><Response>{''.join(verbs)}</Response>"


async def test_a_reply_goes_to_the_phone_as_outbound_reply(bench: Bench, webhook: Webhook) -> None:
    webhook.says(response("<Message>Yes &amp; now</Message>"))
    await bench.text("Is it ready?")
    await bench.clock.advance(2)
    asked, reply = await bench.phone()
    assert (asked["status"], reply["direction"], reply["status"]) == ("received", "outbound-reply", "delivered")
    assert (reply["from"], reply["to"], reply["body"]) == (NUMBER, PHONE, "Yes & now")


async def test_a_message_may_name_another_recipient_and_a_status_callback(bench: Bench, webhook: Webhook) -> None:
    webhook.says(response('<Message to="+12025550124" statusCallback="/told?op=1">Forwarded</Message>'))
    await bench.text("hello")
    await bench.clock.advance(2)
    assert [m["body"] for m in await bench.phone("+12025550124")] == ["Forwarded"]
    assert webhook.paths == ["/in", "/told", "/told", "/told"]
    assert [hook.get("MessageStatus") for hook in webhook.received[1:]] == ["queued", "sent", "delivered"]


async def test_a_redirect_asks_the_other_address_with_the_same_fields(bench: Bench, webhook: Webhook) -> None:
    webhook.says(response("<Message>first</Message>", "<Redirect>second?x=1</Redirect>", "<Message>never</Message>"))
    webhook.says(response("<Message>second</Message>"))
    await bench.text("hello")
    await bench.clock.advance(2)
    assert webhook.paths == ["/in", "/second"]
    assert webhook.received[0] == webhook.received[1]
    assert [m["body"] for m in await bench.phone()] == ["hello", "first", "second"]


async def test_redirects_end_somewhere(bench: Bench, webhook: Webhook) -> None:
    webhook.answers = [(200, "text/xml", response("<Redirect>/in</Redirect>"))] * 20
    await bench.text("hello")
    await bench.clock.advance(2)
    assert len(webhook.received) == 11
    assert await bench.errors() == [12200]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((500, "text/xml", "<Response/>"), 11200),
        ((404, "text/html", "nothing here"), 11200),
        ((302, "text/xml", ""), 11200),
        ((200, "text/xml", "<Response>"), 12100),
        ((200, "application/json", "{}"), 12300),
    ],
)
async def test_a_webhook_that_fails_is_logged_and_its_fallback_is_told_why(
    bench: Bench, webhook: Webhook, answer: tuple[int, str, str], code: int
) -> None:
    await bench.control("numbers", number=NUMBER, sms_fallback_url=f"{webhook.url}/fallback")
    webhook.answers = [answer, (200, "text/xml", response("<Message>from the fallback</Message>"))]
    await bench.text("hello")
    await bench.clock.advance(2)
    assert await bench.errors() == [code]
    assert webhook.paths == ["/in", "/fallback"]
    told = webhook.received[1]
    assert (told["ErrorCode"], told["ErrorUrl"], told["Body"]) == (str(code), f"{webhook.url}/in", "hello")
    signature = webhook.headers[1]["X-Twilio-Signature"]
    assert RequestValidator(DEFAULT_AUTH_TOKEN).validate(f"{webhook.url}/fallback", told, signature)
    assert [m["body"] for m in await bench.phone()] == ["hello", "from the fallback"]


async def test_a_webhook_that_is_away_is_tried_twice_and_then_logged(bench: Bench) -> None:
    await bench.control("numbers", number=NUMBER, sms_url="http://127.0.0.1:9/in")
    await bench.text("hello")
    await bench.clock.advance(5)
    assert await bench.errors() == [11200]
    assert len(await bench.phone()) == 1
    assert bench.emulator.store.pending_callbacks == {}


async def test_a_status_callback_that_fails_is_logged(bench: Bench) -> None:
    await bench.create(Body="hello", StatusCallback="http://127.0.0.1:9/status")
    await bench.clock.advance(5)
    assert await bench.errors() == [11200] * 3


async def test_a_verb_that_is_no_messaging_verb_is_logged_and_the_rest_is_carried_out(
    bench: Bench, webhook: Webhook
) -> None:
    webhook.says(response("<Say>hello</Say>", "<Message>kept</Message>", '<Message to="nobody">lost</Message>'))
    await bench.text("hello")
    await bench.clock.advance(2)
    assert await bench.errors() == [12200, 21211]
    assert [m["body"] for m in await bench.phone()] == ["hello", "kept"]


async def test_two_machines_that_answer_each_other_are_stopped_after_fifteen_replies(
    bench: Bench, webhook: Webhook
) -> None:
    for _ in range(18):
        webhook.says(response("<Message>I am a machine</Message>"))
        await bench.text("I am a machine too")
        await bench.clock.advance(1)
    replies = [m for m in await bench.phone() if m["direction"] == "outbound-reply"]
    assert len(replies) == 15
    assert await bench.errors() == [14107] * 3
    await bench.clock.advance(31)
    webhook.says(response("<Message>again</Message>"))
    await bench.text("hello again")
    await bench.clock.advance(1)
    assert (await bench.phone())[-1]["body"] == "again"


async def test_a_service_has_its_own_webhook_and_fallback(bench: Bench, webhook: Webhook) -> None:
    service = await bench.control(
        "services",
        numbers=[NUMBER],
        inbound_url=f"{webhook.url}/service",
        fallback_url=f"{webhook.url}/service-fallback",
    )
    webhook.says("", status=503)
    await bench.text("hello")
    await bench.clock.advance(2)
    assert webhook.paths == ["/service", "/service-fallback"]
    assert webhook.received[0]["MessagingServiceSid"] == service["sid"]


async def test_a_doubled_webhook_is_answered_twice_as_at_twilio(bench: Bench, webhook: Webhook) -> None:
    await bench.control("faults", route="callback", kind="double")
    webhook.says(response("<Message>one</Message>"))
    webhook.says(response("<Message>two</Message>"))
    await bench.text("hello")
    await bench.clock.advance(2)
    assert webhook.received[0] == webhook.received[1]
    assert {headers["I-Twilio-Idempotency-Token"] for headers in webhook.headers} == {
        webhook.headers[0]["I-Twilio-Idempotency-Token"]
    }
    assert [m["body"] for m in await bench.phone()] == ["hello", "one", "two"]


@pytest.mark.parametrize(
    ("verb", "code"),
    [
        ("<Redirect>http://[::1</Redirect>", 11100),
        ("<Redirect>http://127.0.0.1:99999/</Redirect>", 11100),
        ("<Redirect>ftp://example.com/</Redirect>", 11100),
        ("<Message action='http://[x'>lost</Message>", 21609),
        ("<Message><Media>http://[x</Media></Message>", 21620),
    ],
)
async def test_an_address_in_an_answer_that_is_none_is_logged_and_the_webhook_is_over(
    bench: Bench, webhook: Webhook, verb: str, code: int
) -> None:
    webhook.says(response("<Message>one</Message>", verb))
    await bench.text("hello")
    await bench.clock.advance(2)
    assert await bench.errors() == [code]
    assert [m["body"] for m in await bench.phone()] == ["hello", "one"]
    assert bench.emulator.store.pending_callbacks == {}


@pytest.mark.parametrize("url", ["http://[::1", "http://127.0.0.1:99999/"])
async def test_a_webhook_that_is_owed_to_an_address_that_is_none_is_over_too(bench: Bench, url: str) -> None:
    account = bench.emulator.emulation.settings.accounts[0]
    setting = {"account_sid": account.sid, "number": NUMBER, "set": {"sms_url": url}}
    bench.emulator.store.append({"type": "number", **setting})
    await bench.text("hello")
    await bench.clock.advance(2)
    assert bench.emulator.store.pending_callbacks == {}
    assert await bench.errors() == [11200]
