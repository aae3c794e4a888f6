"""Texts that people send: stored once, read for what they ask, and done within one transaction."""

from __future__ import annotations

import asyncio
import itertools
import json
import uuid
from typing import Any
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from fixtures.api import Answer
from fixtures.database import make_organization
from fixtures.telephony import FROM, OTHER_TO, TO, World
from offhook.emulator import DEFAULT_AUTH_TOKEN
from offhook.telephony.carrier_events import HANDLE
from offhook.telephony.messages.models import NewText

FORM = {"content-type": "application/x-www-form-urlencoded"}
_numbers = itertools.count(1)


async def receive(world: World, body: str = "", *, sid: str | None = None, **fields: str) -> Answer:
    """The webhook of a text to our number, as Twilio posts it, signed with the SDK."""
    path = f"/webhooks/carriers/{world.account_id}/inbound-text"
    form = {"MessageSid": sid or f"SM{next(_numbers):032x}", "From": TO, "To": FROM, "Body": body, **fields}
    signature = RequestValidator(DEFAULT_AUTH_TOKEN).compute_signature(world.public_url + path, form)
    headers = {**FORM, "X-Twilio-Signature": signature}
    return await world.api.send("POST", path, data=urlencode(form).encode(), headers=headers)


async def handle(world: World) -> None:
    """Run the jobs of all events that wait, oldest first."""
    for event_id in await event_ids(world):
        await world.telephony.inbox.handlers[HANDLE](event_id.bytes)


async def event_ids(world: World) -> list[uuid.UUID]:
    async with world.database.system("a test") as connection:
        rows = await connection.fetch("select id from carrier_events where handled_at is null order by received_at, id")
    return [row["id"] for row in rows]


async def texted(world: World, *bodies: str, **fields: str) -> None:
    for body in bodies:
        answer = await receive(world, body, **fields)
        assert (answer.status, answer.text) == (204, "")
        await handle(world)


async def suppressions(world: World) -> dict[str, str]:
    listed = (await world.api.get("/api/suppressions")).json["suppressions"]
    return {item["number"]: item["reason"] for item in listed}


async def events(world: World, number: str = TO) -> list[tuple[str, str]]:
    """What was wished and how, oldest first."""
    listed = (await world.api.get(f"/api/consent-events?number=%2B{number[1:]}")).json["consent_events"]
    return [(item["kind"], item["how"]) for item in reversed(listed)]


async def queued(world: World, to: str = TO) -> uuid.UUID:
    """A text that nothing sends: its jobs are gone."""
    message = await world.telephony.messaging.place(NewText(world.organization_id, "api", to, "Your bike is ready"))
    await world.execute("delete from pgqueuer")
    return message.id


async def test_a_text_becomes_a_message_and_its_event_forgets_the_words(world: World) -> None:
    await texted(world, "When do you open? ☕")
    [message] = await world.messages()
    assert (message.direction, message.status, message.origin) == ("inbound", "received", "carrier")
    assert (message.from_number, message.to_number, message.body) == (TO, FROM, "When do you open? ☕")
    assert (message.encoding, message.segments) == ("UCS-2", 1)
    shown = (await world.api.get(f"/api/messages/{message.id}")).json["message"]
    assert (shown["direction"], shown["body"]) == ("inbound", "When do you open? ☕")
    async with world.database.system("a test") as connection:
        [row] = await connection.fetch("select payload, handled_at from carrier_events")
    assert row["handled_at"] is not None
    assert "open" not in json.dumps(row["payload"])
    assert TO not in json.dumps(row["payload"])
    assert (await suppressions(world), await events(world)) == ({}, [])


async def test_words_of_ones_own_stop_everything_that_is_queued_for_the_number(world: World) -> None:
    mine, also_mine, others = await queued(world), await queued(world), await queued(world, OTHER_TO)
    held = await queued(world)
    await world.execute(
        "update messages set not_before = now() + interval '5 hours', hold_reason = 'quiet_hours' where id = $1", held
    )
    await texted(world, "Please stop texting me")
    assert await suppressions(world) == {TO: "free_form"}
    assert await events(world) == [("opt_out", "free_form")]
    for message_id in (mine, also_mine, held):
        message = await world.message(message_id)
        assert (message.status, message.hold_reason) == ("canceled", None)
        assert message.decision == "Canceled: the recipient has asked not to be texted any more."
    assert (await world.message(others)).status == "queued"
    refused = await world.api.post("/api/messages", {"to": TO, "body": "x"})
    assert (refused.status, refused.json["code"]) == (422, "suppressed")


async def test_the_record_names_the_text_that_said_so(world: World) -> None:
    await texted(world, "STOP")
    [message] = await world.messages()
    [event] = (await world.api.get("/api/consent-events")).json["consent_events"]
    assert event["message_id"] == str(message.id)
    assert (event["number"], event["channel"]) == (TO, "sms")


async def test_start_takes_back_what_the_person_said_and_what_the_carrier_told(world: World) -> None:
    for stop in ("STOP", "stop texting me"):
        await texted(world, stop, "START")
        assert await suppressions(world) == {}
    await world.api.post("/api/suppressions", {"number": TO, "reason": "carrier"})
    await texted(world, "unstop")
    assert await suppressions(world) == {}
    assert (await world.api.post("/api/messages", {"to": TO, "body": "x"})).status == 202


async def test_start_does_not_take_back_what_the_person_never_said(world: World) -> None:
    await world.execute("insert into suppressions values ($1, $2, 'operator')", world.organization_id, TO)
    await texted(world, "START")
    assert await suppressions(world) == {TO: "operator"}
    assert await events(world) == [("opt_in", "keyword")]


@pytest.mark.parametrize(("reason", "stays"), [("unreachable", False), ("keyword", True), ("operator", True)])
async def test_who_texts_us_takes_texts_and_wishes_nothing_by_that(world: World, reason: str, stays: bool) -> None:
    await world.execute("insert into suppressions values ($1, $2, $3)", world.organization_id, TO, reason)
    await texted(world, "When do you open?")
    assert await suppressions(world) == ({TO: reason} if stays else {})
    assert await events(world) == []


async def test_a_person_who_stops_a_number_that_takes_no_texts_can_start_it(world: World) -> None:
    await world.execute("insert into suppressions values ($1, $2, 'unreachable')", world.organization_id, TO)
    await texted(world, "STOP")
    assert await suppressions(world) == {TO: "keyword"}
    await texted(world, "START")
    assert await suppressions(world) == {}


async def test_help_is_written_down_and_changes_nothing(world: World) -> None:
    await texted(world, "HELP")
    assert (await suppressions(world), await events(world)) == ({}, [("help", "keyword")])


@pytest.mark.parametrize(
    ("body", "told", "expected"),
    [
        ("Stop by at 5", "STOP", ("opt_out", "opt_out_type")),
        ("yes", "START", ("opt_in", "opt_out_type")),
        ("STOP", "HELP", ("help", "opt_out_type")),
        ("STOP", "whatever", ("opt_out", "keyword")),
    ],
)
async def test_the_carriers_word_goes_before_our_own_reading(
    world: World, body: str, told: str, expected: tuple[str, str]
) -> None:
    await texted(world, body, OptOutType=told)
    assert await events(world) == [expected]


async def test_doubled_and_concurrent_webhooks_and_jobs_are_one_text(world: World) -> None:
    message_id = await queued(world)
    answers = await asyncio.gather(*(receive(world, "STOP", sid="SM1") for _ in range(8)))
    assert {answer.status for answer in answers} == {204}
    [event_id] = await event_ids(world)
    handler = world.telephony.inbox.handlers[HANDLE]
    await asyncio.gather(*(handler(event_id.bytes) for _ in range(4)))
    await receive(world, "STOP", sid="SM1")
    await handle(world)
    assert await events(world) == [("opt_out", "keyword")]
    assert len([m for m in await world.messages() if m.direction == "inbound"]) == 1
    assert (await world.message(message_id)).status == "canceled"


async def test_many_wishes_of_one_person_at_once_end_with_the_last(world: World) -> None:
    for body in ("STOP", "START", "stop", "START", "STOP", "START"):
        await receive(world, body)
    handler = world.telephony.inbox.handlers[HANDLE]
    await asyncio.gather(*(handler(event_id.bytes) for event_id in await event_ids(world)))
    assert await suppressions(world) == {}
    assert len(await events(world)) == 6


@pytest.mark.parametrize("last", ["STOP", "START"])
async def test_a_job_that_comes_late_does_not_undo_a_newer_wish(world: World, last: str) -> None:
    first = "START" if last == "STOP" else "STOP"
    await receive(world, first)
    await receive(world, last)
    handler = world.telephony.inbox.handlers[HANDLE]
    for event_id in reversed(await event_ids(world)):
        await handler(event_id.bytes)
    assert (TO in await suppressions(world)) is (last == "STOP")


async def test_a_job_that_broke_off_leaves_nothing_half_done(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    message_id = await queued(world)
    await receive(world, "STOP")
    with monkeypatch.context() as patched:

        async def die(*_: object) -> None:
            raise ConnectionError("the process is killed here")

        patched.setattr("offhook.telephony.carrier_events.record_handled", die)
        with pytest.raises(Exception, match=r"killed|not answer"):
            await handle(world)
    assert (await world.message(message_id)).status == "queued"
    assert len(await world.messages()) == 1
    await handle(world)
    assert (await world.message(message_id)).status == "canceled"
    assert await events(world) == [("opt_out", "keyword")]


async def test_a_wish_sent_to_a_number_that_we_were_not_told_of_counts_and_its_words_are_not_kept(world: World) -> None:
    waiting = await queued(world)
    await texted(world, "STOP", To="+12025550177")
    assert await suppressions(world) == {TO: "keyword"}
    assert (await world.message(waiting)).status == "canceled"
    assert [message.direction for message in await world.messages()] == ["outbound"]
    await texted(world, "When do you open?", "START", To="+12025550177")
    assert await suppressions(world) == {}
    assert await events(world) == [("opt_out", "keyword"), ("opt_in", "keyword")]
    assert await event_ids(world) == []


async def test_a_number_that_was_given_up_can_still_be_stopped(world: World) -> None:
    await world.telephony.messaging.text(world.wish("Your bike is ready"))
    [number] = (await world.api.get("/api/phone-numbers")).json["phone_numbers"]
    assert (await world.api.delete(f"/api/phone-numbers/{number['id']}")).status == 204
    await texted(world, "STOP")
    assert await suppressions(world) == {TO: "keyword"}


async def test_a_text_to_a_messaging_service_is_ours(world: World) -> None:
    service = {"carrier_account_id": str(world.account_id), "external_id": "MG" + "1" * 32}
    assert (await world.api.post("/api/messaging-services", service)).status == 201
    await texted(world, "STOP", To="72345", MessagingServiceSid="MG" + "1" * 32)
    assert await suppressions(world) == {TO: "keyword"}


async def test_another_organizations_texts_to_the_same_person_go_on(world: World) -> None:
    stranger = await make_organization(world.database, "Somebody Else")
    account = await world.telephony.carrier_accounts.create(
        stranger,
        carrier="twilio",
        external_account_id="AC" + "2" * 32,
        credentials={"auth_token": "x"},
        base_url=world.emulator.url,
    )
    await world.telephony.phone_numbers.create(stranger, FROM, carrier_account_id=account.id)
    theirs = await world.telephony.messaging.place(NewText(stranger, "api", TO, "Hello"))
    await world.execute("delete from pgqueuer")
    await texted(world, "STOP")
    assert (await world.telephony.messages.get(stranger, theirs.id)).status == "queued"
    assert (await world.telephony.consent.check(stranger, TO)).allowed
    assert not (await world.telephony.consent.check(world.organization_id, TO)).allowed


async def test_pictures_are_noted_with_their_message(world: World) -> None:
    media = {"NumMedia": "1", "MediaUrl0": "https://carrier.example/1", "MediaContentType0": "image/jpeg"}
    await texted(world, "", **media)
    [message] = await world.messages()
    assert (message.body, message.media_count) == ("", 1)
    async with world.database.system("a test") as connection:
        assert await connection.fetchval("select count(*) from message_media where message_id = $1", message.id) == 1
        assert await connection.fetchval("select count(*) from pgqueuer where entrypoint = 'media.fetch'") == 1


HOSTILE: dict[str, dict[str, Any]] = {
    "nothing": {"body": ""},
    "NUL": {"body": "a\0b"},
    "as long as a webhook may be": {"body": "stop texting m" * 4000},
    "emoji and marks": {"body": "👩‍👩‍👧‍👦" * 200 + "\u0301" * 500},
    "SQL": {"body": "'; drop table messages; --"},
    "a name as its sender": {"body": "STOP", "From": "SPOKE"},
    "a short code": {"body": "STOP", "From": "72345"},
    "a sender of nonsense": {"body": "STOP", "From": "+1\u202e2025550140"},
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_odd_texts_are_stored_and_break_nothing(world: World, name: str) -> None:
    fields = dict(HOSTILE[name])
    await texted(world, fields.pop("body"), **fields)
    assert len(await world.messages()) == 1
    assert await event_ids(world) == []
    assert (await world.api.get("/api/messages")).status == 200


async def test_another_channels_text_is_none_of_ours(world: World) -> None:
    await texted(world, "STOP", From=f"whatsapp:{TO}", To=f"whatsapp:{FROM}")
    assert await world.messages() == []
    assert await suppressions(world) == {}


async def test_what_is_not_signed_is_refused(world: World) -> None:
    path = f"/webhooks/carriers/{world.account_id}/inbound-text"
    form = urlencode({"MessageSid": "SM1", "From": TO, "To": FROM, "Body": "STOP"}).encode()
    assert (await world.api.send("POST", path, data=form, headers=FORM)).status == 403
    assert await event_ids(world) == []
