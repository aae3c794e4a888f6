from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from fixtures.tool_calls import (
    AI_RECIPIENTS,
    AI_TEXT,
    CALLER,
    OUR_NUMBER,
    PARTNER,
    Walk,
    context,
    function,
    sms_form,
)
from offhook.core.declarations import Declarations
from offhook.core.errors import ConfigurationError, Effect, FieldProblem, InvalidInput, Unavailable
from offhook.core.texts import PLAIN, MediumWish, TextOptions
from offhook.core.variables import Provenance, Value
from offhook.testing import FakeConsent, FakeMessenger, FakeNumbers, fake_ports
from offhook.tools.ports import (
    NO_SENDER_CODE,
    SUPPRESSED_CODE,
    TOO_LONG_CODE,
    DestinationVerdict,
    OwnNumber,
    TextEstimate,
)
from offhook.tools.types import sms

OTHER = "+12025550142"
OPTED_OUT = DestinationVerdict(False, SUPPRESSED_CODE, "The recipient has opted out.")
BOTH = {"mode": "fixed", "value": [CALLER, PARTNER]}


async def _answer(walk: Walk, form: dict[str, Any], arguments: dict[str, Any] | None = None) -> Any:
    result = await walk.call(function(form), arguments)
    assert result.status == "done", result.answer
    return result.answer


async def test_the_model_reads_whom_it_reached_without_numbers_it_did_not_write() -> None:
    walk = Walk()
    answer = await _answer(
        walk,
        sms_form(
            recipients={
                "mode": "array_extendable",
                "values": ["{{caller_phone_number}}", PARTNER],
                "ai_can_add": True,
                "prompt": "More",
            }
        ),
        {"recipients": [OTHER]},
    )
    assert answer["sent_to"] == [
        {"to": "the caller's number ending 40", "status": "sent"},
        {"to": "the number ending 41", "status": "sent"},
        {"to": OTHER, "status": "sent"},
    ]
    assert CALLER not in str(answer)


async def test_a_recipient_named_twice_gets_one_text() -> None:
    walk = Walk()
    recipients = {
        "mode": "array_extendable",
        "values": [CALLER, "{{caller_phone_number}}"],
        "ai_can_add": True,
        "prompt": "More",
    }
    await _answer(walk, sms_form(recipients=recipients), {"recipients": ["(202) 555-0140", CALLER]})
    assert [number for number, _ in walk.sent] == [CALLER]


async def test_each_recipient_has_an_operation_of_its_own_that_tells_nothing() -> None:
    walk = Walk()
    await _answer(walk, sms_form(recipients=BOTH))
    ids = [request.operation_id for request in walk.messenger.requests]
    assert len(set(ids)) == 2
    assert not [item for item in ids if CALLER[-4:] in item and CALLER in item]


async def test_a_specific_number_sends() -> None:
    own, walk = OwnNumber(uuid.uuid4(), "+12025550109"), Walk()
    walk.numbers.own[walk.context.organization_id] = [own]
    sender = {"from": {"type": "specific_number", "phone_number_id": str(own.phone_number_id)}}
    await _answer(walk, sms_form(**sender))
    assert walk.messenger.requests[0].from_number == "+12025550109"


async def test_a_specific_number_that_is_gone_sends_nothing() -> None:
    walk = Walk(numbers=FakeNumbers())
    sender = {"from": {"type": "specific_number", "phone_number_id": str(uuid.uuid4())}}
    result = await walk.call(function(sms_form(**sender)))
    assert (result.error_code, result.effect, walk.sent) == ("sender_not_found", Effect.NONE, [])


@pytest.mark.parametrize(
    ("fault", "status", "effect"),
    [
        ({"status": "sent"}, "sent", Effect.DONE),
        ({"status": "delivered"}, "sent", Effect.DONE),
        ({"status": "queued", "effect": Effect.NONE}, "queued", Effect.DONE),
        ({"status": "sending", "effect": Effect.UNKNOWN}, "unknown", Effect.UNKNOWN),
        ({"status": "failed", "effect": Effect.NONE, "error_code": "30006"}, "refused", Effect.DONE),
        (Unavailable("away"), "unknown", Effect.UNKNOWN),
        (InvalidInput("no"), "refused", Effect.DONE),
        (ConfigurationError("no sender"), "refused", Effect.DONE),
    ],
)
async def test_each_recipient_has_its_own_status(fault: Any, status: str, effect: Effect) -> None:
    walk = Walk()
    walk.messenger.faults[PARTNER] = fault
    result = await walk.call(function(sms_form(recipients=BOTH)))
    rows: Any = result.answer["sent_to"]
    assert [row["status"] for row in rows] == ["sent", status]
    assert (result.status, result.effect) == ("done", effect)
    assert status in str(result.answer["note"])


@pytest.mark.parametrize(
    ("faults", "effect", "code"),
    [
        ({CALLER: {"status": "failed", "effect": Effect.NONE, "error_code": "30003"}}, Effect.NONE, "30003"),
        ({CALLER: ConfigurationError("x")}, Effect.NONE, "configuration"),
        ({CALLER: {"status": "sending", "effect": Effect.UNKNOWN}}, Effect.UNKNOWN, "outcome_unknown"),
    ],
)
async def test_when_nobody_is_reached_it_is_an_error_that_says_what_may_be_claimed(
    faults: dict[str, Any], effect: Effect, code: str
) -> None:
    walk = Walk()
    walk.messenger.faults.update(faults)
    result = await walk.call(function(sms_form()))
    assert (result.status, result.effect, result.error_code) == ("failed", effect, code)
    assert ("not sent" in str(result.answer["error"])) is (effect is Effect.NONE)


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        ({}, "the number that was called cannot send texts", "the number that was called, ending 00, cannot"),
        ({"our_number": None}, "there is no number to send it from", "Not one of yours."),
    ],
)
async def test_a_number_that_cannot_text_is_told_to_the_model_and_named_for_the_operator(
    changes: dict[str, Any], reason: str, detail: str
) -> None:
    walk = Walk(context=context(**changes))
    walk.messenger.faults[CALLER] = InvalidInput("Not one of yours.", code=NO_SENDER_CODE)
    result = await walk.call(function(sms_form()))
    assert (result.error_code, result.effect) == (NO_SENDER_CODE, Effect.NONE)
    assert reason in str(result.answer["error"])
    [entry] = walk.ledger.rows.values()
    assert (entry.row.error_detail or "").startswith(detail)
    assert OUR_NUMBER not in (entry.row.error_detail or "")


@pytest.mark.parametrize(
    "fault",
    [
        {"status": "failed", "effect": Effect.NONE, "error_code": "21610"},
        {"status": "canceled", "effect": Effect.NONE},
        InvalidInput("The recipient has opted out.", code=SUPPRESSED_CODE),
    ],
)
async def test_an_opt_out_that_only_sending_brings_to_light_is_told_as_one(fault: Any) -> None:
    walk = Walk()

    class LearnsByTexting(FakeConsent):
        async def check(self, organization_id: uuid.UUID, number: str) -> DestinationVerdict:
            return DestinationVerdict(True) if not walk.messenger.requests else OPTED_OUT

    walk.consent = LearnsByTexting()
    walk.road = walk.another_road()
    walk.messenger.faults[CALLER] = fault
    result = await walk.call(function(sms_form()))
    assert "ending 40: the recipient has opted out)" in str(result.answer["error"])


async def test_a_refusal_stays_one_when_nobody_knows_why() -> None:
    walk = Walk()

    class AwayAfterTexting(FakeConsent):
        async def check(self, organization_id: uuid.UUID, number: str) -> DestinationVerdict:
            if walk.messenger.requests:
                raise Unavailable("away")
            return DestinationVerdict(True)

    walk.consent = AwayAfterTexting()
    walk.road = walk.another_road()
    walk.messenger.faults[CALLER] = {"status": "failed", "effect": Effect.NONE, "error_code": "30006"}
    result = await walk.call(function(sms_form()))
    assert (result.effect, result.error_code) == (Effect.NONE, "30006")
    assert "the network did not take it" in str(result.answer["error"])


@pytest.mark.parametrize("written", ["call me maybe", "911x", "12", "", "+1 202", "5" * 80])
async def test_a_recipient_that_is_no_number_sends_nothing_to_anybody(written: str) -> None:
    walk = Walk()
    form = sms_form(recipients={**AI_RECIPIENTS}, limits={"max_model_given_recipients": 9})
    result = await walk.call(function(form), {"recipients": [PARTNER, written]})
    assert (result.is_error, result.effect, walk.sent) == (True, Effect.NONE, [])


async def test_a_number_without_country_code_is_taken_from_our_country() -> None:
    walk = Walk(context=context(our_number="+442079460100", person_number=None))
    await walk.call(function(sms_form(recipients=AI_RECIPIENTS)), {"recipients": ["020 7946 0958"]})
    assert walk.sent[0][0] == "+442079460958"


async def test_without_any_number_of_ours_a_country_code_is_asked_for() -> None:
    walk = Walk(context=context(our_number=None, person_number=None, channel="web"))
    bound = function(sms_form(recipients=AI_RECIPIENTS))
    result = await walk.call(bound, {"recipients": ["202 555 0141"]})
    assert "country code" in str(result.answer["error"])
    assert (await walk.call(bound, {"recipients": [PARTNER]})).status == "done"
    assert walk.messenger.requests[0].from_number is None


async def test_more_recipients_than_a_conversation_needs_are_refused() -> None:
    values = [f"+120255501{index:02d}" for index in range(11)]
    walk = Walk()
    recipients = {"mode": "array_extendable", "values": values}
    result = await walk.call(function(sms_form(recipients=recipients)))
    assert (result.error_code, walk.sent) == ("too_many_recipients", [])


async def test_a_text_that_becomes_too_long_with_its_variables_is_not_sent() -> None:
    walk = Walk(context=context(values={"agent_name": Value("x" * 1600, Provenance.ORGANIZATION)}))
    result = await walk.call(function(sms_form(text={"mode": "fixed", "value": "Hi {{agent_name}}"})))
    assert (result.error_code, walk.sent) == ("text_too_long", [])


async def test_the_model_may_write_variables_into_its_text() -> None:
    walk = Walk()
    await _answer(walk, sms_form(text=AI_TEXT), {"text": "We call {{caller_phone_number}} back. {ok}"})
    assert walk.sent == [(CALLER, f"We call {CALLER} back. {{ok}}")]


async def test_the_carrier_gets_less_time_than_the_caller_waits() -> None:
    walk = Walk()
    await walk.call(function(sms_form()))
    await walk.call(function(sms_form(limits={"timeout_seconds": 3}), "Other"))
    waits = [request.wait_seconds for request in walk.messenger.requests]
    assert waits == [8.0, 2.0]
    assert walk.messenger.requests[0].from_number == OUR_NUMBER


OPTIONS = {"strip_markdown": True, "smart_encoding": True, "split": True, "validity_seconds": 600}


async def test_the_options_of_the_form_reach_the_text() -> None:
    walk, media_id = Walk(), uuid.uuid4()
    media = [{"media_id": str(media_id)}, {"url": "https://x.example/map.png"}]
    await _answer(walk, sms_form(**OPTIONS, media=media))
    [request] = walk.messenger.requests
    assert request.options == TextOptions(
        media=(MediumWish(media_id=media_id), MediumWish(url="https://x.example/map.png")),
        strip_markdown=True,
        smart_encoding=True,
        split=True,
        validity_seconds=600,
    )


async def test_without_options_a_text_goes_as_it_is_written() -> None:
    walk = Walk()
    await _answer(walk, sms_form(strip_markdown=False, media=[]))
    assert walk.messenger.requests[0].options is PLAIN


async def test_what_is_split_may_be_longer_than_one_text() -> None:
    walk = Walk(context=context(values={"agent_name": Value("x " * 1600, Provenance.ORGANIZATION)}))
    text = {"mode": "fixed", "value": "Hi {{agent_name}}"}
    await _answer(walk, sms_form(text=text, split=True))
    assert len(walk.sent) == 1


NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("fault", "row"),
    [
        (
            {"hold_reason": "quiet_hours", "held_until": datetime(2026, 11, 24, 8, 0, tzinfo=NEW_YORK)},
            {
                "status": "held",
                "reason": "at this hour nobody there is texted",
                "until": "Tuesday, 24 November, 08:00 (America/New_York)",
            },
        ),
        (
            {"hold_reason": "recipient_cap", "held_until": datetime(2026, 11, 24, 8, 0, tzinfo=NEW_YORK)},
            {
                "status": "held",
                "reason": "this number has had as many texts as it may have within a day",
                "until": "Tuesday, 24 November, 08:00 (America/New_York) at the earliest",
            },
        ),
        ({"hold_reason": "account_stopped"}, {"status": "held", "reason": "the team has to set something right first"}),
        ({}, {"status": "queued"}),
    ],
)
async def test_a_text_that_is_held_is_told_with_its_hour(fault: dict[str, Any], row: dict[str, str]) -> None:
    walk = Walk()
    walk.messenger.faults[CALLER] = {"status": "queued", "effect": Effect.NONE, **fault}
    answer = await _answer(walk, sms_form())
    assert answer["sent_to"] == [{"to": "the caller's number ending 40", **row}]
    assert row["status"] in answer["note"]


async def test_a_text_of_which_only_some_parts_went_is_told_so() -> None:
    walk = Walk()
    walk.messenger.faults[CALLER] = {"status": "failed", "effect": Effect.DONE, "parts": 3}
    answer = await _answer(walk, sms_form(split=True))
    assert answer["sent_to"][0]["status"] == "in part"
    assert "not all of the text" in answer["note"]


async def test_a_text_that_the_carrier_cannot_take_is_told_as_too_long() -> None:
    walk = Walk()
    walk.messenger.faults[CALLER] = InvalidInput("It takes 12 segments.", code=TOO_LONG_CODE)
    result = await walk.call(function(sms_form()))
    assert "make it shorter" in str(result.answer["error"])


async def test_media_that_the_carrier_does_not_take_are_refused_when_the_tool_is_saved() -> None:
    class Choosy(FakeMessenger):
        async def estimate(
            self, organization_id: uuid.UUID, body: str, from_number: str | None, options: TextOptions
        ) -> TextEstimate:
            raise InvalidInput("x", fields=[FieldProblem("media.0", "It is too large.", "media_too_large")])

    ports = fake_ports(messenger=Choosy())
    form = sms.Config.model_validate(sms_form(media=[{"url": "https://x.example/a.png"}]))
    [problem] = await sms.check(form, uuid.uuid4(), ports)
    assert (problem.path, problem.code) == ("media.0", "media_too_large")


@pytest.mark.parametrize(
    "media",
    [
        [{}],
        [{"url": "ftp://x.example/a"}],
        [{"url": "https://x.example/{{name}}"}],
        [{"media_id": str(uuid.uuid4()), "url": "https://x.example/a"}],
        [{"url": "https://x.example/a"}] * 11,
    ],
)
def test_media_are_one_of_ours_or_an_address(media: list[Any]) -> None:
    with pytest.raises(ValidationError):
        sms.Config.model_validate(sms_form(media=media))


async def test_the_appraisal_tells_the_cost_of_one_text_with_its_options() -> None:
    text = {"mode": "fixed", "value": "x" * 300}
    form = sms.Config.model_validate(sms_form(text=text))
    told = await sms.appraise(form, Declarations(), uuid.uuid4(), fake_ports())
    assert told == {"cost": {"amount": "0.02", "currency": "USD", "source": "made up"}}


async def test_the_appraisal_is_silent_where_nobody_knows_the_price() -> None:
    class Unknown(FakeMessenger):
        async def estimate(
            self, organization_id: uuid.UUID, body: str, from_number: str | None, options: TextOptions
        ) -> TextEstimate:
            raise InvalidInput("Several numbers.", code=NO_SENDER_CODE)

    form = sms.Config.model_validate(sms_form())
    assert await sms.appraise(form, Declarations(), uuid.uuid4(), fake_ports(messenger=Unknown())) == {"cost": None}


def test_the_insight_counts_what_is_sent_and_not_what_is_written() -> None:
    text = {"mode": "fixed", "value": "**It’s** " + "x" * 100}
    written = sms.insight(sms.Config.model_validate(sms_form(text=text)), Declarations())
    sent = sms.insight(sms.Config.model_validate(sms_form(text=text, **OPTIONS)), Declarations())
    assert (written["segments"], sent["segments"], sent["encoding"]) == (2, 1, "GSM-7")


def test_the_insight_names_markdown_where_the_model_writes() -> None:
    notes = sms.insight(sms.Config.model_validate(sms_form(text=AI_TEXT)), Declarations())["notes"]
    assert "strip_markdown" in notes[0]
