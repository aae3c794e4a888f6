"""Opting out and in again, by an operator."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from fixtures.api import PEPPER, ApiClient
from fixtures.telephony import FROM, OTHER_TO, TO, World
from offhook.core.db.pool import Database
from offhook.core.errors import Effect
from offhook.organizations import Authenticator, OrganizationService

SUPPRESSIONS = "/api/suppressions"


async def client_of(world: World, database: Database, organization_id: uuid.UUID, scope: str) -> ApiClient:
    authenticator = Authenticator(database, PEPPER.encode())
    organizations = OrganizationService(database, PEPPER.encode(), authenticator=authenticator)
    _, key = await organizations.create_api_key(organization_id, "test", [scope])
    return world.api.with_key(key)


async def numbers(api: ApiClient, query: str = "") -> list[str]:
    return [item["number"] for item in (await api.get(SUPPRESSIONS + query)).json["suppressions"]]


async def test_a_number_that_an_operator_enters_is_texted_no_more_until_it_is_taken_off(world: World) -> None:
    added = await world.api.post(SUPPRESSIONS, {"number": "+1 (202) 555-0140"})
    assert (added.status, added.json["suppression"]["number"]) == (201, TO)
    assert added.json["suppression"]["reason"] == "operator"
    assert (await world.api.post("/api/messages", {"to": TO, "body": "x"})).json["code"] == "suppressed"
    assert (await world.api.delete(f"{SUPPRESSIONS}/{TO}")).status == 204
    assert (await world.api.post("/api/messages", {"to": TO, "body": "x"})).status == 202


async def test_an_opt_out_at_the_carrier_is_listed_and_can_be_taken_back(world: World) -> None:
    await world.control("POST", "blocks", {"from": FROM, "to": TO})
    await world.telephony.messaging.text(world.wish("Please"))
    [listed] = (await world.api.get(SUPPRESSIONS)).json["suppressions"]
    assert (listed["number"], listed["reason"]) == (TO, "carrier")
    await world.control("POST", "blocks", {"from": FROM, "to": TO, "blocked": False})
    assert (await world.api.delete(f"{SUPPRESSIONS}/%2B12025550140")).status == 204
    assert (await world.telephony.messaging.text(world.wish("Again"))).effect is Effect.DONE


async def test_entered_twice_it_is_there_once_and_the_stronger_reason_stays(world: World) -> None:
    first = (await world.api.post(SUPPRESSIONS, {"number": TO, "reason": "keyword"})).json["suppression"]
    assert (await world.api.post(SUPPRESSIONS, {"number": TO, "reason": "carrier"})).json["suppression"] == first
    stronger = (await world.api.post(SUPPRESSIONS, {"number": TO})).json["suppression"]
    assert stronger == {**first, "reason": "operator"}
    assert (await world.api.post(SUPPRESSIONS, {"number": TO, "reason": "keyword"})).json["suppression"] == stronger
    assert await numbers(world.api) == [TO]


async def test_the_list_comes_in_pages(world: World) -> None:
    wanted = [f"+120255501{number}" for number in range(40, 45)]
    for number in wanted:
        await world.api.post(SUPPRESSIONS, {"number": number})
    found, query = list[str](), "?limit=2"
    while True:
        page = (await world.api.get(SUPPRESSIONS + query)).json
        found += [item["number"] for item in page["suppressions"]]
        if page["next_cursor"] is None:
            break
        query = f"?limit=2&cursor={page['next_cursor']}"
    assert found == wanted[::-1]


@pytest.mark.parametrize("body", [{}, {"number": "hello"}, {"number": "555 0140"}, {"number": TO, "reason": "whim"}])
async def test_what_is_no_opt_out_is_refused(world: World, body: dict[str, Any]) -> None:
    assert (await world.api.post(SUPPRESSIONS, body)).status == 422
    assert await numbers(world.api) == []


@pytest.mark.parametrize(("number", "status"), [(TO, 404), ("hello", 404)])
async def test_what_is_not_on_the_list_cannot_be_taken_off(world: World, number: str, status: int) -> None:
    assert (await world.api.delete(f"{SUPPRESSIONS}/{number}")).status == status


async def test_two_organizations_with_the_same_number_know_nothing_of_each_other(
    world: World, database: Database, other_organization: uuid.UUID
) -> None:
    other = await client_of(world, database, other_organization, "admin")
    await world.api.post(SUPPRESSIONS, {"number": TO})
    assert await numbers(other) == []
    assert (await other.delete(f"{SUPPRESSIONS}/{TO}")).status == 404
    for number in (TO, OTHER_TO):
        assert (await other.post(SUPPRESSIONS, {"number": number})).status == 201
    assert (await other.delete(f"{SUPPRESSIONS}/{TO}")).status == 204
    assert (await numbers(world.api), await numbers(other)) == ([TO], [OTHER_TO])


@pytest.mark.parametrize(("scope", "statuses"), [("read", (200, 403, 403)), ("worker", (200, 201, 403))])
async def test_a_worker_may_enter_a_number_and_only_an_admin_takes_one_off(
    world: World, database: Database, scope: str, statuses: tuple[int, ...]
) -> None:
    api = await client_of(world, database, world.organization_id, scope)
    listed = await api.get(SUPPRESSIONS)
    entered = await api.post(SUPPRESSIONS, {"number": TO, "reason": "free_form"})
    taken_off = await api.delete(f"{SUPPRESSIONS}/{TO}")
    assert (listed.status, entered.status, taken_off.status) == statuses


async def test_one_number_is_looked_up(world: World) -> None:
    for number in (TO, OTHER_TO):
        await world.api.post(SUPPRESSIONS, {"number": number})
    assert await numbers(world.api, "?number=+12025550140") == [TO]  # the plus arrives as a space
    assert await numbers(world.api, "?number=%2B12025550199") == []
    assert (await world.api.get(f"{SUPPRESSIONS}?number=hello")).status == 422


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("unreachable", "The carrier says that the number takes no texts"),
        ("carrier", "The carrier says that the recipient has opted out of texts"),
        ("free_form", "The recipient has asked not to be texted any more"),
        ("keyword", "The recipient has opted out of texts"),
        ("operator", "The organization has put the number on its suppression list"),
    ],
)
async def test_a_refusal_says_why_the_number_is_on_the_list(world: World, reason: str, words: str) -> None:
    await world.execute("insert into suppressions values ($1, $2, $3)", world.organization_id, TO, reason)
    sentence = f"{words}, so nothing is sent to that number."
    refused = (await world.api.post("/api/messages", {"to": TO, "body": "x"})).json
    assert (refused["code"], refused["detail"]) == ("suppressed", sentence)
    assert [(field["path"], field["code"]) for field in refused["errors"]] == [("to", reason)]
    assert (await world.telephony.consent.check(world.organization_id, TO)).sentence == sentence


async def test_what_an_operator_enters_and_takes_off_is_on_record(world: World) -> None:
    await world.api.post(SUPPRESSIONS, {"number": TO})
    await world.api.post(SUPPRESSIONS, {"number": OTHER_TO})
    await world.api.delete(f"{SUPPRESSIONS}/{TO}")
    answer = (await world.api.get("/api/consent-events?number=+12025550140")).json  # the plus arrives as a space
    found = [(event["number"], event["kind"], event["how"], event["message_id"]) for event in answer["consent_events"]]
    assert found == [(TO, "opt_in", "operator", None), (TO, "opt_out", "operator", None)]
    everybody = (await world.api.get("/api/consent-events?limit=2")).json
    assert len(everybody["consent_events"]) == 2
    rest = (await world.api.get(f"/api/consent-events?cursor={everybody['next_cursor']}")).json
    assert [event["number"] for event in rest["consent_events"]] == [TO]
    assert (await world.api.get("/api/consent-events?number=hello")).status == 422


async def test_a_number_that_takes_no_texts_is_taken_off_without_anybodys_wish(world: World) -> None:
    await world.execute("insert into suppressions values ($1, $2, 'unreachable')", world.organization_id, TO)
    [listed] = (await world.api.get(SUPPRESSIONS)).json["suppressions"]
    assert listed["reason"] == "unreachable"
    assert (await world.api.delete(f"{SUPPRESSIONS}/{TO}")).status == 204
    assert (await world.api.get("/api/consent-events")).json["consent_events"] == []


async def test_what_is_queued_for_a_number_that_is_entered_is_canceled(world: World) -> None:
    placed = await world.api.post("/api/messages", {"to": TO, "body": "x"})
    await world.api.post(SUPPRESSIONS, {"number": TO})
    message = (await world.api.get(f"/api/messages/{placed.json['message']['id']}")).json["message"]
    assert message["status"] == "canceled"
    assert "suppression list" in message["decision"]


async def test_the_record_is_each_organizations_own(
    world: World, database: Database, other_organization: uuid.UUID
) -> None:
    other = await client_of(world, database, other_organization, "read")
    await world.api.post(SUPPRESSIONS, {"number": TO})
    assert (await other.get("/api/consent-events")).json["consent_events"] == []
