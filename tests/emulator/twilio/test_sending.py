"""When and how a message goes: rates, validity, smart encoding, prices."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fixtures.emulator_bench import NUMBER, PHONE, Bench
from fixtures.emulators import basic

REST = "/2010-04-01/Accounts/AC0ff400c0ffee0ff400c0ffee0ff400c0"


async def test_a_sender_without_a_rate_sends_all_at_once(bench: Bench) -> None:
    sids = [(await bench.create(Body="x", To=f"+1202555012{n}"))[1]["sid"] for n in range(5)]
    await bench.clock.advance(0.4)
    assert {bench.message(sid).status for sid in sids} == {"delivered"}


async def test_a_sender_with_a_rate_sends_its_segments_one_after_the_other(bench: Bench) -> None:
    await bench.control("numbers", number=NUMBER, segments_per_second=1)
    sids = [(await bench.create(Body=body))[1]["sid"] for body in ("one", "x" * 300, "three")]
    other = (await bench.create(Body="not in that queue", From="+12025550101"))[1]["sid"]
    await bench.clock.advance(10)
    start = bench.message(sids[0]).created_at
    sent = [round(bench.message(sid).sent_at - start, 2) for sid in (*sids, other)]
    assert sent == [0.15, 1.15, 3.15, 0.15]


async def test_a_full_queue_refuses_or_fails_what_a_service_accepted(bench: Bench) -> None:
    await bench.control("numbers", number=NUMBER, segments_per_second=1, queue_max_seconds=2)
    service = await bench.control("services", numbers=[NUMBER])
    for _ in range(3):
        assert (await bench.create(Body="x"))[0] == 201
    status, refused = await bench.create(Body="x")
    assert (status, refused["code"]) == (429, 21611)
    status, accepted = await bench.create(Body="x", MessagingServiceSid=service["sid"])
    assert status == 201
    await bench.clock.advance(1)
    assert (bench.message(accepted["sid"]).status, bench.message(accepted["sid"]).error_code) == ("failed", 30001)
    await bench.clock.advance(2)
    assert (await bench.create(Body="x"))[0] == 201


async def test_a_scheduled_message_holds_up_none_that_is_sent_before_it(bench: Bench) -> None:
    await bench.control("numbers", number=NUMBER, segments_per_second=1)
    service = await bench.control("services", numbers=[NUMBER])
    at = datetime.fromtimestamp(bench.clock.time() + 3600, UTC).isoformat()
    scheduled = {"MessagingServiceSid": service["sid"], "ScheduleType": "fixed", "SendAt": at}
    assert (await bench.create(Body="later", **scheduled))[1]["status"] == "scheduled"
    sid = (await bench.create(Body="now"))[1]["sid"]
    await bench.clock.advance(1)
    assert bench.message(sid).status == "delivered"


async def test_a_queue_is_as_full_after_a_restart(bench: Bench) -> None:
    await bench.control("numbers", number=NUMBER, segments_per_second=0.1)
    await bench.create(Body="x")
    lines = list(bench.emulator.store.snapshot())
    assert any(record.get("slot_ends_at") for line in lines for record in line["do"])


async def test_a_message_whose_validity_ends_in_the_queue_fails(bench: Bench) -> None:
    await bench.control("numbers", number=NUMBER, segments_per_second=0.1)
    in_time = (await bench.create(Body="x", ValidityPeriod="5"))[1]["sid"]
    late = (await bench.create(Body="x", ValidityPeriod="5"))[1]["sid"]
    await bench.clock.advance(4.9)
    assert [bench.message(sid).status for sid in (in_time, late)] == ["delivered", "queued"]
    await bench.clock.advance(0.2)
    message = bench.message(late)
    assert (message.status, message.error_code, message.sent_at) == ("failed", 30036, None)


@pytest.mark.parametrize("given", ["0", "36001", "-1", "x", "1.5", "9" * 400, "0" * 8 + "51234567"])
async def test_a_validity_out_of_range_is_refused(bench: Bench, given: str) -> None:
    status, refused = await bench.create(Body="x", ValidityPeriod=given)
    assert (status, refused["code"]) == (400, 20422)


async def test_smart_encoding_replaces_look_alikes_unless_something_else_needs_ucs2(bench: Bench) -> None:
    quoted = "\u201cready\u201d \u2014 it\u2019s here\u2026" + "a" * 120
    plain = (await bench.create(Body=quoted))[1]
    smart = (await bench.create(Body=quoted, SmartEncoded="true"))[1]
    emoji = (await bench.create(Body=quoted + "\U0001f6b2", SmartEncoded="true"))[1]
    assert [m["num_segments"] for m in (plain, smart, emoji)] == ["3", "1", "3"]
    assert smart["body"] == quoted
    await bench.clock.advance(1)
    shown = [m["shown_body"] for m in await bench.phone()]
    assert shown[1] == '"ready" - it\'s here...' + "a" * 120
    assert shown[2] == quoted + "\U0001f6b2"


async def test_a_service_may_encode_smartly_by_itself(bench: Bench) -> None:
    service = await bench.control("services", numbers=[NUMBER], smart_encoding=True)
    _, created = await bench.create(Body="it\u2019s " + "a" * 150, MessagingServiceSid=service["sid"])
    assert bench.message(created["sid"]).segments == 1


async def test_a_price_is_null_first_and_told_some_time_after_the_end(bench: Bench) -> None:
    long = (await bench.create(Body="a" * 161))[1]
    await bench.control("faults", route="delivery", kind="failed", to="+12025550124")
    failed = (await bench.create(Body="x", To="+12025550124"))[1]
    received = await bench.text("hello", phone="+12025550125")
    await bench.clock.advance(0.35)
    assert bench.message(long["sid"]).status == "delivered"

    async def price(sid: str) -> str | None:
        async with bench.http.get(f"{bench.emulator.url}{REST}/Messages/{sid}.json", headers=basic()) as answer:
            resource = await answer.json()
            assert resource["price_unit"] == "USD"
            return resource["price"]

    sids = (long["sid"], failed["sid"], received["sid"])
    assert long["price"] is None
    assert await price(long["sid"]) is None
    await bench.clock.advance(1)
    assert [await price(sid) for sid in sids] == ["-0.01660", "-0.00100", "-0.00830"]


async def test_a_delivered_text_without_a_receipt_is_deleted_and_redacted_too(bench: Bench) -> None:
    await bench.control("faults", route="delivery", kind="stuck", to=PHONE)
    sid = (await bench.create(Body="secret"))[1]["sid"]
    await bench.clock.advance(1)
    url = f"{bench.emulator.url}{REST}/Messages/{sid}.json"
    async with bench.http.post(url, headers=basic(), data={"Body": ""}) as answer:
        assert (answer.status, (await answer.json())["body"]) == (200, "")
    async with bench.http.delete(url, headers=basic()) as answer:
        assert answer.status == 204


async def test_what_was_asked_for_in_vain_is_told_with_its_message(bench: Bench) -> None:
    asked = {"ShortenUrls": "true", "ContentRetention": "discard", "MediaURL": "http://127.0.0.1:9/a.png"}
    silent = {"MaxPrice": "1", "AddressRetention": "retain", "ProvideFeedback": "false", "SmartEncoded": "true"}
    _, created = await bench.create(Body="hello", **asked, **silent)
    async with bench.http.get(f"{bench.emulator.url}/_emulator/events") as answer:
        told = [event for event in (await answer.json())["events"] if event["type"] == "parameter.ignored"]
    assert [(event["sid"], event["parameters"]) for event in told] == [(created["sid"], list(asked))]


async def test_a_text_sent_as_mms_is_one(bench: Bench) -> None:
    _, created = await bench.create(Body="hello", SendAsMms="true")
    assert (created["sid"][:2], created["num_media"]) == ("MM", "0")
    await bench.clock.advance(2)
    assert bench.message(created["sid"]).price == "-0.02200"
