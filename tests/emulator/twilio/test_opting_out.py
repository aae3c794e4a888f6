"""The words that Twilio answers itself."""

from __future__ import annotations

import pytest

from fixtures.emulator_bench import NUMBER, PHONE, Bench, Webhook
from offhook.emulator.twilio.keywords import HELP_REPLY, HELP_WORDS, START_REPLY, START_WORDS, STOP_REPLY, STOP_WORDS


@pytest.mark.parametrize("word", sorted(STOP_WORDS))
async def test_every_stop_word_blocks_the_pair_and_is_answered(bench: Bench, word: str) -> None:
    await bench.text(f" {word.lower()}\n")
    status, refused = await bench.create(Body="hello")
    assert (status, refused["code"]) == (400, 21610)
    assert (await bench.create(Body="hello", From="+12025550101"))[0] == 201
    assert (await bench.create(Body="hello", To="+12025550124"))[0] == 201
    reply = (await bench.phone())[1]
    assert (reply["body"], reply["direction"], reply["from"]) == (STOP_REPLY, "outbound-reply", NUMBER)


@pytest.mark.parametrize(
    "text", ["stop please", "please stop", "STOP.", "stop!", "nostop", "st op", "\u202estop", "🛑"]
)
async def test_a_text_that_is_more_than_the_word_blocks_nothing(bench: Bench, text: str) -> None:
    await bench.text(text)
    assert (await bench.create(Body="hello"))[0] == 201
    assert len(await bench.phone()) == 2


async def test_a_second_stop_is_not_answered_again_and_help_not_at_all_while_blocked(bench: Bench) -> None:
    for word in ("STOP", "STOPALL", "HELP"):
        await bench.text(word)
    assert [m["body"] for m in await bench.phone() if m["direction"] != "inbound"] == [STOP_REPLY]


@pytest.mark.parametrize("word", sorted(START_WORDS))
async def test_every_start_word_opens_the_pair_again(bench: Bench, word: str) -> None:
    await bench.text("STOP")
    await bench.text(word)
    assert (await bench.create(Body="hello"))[0] == 201
    assert (await bench.phone())[-2]["body"] == START_REPLY


async def test_yes_from_a_phone_that_is_not_blocked_is_an_ordinary_text(bench: Bench, webhook: Webhook) -> None:
    await bench.text("yes")
    await bench.clock.advance(1)
    assert len(await bench.phone()) == 1
    assert webhook.received[0]["Body"] == "yes"


@pytest.mark.parametrize("word", sorted(HELP_WORDS))
async def test_a_help_word_is_answered(bench: Bench, word: str) -> None:
    await bench.text(word)
    assert (await bench.phone())[-1]["body"] == HELP_REPLY


async def test_the_webhook_is_told_of_a_stop_without_opt_out_type_by_default(bench: Bench, webhook: Webhook) -> None:
    await bench.text("STOP")
    await bench.clock.advance(1)
    assert webhook.received[0]["Body"] == "STOP"
    assert "OptOutType" not in webhook.received[0]


async def test_what_a_webhook_answers_to_a_stop_is_refused_and_logged(bench: Bench, webhook: Webhook) -> None:
    webhook.says("<Response><Message>Sorry to see you go</Message></Response>")
    await bench.text("STOP")
    await bench.clock.advance(1)
    assert await bench.errors() == [21610]
    assert [m["body"] for m in await bench.phone()] == ["STOP", STOP_REPLY]


async def test_a_stop_to_a_number_of_a_service_blocks_the_whole_service(bench: Bench, webhook: Webhook) -> None:
    service = await bench.control("services", numbers=[NUMBER, "+12025550101"], advanced_opt_out=True)
    for word in ("stop", "help", "start"):
        await bench.text(word)
        status, answer = await bench.create(Body="hello", From="+12025550101")
        blocked = word != "start"
        assert (status == 400) is blocked, answer
        status, _ = await bench.create(Body="hello", MessagingServiceSid=service["sid"])
        assert (status == 400) is blocked
    assert (await bench.create(Body="hello", From="+12025550102"))[0] == 201
    await bench.clock.advance(1)
    assert [hook["OptOutType"] for hook in webhook.received] == ["STOP", "HELP", "START"]
    assert {hook["MessagingServiceSid"] for hook in webhook.received} == {service["sid"]}


async def test_an_account_with_advanced_opt_out_tells_its_type_for_every_number(bench: Bench, webhook: Webhook) -> None:
    (account,) = bench.emulator.emulation.settings.accounts
    await bench.control("accounts", sid=account.sid, auth_token=account.auth_token, advanced_opt_out=True)
    await bench.text("Unsubscribe")
    await bench.text("an ordinary text")
    await bench.clock.advance(1)
    assert [hook.get("OptOutType") for hook in webhook.received] == ["STOP", None]


async def test_a_block_survives_a_restart(bench: Bench) -> None:
    await bench.text("STOP")
    pairs = [(sender, to) for _, sender, to in bench.emulator.store.blocks]
    assert pairs == [(NUMBER, PHONE)]
    assert any(record["type"] == "block" for line in bench.emulator.store.snapshot() for record in line["do"])
