"""A key makes a request act once, over processes and through crashes. On a real database; no route of the product."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from offhook.core.clock import ManualClock
from offhook.core.db.pool import Database
from offhook.core.errors import BadRequest, Conflict, InvalidInput, OffhookError, Unavailable
from offhook.core.http.idempotency import FORGET_EXPIRED, Once

BODY = {"to": "+12025550140", "body": "Hi"}


def request(key: str | None = "one", path: str = "/api/messages", method: str = "POST", *more: str) -> Request:
    keys = [] if key is None else [key, *more]
    headers = [(b"idempotency-key", value.encode()) for value in keys]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers}
    return Request({**scope, "server": ("localhost", 80), "scheme": "http"})


@dataclass
class World:
    """What requests do to the world: each operation id is placed once."""

    placed: dict[str, int] = field(default_factory=dict[str, int])
    acts: int = 0
    gate: asyncio.Event | None = None
    fails: list[BaseException] = field(default_factory=list[BaseException])
    acting: asyncio.Event = field(default_factory=asyncio.Event)

    async def act(self, operation_id: str | None) -> Response:
        self.acts += 1
        self.acting.set()
        place = operation_id or uuid.uuid4().hex
        self.placed.setdefault(place, len(self.placed) + 1)
        if self.gate is not None:
            await self.gate.wait()
        if self.fails:
            raise self.fails.pop(0)
        return JSONResponse({"message": self.placed[place]}, status_code=202)


Act = Callable[[str | None], Awaitable[Response]]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def once(database: Database) -> Once:
    return Once(database)


async def send(once: Once, organization: uuid.UUID, act: Act, asked: Request | None = None, body: Any = BODY) -> Any:
    response = await once.answer(asked or request(), organization, body, act)
    return response.status_code, json.loads(bytes(response.body)), response.headers.get("idempotency-replayed")


async def test_the_same_request_is_answered_from_the_first(once: Once, organization: uuid.UUID, world: World) -> None:
    assert await send(once, organization, world.act) == (202, {"message": 1}, None)
    assert await send(once, organization, world.act) == (202, {"message": 1}, "true")
    assert world.acts == 1


async def test_the_same_json_spelled_otherwise_is_the_same_request(
    once: Once, organization: uuid.UUID, world: World
) -> None:
    await send(once, organization, world.act)
    turned = dict(reversed(BODY.items()))
    assert (await send(once, organization, world.act, body=turned))[2] == "true"


@pytest.mark.parametrize(
    ("asked", "body"),
    [
        (request(), {**BODY, "body": "Other"}),
        (request(path="/api/livekit/agent-send-sms"), BODY),
        (request(method="PUT"), BODY),
    ],
)
async def test_another_request_with_the_key_is_refused(
    once: Once, organization: uuid.UUID, world: World, asked: Request, body: Any
) -> None:
    await send(once, organization, world.act)
    with pytest.raises(InvalidInput) as refused:
        await send(once, organization, world.act, asked, body)
    assert refused.value.code == "idempotency_key_reused"
    assert world.acts == 1


async def test_without_a_key_every_request_acts(once: Once, organization: uuid.UUID, world: World) -> None:
    for number in (1, 2):
        assert await send(once, organization, world.act, request(None)) == (202, {"message": number}, None)


@pytest.mark.parametrize(
    "asked", [request(""), request("a" * 256), request("two words"), request("é"), request("one", "/p", "POST", "two")]
)
async def test_a_key_of_another_form_is_refused(
    once: Once, organization: uuid.UUID, world: World, asked: Request
) -> None:
    with pytest.raises(BadRequest) as refused:
        await send(once, organization, world.act, asked)
    assert refused.value.code == "idempotency_key_invalid"


async def test_organizations_do_not_see_each_others_keys(
    once: Once, organization: uuid.UUID, other_organization: uuid.UUID, world: World
) -> None:
    assert (await send(once, organization, world.act))[1] == {"message": 1}
    assert await send(once, other_organization, world.act, body={"another": 1}) == (202, {"message": 2}, None)


async def test_requests_at_once_act_once_and_are_answered_alike(
    database: Database, organization: uuid.UUID, world: World
) -> None:
    processes = [Once(database) for _ in range(3)]
    world.gate = asyncio.Event()
    asking = [asyncio.create_task(send(processes[n % 3], organization, world.act)) for n in range(12)]
    await world.acting.wait()
    world.gate.set()
    answers = await asyncio.gather(*asking)
    assert world.acts == 1
    assert {json.dumps(answer[1]) for answer in answers} == {'{"message": 1}'}
    assert sum(answer[2] is None for answer in answers) == 1


async def test_who_waits_too_long_is_told_so(database: Database, organization: uuid.UUID, world: World) -> None:
    world.gate = asyncio.Event()
    first = asyncio.create_task(send(Once(database), organization, world.act))
    await world.acting.wait()
    clock = ManualClock()
    second = asyncio.create_task(send(Once(database, clock), organization, world.act))
    while not second.done():
        await clock.advance(1.0)
        await asyncio.sleep(0.01)
    with pytest.raises(Conflict) as refused:
        await second
    assert refused.value.code == "idempotency_key_in_progress"
    world.gate.set()
    assert (await first)[1] == {"message": 1}


async def test_what_a_killed_process_placed_is_found_by_the_next_try(
    database: Database, organization: uuid.UUID, world: World
) -> None:
    world.gate = asyncio.Event()  # never set: the process is killed after the act and before the answer
    killed = asyncio.create_task(send(Once(database, lock_seconds=0.05), organization, world.act))
    await world.acting.wait()
    world.gate = None
    assert await send(Once(database), organization, world.act) == (202, {"message": 1}, None)
    assert len(world.placed) == 1
    killed.cancel()
    await asyncio.wait([killed])
    assert (await send(Once(database), organization, world.act))[2] == "true"


@pytest.mark.parametrize(
    "error", [Unavailable("away"), OffhookError("broken"), RuntimeError("a bug"), InvalidInput("wrong")]
)
async def test_a_failure_gives_the_key_back_for_the_same_request_only(
    once: Once, organization: uuid.UUID, world: World, error: Exception
) -> None:
    world.fails = [error]
    with pytest.raises(type(error)):
        await send(once, organization, world.act)
    with pytest.raises(InvalidInput) as refused:
        await send(once, organization, world.act, body={"another": 1})
    assert refused.value.code == "idempotency_key_reused"
    assert await send(once, organization, world.act) == (202, {"message": 1}, None)
    assert (world.acts, len(world.placed)) == (2, 1)


async def test_of_two_requests_with_one_key_one_acts_although_it_is_refused_at_first(
    database: Database, organization: uuid.UUID, world: World
) -> None:
    """Nobody is answered with what another body placed."""
    world.fails = [InvalidInput("wrong")]
    asking = [send(Once(database), organization, world.act, body={"number": n % 2}) for n in range(12)]
    answers = await asyncio.gather(*asking, return_exceptions=True)
    answered = {n % 2 for n, answer in enumerate(answers) if isinstance(answer, tuple)}
    refused = Counter(answer.code for answer in answers if isinstance(answer, InvalidInput))
    assert len(answered) == 1
    assert refused == {"invalid_input": 1, "idempotency_key_reused": 6}
    assert (world.acts, len(world.placed)) == (2, 1)


async def test_an_answer_that_is_no_is_not_kept(once: Once, organization: uuid.UUID) -> None:
    asked: list[str | None] = []

    async def refuse(operation_id: str | None) -> Response:
        asked.append(operation_id)
        return JSONResponse({"error": "carrier_30007"}, status_code=502)

    for _ in range(2):
        assert (await send(once, organization, refuse))[0] == 502
    assert len(asked) == 2
    assert len(set(asked)) == 1


async def test_a_key_is_new_after_a_day(database: Database, once: Once, organization: uuid.UUID, world: World) -> None:
    await send(once, organization, world.act)
    async with database.tenant(organization) as connection:
        await connection.execute("update idempotency_keys set expires_at = now() - interval '1 second'")
    assert await send(once, organization, world.act, body={"another": 1}) == (202, {"message": 2}, None)
    assert (await send(once, organization, world.act, body={"another": 1}))[2] == "true"


async def test_expired_keys_are_swept(database: Database, once: Once, organization: uuid.UUID, world: World) -> None:
    await send(once, organization, world.act)
    await send(once, organization, world.act, request("two"))
    async with database.system("a test") as connection:
        await connection.execute("update idempotency_keys set expires_at = now() - interval '1 second'")
        assert await connection.execute(FORGET_EXPIRED, 1) == "DELETE 1"
        assert await connection.execute(FORGET_EXPIRED, 100) == "DELETE 1"


async def test_the_answer_stands_although_it_cannot_be_kept(
    organization: uuid.UUID, world: World, database: Database
) -> None:
    class Leaving(Database):
        pass

    once = Once(database)

    async def act(operation_id: str | None) -> Response:
        response = await world.act(operation_id)
        once._database = Leaving("postgresql://nowhere")  # never opened: as one that is away
        return response

    assert await send(once, organization, act) == (202, {"message": 1}, None)
