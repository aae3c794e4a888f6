"""LiveKit's webhook: what opens and closes a call, late, twice and out of order."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

import jwt
import pytest

from fixtures.calls import make_number
from offhook.conversations.rooms import Rooms
from offhook.conversations.tokens import PlainTokens
from offhook.core.db.pool import Database
from offhook.core.errors import Unauthenticated, Unavailable

KEY, SECRET = "key", "a secret of at least thirty-two bytes"
CALLER, OURS = "+12025550143", "+12025550100"
NOON = 1_790_000_000


def event(name: str, *, sid: str = "RM_1", at: int = NOON, **participant: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "event": name,
        "room": {"sid": sid, "name": "call-1"},
        "createdAt": str(at),
    }
    if participant:
        made["participant"] = {"identity": "sip_caller", "kind": "SIP", **participant}
    return made


def joined(**changes: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "attributes": {"sip.phoneNumber": CALLER, "sip.trunkPhoneNumber": OURS, "sip.callID": "SCL_1"}
    }
    return event("participant_joined", **(defaults | changes))


@pytest.fixture
async def rooms(database: Database, organization: uuid.UUID) -> Rooms:
    await make_number(database, organization, OURS)
    return Rooms(database, PlainTokens(None), KEY, SECRET)


async def calls(database: Database, organization: uuid.UUID) -> list[Mapping[str, Any]]:
    async with database.tenant(organization) as connection:
        return await connection.fetch("select * from voice_calls order by opened_at")


async def test_a_caller_who_joins_opens_a_call_of_whoever_owns_the_number(
    rooms: Rooms, database: Database, organization: uuid.UUID
) -> None:
    await rooms.handle(joined())
    [call] = await calls(database, organization)
    assert (call["room_name"], call["client_phone"], call["our_number"]) == ("call-1", CALLER, OURS)
    assert (call["status"], call["participant_identity"]) == ("open", "sip_caller")


async def test_a_doubled_event_opens_one_call(rooms: Rooms, database: Database, organization: uuid.UUID) -> None:
    await rooms.handle(joined())
    await rooms.handle(joined())
    assert len(await calls(database, organization)) == 1


async def test_an_agent_who_joins_is_no_caller(rooms: Rooms, database: Database, organization: uuid.UUID) -> None:
    await rooms.handle(joined(kind="AGENT"))
    assert await calls(database, organization) == []


async def test_the_caller_leaving_closes_the_call(rooms: Rooms, database: Database, organization: uuid.UUID) -> None:
    await rooms.handle(joined())
    await rooms.handle(event("participant_left", at=NOON + 60, identity="somebody-else"))
    assert (await calls(database, organization))[0]["status"] == "open"
    await rooms.handle(event("participant_left", at=NOON + 60, identity="sip_caller"))
    [call] = await calls(database, organization)
    assert (call["status"], call["close_reason"]) == ("closed", "caller_left")


async def test_a_room_that_finished_closes_its_call_once(
    rooms: Rooms, database: Database, organization: uuid.UUID
) -> None:
    await rooms.handle(joined())
    await rooms.handle(event("room_finished", at=NOON + 60))
    await rooms.handle(event("participant_left", at=NOON + 61, identity="sip_caller"))
    [call] = await calls(database, organization)
    assert (call["status"], call["close_reason"]) == ("closed", "room_finished")


async def test_a_late_joined_event_does_not_open_a_closed_call(
    rooms: Rooms, database: Database, organization: uuid.UUID
) -> None:
    await rooms.handle(joined())
    later = int(time.time()) + 60
    await rooms.handle(event("participant_left", at=later, identity="sip_caller"))
    await rooms.handle(joined(at=NOON))
    assert (await calls(database, organization))[0]["status"] == "closed"


async def test_a_caller_who_returns_opens_the_call_again(
    rooms: Rooms, database: Database, organization: uuid.UUID
) -> None:
    await rooms.handle(joined())
    later = int(time.time()) + 60
    await rooms.handle(event("participant_left", at=later, identity="sip_caller"))
    await rooms.handle(joined(at=later + 5))
    assert (await calls(database, organization))[0]["status"] == "open"


async def test_a_number_that_nobody_owns_goes_to_the_default_organization_or_nowhere(
    database: Database, organization: uuid.UUID
) -> None:
    await Rooms(database, PlainTokens(None), KEY, SECRET).handle(joined())
    assert await calls(database, organization) == []
    await Rooms(database, PlainTokens(str(organization)), KEY, SECRET).handle(joined())
    assert len(await calls(database, organization)) == 1


async def test_a_number_claimed_twice_belongs_to_whoever_entered_it_first(
    rooms: Rooms, database: Database, organization: uuid.UUID, other_organization: uuid.UUID
) -> None:
    await make_number(database, other_organization, OURS)
    await rooms.handle(joined())
    assert len(await calls(database, organization)) == 1
    assert await calls(database, other_organization) == []


def signed(body: bytes, *, key: str = KEY, secret: str = SECRET, age: int = 0) -> str:
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    return jwt.encode({"iss": key, "exp": int(time.time()) + 300 - age, "sha256": digest}, secret, "HS256")


def test_a_signed_body_is_accepted(rooms: Rooms) -> None:
    body = json.dumps(joined()).encode()
    rooms.verify(signed(body), body)


@pytest.mark.parametrize(
    "token",
    [
        None,
        "",
        "not a token",
        signed(b"{}", secret="another secret of thirty-two bytes!"),
        signed(b"{}", key="another key"),
        signed(b"{}", age=1000),
        signed(b'{"another": "body"}'),
        jwt.encode({"iss": KEY}, SECRET, "HS256"),
    ],
)
def test_a_token_that_is_not_livekits_for_this_body_is_refused(rooms: Rooms, token: str | None) -> None:
    with pytest.raises(Unauthenticated):
        rooms.verify(token, b"{}")


def test_without_a_secret_nothing_is_accepted(database: Database) -> None:
    with pytest.raises(Unavailable, match="LIVEKIT_API_SECRET"):
        Rooms(database, PlainTokens(None), None, None).verify(signed(b"{}"), b"{}")


@pytest.mark.parametrize("odd", [{}, {"event": "participant_joined"}, {"event": 3, "room": {"sid": "RM_2"}}])
async def test_an_event_that_means_nothing_changes_nothing(
    rooms: Rooms, database: Database, organization: uuid.UUID, odd: dict[str, Any]
) -> None:
    await rooms.handle(odd)
    assert await calls(database, organization) == []
