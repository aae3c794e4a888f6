"""The API of messages: what is taken, what is told, and what an Idempotency-Key makes of it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any

import pytest

from fixtures.api import Answer, ApiClient
from fixtures.media import JPEG
from fixtures.telephony import FROM, OTHER_TO, TO, World

LONG = "The workshop opens at eight tomorrow. " * 60
"""2280 characters: more than one text takes."""


async def place(world: World, key: str | None = None, **wish: Any) -> Answer:
    headers = {"idempotency-key": key} if key else {}
    return await world.api.send("POST", "/api/messages", {"to": TO, **wish}, headers=headers)


async def estimate(world: World, **wish: Any) -> Any:
    answer = await world.api.post("/api/messages/estimate", {"to": TO, **wish})
    assert answer.status == 200, answer.text
    return answer.json["estimate"]


async def test_a_text_is_accepted_stored_listed_and_read(world: World) -> None:
    answer = await world.api.post("/api/messages", {"to": "+1 (202) 555-0140", "body": "Grüße", "operation_id": "a"})
    assert answer.status == 202
    placed = answer.json["message"]
    assert {name: placed[name] for name in ("to", "from", "status", "segments", "encoding")} == {
        "to": TO, "from": FROM, "status": "queued", "segments": 1, "encoding": "GSM-7",
    }  # fmt: skip
    again = await world.api.post("/api/messages", {"to": TO, "body": "Grüße", "operation_id": "a"})
    assert again.json["message"]["id"] == placed["id"]
    listed = (await world.api.get("/api/messages?status=queued")).json
    assert [message["id"] for message in listed["messages"]] == [placed["id"]]
    read = await world.api.get(f"/api/messages/{placed['id']}")
    assert read.json["message"]["body"] == "Grüße"


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        ({"to": TO}, 422, "body"),
        ({"body": "x"}, 422, "to"),
        ({"to": TO, "body": "x", "other": 1}, 422, "other"),
        ({"to": TO, "body": "x", "from": 5}, 422, "from"),
        ({"to": TO, "body": "x", "conversation_id": "x"}, 422, "conversation_id"),
        ({"to": TO, "body": "a\x00"}, 422, "body"),
        ({"to": TO, "body": "a\ud800"}, 422, "body"),
        ({"to": "hello", "body": "x"}, 422, "to"),
        ([], 422, ""),
    ],
)
async def test_a_bad_text_names_its_fields_and_stores_nothing(world: World, body: Any, status: int, path: str) -> None:
    answer = await world.api.post("/api/messages", body)
    assert answer.status == status
    assert answer.json["errors"][0]["path"] == path
    assert await world.messages() == []


@pytest.mark.parametrize(("data", "status"), [(b"x" * 100_000, 413), (b"{", 400), (b"\xff", 400)])
async def test_a_body_that_is_none_is_refused(world: World, data: bytes, status: int) -> None:
    assert (await world.api.send("POST", "/api/messages", data=data)).status == status


async def test_without_a_key_nothing_is_placed(world: World) -> None:
    nobody = ApiClient(world.api.session, world.api.base)
    assert (await nobody.post("/api/messages", {"to": TO, "body": "x"})).status == 401


@pytest.mark.parametrize(
    ("wish", "path"),
    [
        ({"priority": "urgent"}, "priority"),
        ({"priority": 0}, "priority"),
        ({"validity_seconds": 0}, "validity_seconds"),
        ({"validity_seconds": 36_001}, "validity_seconds"),
        ({"validity_seconds": True}, "validity_seconds"),
        ({"validity_seconds": 1.5}, "validity_seconds"),
        ({"recipient_time_zone": "Mars/Olympus"}, "recipient_time_zone"),
        ({"recipient_time_zone": "../etc/passwd"}, "recipient_time_zone"),
        ({"smart_encoding": "yes"}, "smart_encoding"),
        ({"split": 1}, "split"),
        ({"strip_markdown": []}, "strip_markdown"),
        ({"media": {}}, "media"),
        ({"media": [{"url": "https://x.example/a.png"}] * 11}, "media"),
        ({"media": [{"media_id": "x"}]}, "media.0.media_id"),
        ({"media": [{"media_id": str(uuid.uuid4()), "url": "https://x.example/a.png"}]}, "media.0"),
        ({"media": [{"url": "https://x.example/a.png"}, "https://x.example/b.png"]}, "media.1"),
        ({"messaging_service_id": "MG1"}, "messaging_service_id"),
        ({"messaging_service_id": str(uuid.uuid4())}, "messaging_service_id"),
        ({"messaging_service_id": str(uuid.uuid4()), "from": FROM}, "messaging_service_id"),
        ({"body": " \n "}, "body"),
        ({"body": LONG}, "body"),
        ({"body": LONG * 8, "split": True}, "body"),
        ({"body": "https://x.example/" + "a" * 1700, "split": True}, "body"),
    ],
)
async def test_a_wrong_option_names_its_field_and_stores_nothing(
    world: World, wish: Mapping[str, Any], path: str
) -> None:
    answer = await place(world, **{"body": "Hi", **wish})
    assert answer.status == 422, answer.text
    assert answer.json["errors"][0]["path"] == path
    assert await world.messages() == []


async def test_options_reach_the_message(world: World) -> None:
    options: dict[str, Any] = {"priority": "campaign", "validity_seconds": 600, "recipient_time_zone": "Europe/Berlin"}
    placed = (await place(world, body="Hi", **options)).json["message"]
    assert (placed["estimated_cost"], placed["price_currency"]) == ("0.0083", "USD")
    message = (await world.api.get(f"/api/messages/{placed['id']}")).json["message"]
    assert (message["priority"], message["recipient_time_zone"]) == ("campaign", "Europe/Berlin")
    assert (message["part"], message["parts"], message["media"], message["hold"]) == (1, 1, [], None)
    assert message["expires_at"] > message["created_at"]
    assert message["cost"] == {"estimated": "0.0083", "price": None, "currency": "USD"}


@pytest.mark.parametrize(
    ("wish", "priority"),
    [({}, "normal"), ({"priority": "conversation"}, "conversation"), ({"priority": None}, "normal")],
)
async def test_who_is_waited_for_goes_first(world: World, wish: Mapping[str, Any], priority: str) -> None:
    placed = (await place(world, body="Hi", **wish)).json["message"]
    assert (await world.api.get(f"/api/messages/{placed['id']}")).json["message"]["priority"] == priority


async def test_a_long_text_goes_as_several_only_when_that_is_asked(world: World) -> None:
    assert (await place(world, body=LONG)).json["code"] == "text_too_long"
    answer = (await place(world, body=LONG, split=True, operation_id="long")).json
    assert [(one["part"], one["parts"]) for one in answer["messages"]] == [(1, 2), (2, 2)]
    assert answer["message"] == answer["messages"][0]
    stored = await world.messages()
    assert " ".join(message.body for message in stored) == LONG.strip()
    again = (await place(world, body=LONG, split=True, operation_id="long")).json
    assert [one["id"] for one in again["messages"]] == [one["id"] for one in answer["messages"]]


async def test_what_was_done_to_the_words_is_told(world: World) -> None:
    body = "**Hello** – it’s time. " * 6
    answer = (await place(world, body=body, strip_markdown=True, smart_encoding=True)).json
    assert answer["wording"] == {"markdown_stripped": True, "replaced": {"–": "-", "’": "'"}}
    [message] = await world.messages()
    assert message.body.startswith("Hello - it's time. Hello")
    assert (message.encoding, message.segments) == ("GSM-7", 1)


async def test_an_estimate_tells_texts_segments_and_cost_and_stores_nothing(world: World) -> None:
    told = await estimate(world, body=LONG + "“😀”", split=True)
    assert (told["to"], told["from"], told["encoding"]) == (TO, FROM, "UCS-2")
    assert [part["encoding"] for part in told["parts"]] == ["GSM-7", "UCS-2"]
    assert told["segments"] == sum(part["segments"] for part in told["parts"])
    assert told["forced_by"] == ["“", "😀", "”"]
    assert (told["cost"], told["currency"]) == (str(round(told["segments"] * 0.0083, 4)), "USD")
    assert told["price_source"]
    assert await world.messages() == []


async def test_an_account_with_prices_of_its_own_is_estimated_by_those(world: World) -> None:
    prices = {"segment_price": "0.05", "price_currency": "EUR"}
    changed = await world.api.patch(f"/api/carrier-accounts/{world.account_id}", prices)
    assert changed.json["carrier_account"]["segment_price"] == "0.05"
    told = await estimate(world, body="Hi")
    assert (told["cost"], told["currency"]) == ("0.05", "EUR")
    assert told["price_source"] == "the carrier account's own prices"


@pytest.mark.parametrize(
    "wish", [{"body": ""}, {"body": LONG}, {"to": "hello", "body": "Hi"}, {"from": OTHER_TO, "body": "Hi"}]
)
async def test_an_estimate_refuses_what_placing_would(world: World, wish: Mapping[str, Any]) -> None:
    estimated = await world.api.post("/api/messages/estimate", {"to": TO, **wish})
    assert estimated.status == 422
    assert estimated.json["errors"] == (await place(world, **wish)).json["errors"]


async def test_a_text_may_be_media_alone_and_is_billed_as_one(world: World) -> None:
    headers = {"content-type": "image/jpeg"}
    medium = (await world.api.send("POST", "/api/media", data=JPEG, headers=headers)).json["medium"]["id"]
    wish = {"media": [{"media_id": medium}], "body": "ж" * 300}
    assert (await estimate(world, **wish))["segments"] == 1
    assert (await estimate(world, **wish))["cost"] == "0.022"
    async with world.working():
        placed = (await place(world, media=[{"media_id": medium}])).json["message"]
        await world.until_status(uuid.UUID(placed["id"]), "delivered")
    message = (await world.api.get(f"/api/messages/{placed['id']}")).json["message"]
    assert (message["body"], message["segments"], message["cost"]["estimated"]) == ("", 1, "0.022")
    assert [(one["media_id"], one["content_type"]) for one in message["media"]] == [(medium, "image/jpeg")]
    listed = (await world.api.get("/api/messages")).json["messages"]
    assert listed[0]["media"] == message["media"]


async def test_a_messaging_service_sends_and_the_carrier_picks_the_number(world: World) -> None:
    service = "MG" + "a" * 32
    created = await world.api.post(
        "/api/messaging-services", {"carrier_account_id": str(world.account_id), "external_id": service}
    )
    pool = created.json["messaging_service"]["id"]
    assert (await place(world, body="Which?")).json["code"] == "no_sender"
    placed = (await place(world, body="From a pool", messaging_service_id=pool)).json["message"]
    assert (placed["from"], placed["messaging_service_id"]) == (None, pool)
    [message] = await world.messages()
    assert (message.sender, message.from_number) == (service, None)


async def test_a_queued_text_is_canceled_and_not_sent(world: World) -> None:
    placed = (await place(world, body="Never mind")).json["message"]["id"]
    for _ in range(2):
        canceled = await world.api.post(f"/api/messages/{placed}/cancel")
        assert (canceled.status, canceled.json["message"]["status"]) == (200, "canceled")
    async with world.working():
        later = (await place(world, body="Later")).json["message"]["id"]
        await world.until_status(uuid.UUID(later), "delivered")
    assert [text["body"] for text in await world.phone()] == ["Later"]
    assert (await world.api.post(f"/api/messages/{later}/cancel")).status == 409
    assert (await world.api.post(f"/api/messages/{uuid.uuid4()}/cancel")).status == 404


async def test_a_held_text_says_why_and_until_when_and_is_found_as_one(world: World) -> None:
    held = (await place(world, body="Good night")).json["message"]["id"]
    await place(world, body="Others")
    await world.execute(
        "update messages set not_before = '2030-01-02T08:00Z', hold_reason = 'quiet_hours', decision = 'It is night.'"
        " where id = $1",
        uuid.UUID(held),
    )
    message = (await world.api.get(f"/api/messages/{held}")).json["message"]
    assert message["hold"] == {"reason": "quiet_hours", "sentence": "It is night.", "until": "2030-01-02T08:00:00Z"}
    for wanted, count in (("true", 1), ("false", 1)):
        listed = (await world.api.get(f"/api/messages?held={wanted}")).json["messages"]
        assert len(listed) == count
        assert (listed[0]["id"] == held) is (wanted == "true")


async def test_the_same_key_and_body_are_answered_the_same_and_place_one_text(world: World) -> None:
    first = await place(world, "order-7", body="Once")
    again = await place(world, "order-7", body="Once")
    assert (first.status, again.status) == (202, 202)
    assert again.text == first.text
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len(await world.messages()) == 1


async def test_the_same_key_with_another_body_is_refused(world: World) -> None:
    await place(world, "order-7", body="Once")
    refused = await place(world, "order-7", body="Twice")
    assert (refused.status, refused.json["code"]) == (422, "idempotency_key_reused")
    assert len(await world.messages()) == 1


async def test_requests_at_once_with_one_key_place_one_text(world: World) -> None:
    answers = await asyncio.gather(*(place(world, "order-7", body="Once") for _ in range(8)))
    assert {answer.status for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    assert len(await world.messages()) == 1


async def stop_sender(world: World, reason: str | None) -> None:
    await world.execute("update lanes set stopped_reason = $1", reason)


async def test_what_was_refused_may_be_asked_for_again_but_a_mended_body_needs_a_new_key(world: World) -> None:
    await place(world, body="Another of its sender")
    await stop_sender(world, "For a test.")
    assert (await place(world, "order-7", body="Once")).status == 409
    await stop_sender(world, None)
    mended = await place(world, "order-7", body="Mended")
    assert (mended.status, mended.json["code"]) == (422, "idempotency_key_reused")
    assert (await place(world, "order-7", body="Once")).status == 202
    assert [message.body for message in await world.messages()][1:] == ["Once"]


async def test_what_a_crash_left_under_a_key_is_never_the_answer_to_another_body(world: World) -> None:
    await place(world, "order-7", body="Once", to=OTHER_TO)
    await world.execute("update idempotency_keys set status = null, answer = null, locked_until = now()")
    [number] = (await world.api.get("/api/phone-numbers")).json["phone_numbers"]
    assert (await world.api.send("DELETE", f"/api/phone-numbers/{number['id']}")).status == 204
    assert (await place(world, "order-7", body="Once", to=OTHER_TO)).json["code"] == "no_sender"
    assert (await place(world, "order-7", body="Another")).json["code"] == "idempotency_key_reused"


async def test_two_keys_are_two_texts(world: World) -> None:
    for key in ("order-7", "order-8"):
        assert (await place(world, key, body="Hi")).status == 202
    assert len(await world.messages()) == 2


async def test_after_a_crash_between_text_and_answer_the_text_is_found(world: World) -> None:
    first = await place(world, "order-7", body="Once")
    # As the crash left it: placed, not answered, the lock past its time.
    await world.execute("update idempotency_keys set status = null, answer = null, locked_until = now()")
    again = await place(world, "order-7", body="Once")
    assert again.json["message"]["id"] == first.json["message"]["id"]
    assert len(await world.messages()) == 1


@pytest.mark.parametrize("key", ["two words", "é", "a" * 256])
async def test_a_key_of_another_form_is_refused(world: World, key: str) -> None:
    refused = await place(world, key, body="Hi")
    assert (refused.status, refused.json["code"]) == (400, "idempotency_key_invalid")
    assert await world.messages() == []


async def test_a_text_to_its_own_sender_is_refused(world: World) -> None:
    answer = await world.api.post("/api/messages", {"to": FROM, "body": "Echo"})
    assert (answer.status, answer.json["errors"][0]["path"], answer.json["errors"][0]["code"]) == (
        422,
        "to",
        "own_sender",
    )
    assert await world.messages() == []


async def test_a_filter_that_makes_no_sense_is_refused_and_a_bare_plus_is_read(world: World) -> None:
    await world.api.post("/api/messages", {"to": TO, "body": "Hello"})
    for query in ("status=nope", "to=nope"):
        assert (await world.api.get(f"/api/messages?{query}")).status == 422
    for to in (TO, TO.replace("+", "%2B")):
        assert len((await world.api.get(f"/api/messages?to={to}")).json["messages"]) == 1


async def test_a_no_to_credentials_that_were_changed_meanwhile_stops_nothing(world: World) -> None:
    path = f"/api/carrier-accounts/{world.account_id}"
    right = await world.telephony.carrier_accounts._accounts.get_open(world.account_id)
    await world.api.patch(path, {"credentials": {"auth_token": "wrong"}})
    stale = await world.telephony.carrier_accounts._accounts.get_open(world.account_id)
    await world.api.patch(path, {"credentials": dict(right.credentials)})
    world.telephony.carrier_accounts._accounts._opened.put(world.account_id, stale)  # as in another process
    async with world.working():
        placed = (await world.api.post("/api/messages", {"to": TO, "body": "Hello"})).json["message"]
        message = await world.until_status(uuid.UUID(placed["id"]), "delivered", "failed")
    assert message.status == "delivered"
    assert (await world.api.get(path)).json["carrier_account"]["stopped_reason"] is None
