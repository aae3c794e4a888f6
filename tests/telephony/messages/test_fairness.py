"""One tenant's flood, limits or silent carrier, and another tenant's text."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from fixtures.api import addresses_of
from fixtures.database import make_organization
from fixtures.telephony import FROM, OTHER_TO, TO, World
from offhook.core.db.pool import Busy, Connection, Database
from offhook.emulator import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN
from offhook.telephony.consent.gate import Gate, Held, Withdrawn
from offhook.telephony.messages import pump
from offhook.telephony.messages.attempts import MAX_PER_ACCOUNT
from offhook.telephony.messages.models import Message, NewText

OTHER_FROM = "+12025550101"
Verdicts = Mapping[uuid.UUID, Held | Withdrawn]


@pytest.fixture
async def neighbour(world: World, database: Database) -> uuid.UUID:
    """Another organization, at the same emulator."""
    organization_id = await make_organization(database, "Chain & Spoke")
    account = await world.telephony.carrier_accounts.create(
        organization_id,
        carrier="twilio",
        external_account_id=DEFAULT_ACCOUNT_SID,
        credentials={"auth_token": DEFAULT_AUTH_TOKEN},
        base_url=world.emulator.url,
        messages_per_second=1000.0,
    )
    await world.telephony.phone_numbers.create(organization_id, OTHER_FROM, carrier_account_id=account.id)
    return organization_id


async def senders(world: World, count: int) -> Sequence[str]:
    """So many numbers of the tenant."""
    numbers = [FROM, *(f"+1202555{2000 + n}" for n in range(count - 1))]
    for number in numbers[1:]:
        await world.telephony.phone_numbers.create(world.organization_id, number, carrier_account_id=world.account_id)
    return numbers


@asynccontextmanager
async def silent_carrier() -> AsyncGenerator[str]:
    """The address of one that takes every request and answers none."""
    over = asyncio.Event()

    async def wait(_: web.Request) -> web.Response:
        await over.wait()
        return web.Response(status=500)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", wait)
    server = TestServer(application)
    await server.start_server()
    try:
        yield str(server.make_url("")).rstrip("/")
    finally:
        over.set()
        await server.close()


async def flood(world: World, numbers: Sequence[str], each: int) -> None:
    await asyncio.gather(
        *(
            world.telephony.messaging.place(NewText(world.organization_id, "api", TO, f"{n}", from_number=number))
            for number in numbers
            for n in range(each)
        )
    )


async def goes(world: World, organization_id: uuid.UUID) -> None:
    """A text of the neighbour's reaches the carrier."""
    message = await world.telephony.messaging.place(NewText(organization_id, "api", OTHER_TO, "Single"))

    async def gone() -> bool:
        return any(one["body"] == "Single" for one in await world.phone(OTHER_TO))

    await world.until(gone)
    assert message.status == "queued"


async def test_a_process_that_stands_still_with_a_lane_delays_no_others_post(
    world: World, neighbour: uuid.UUID, database: Database
) -> None:
    place = world.telephony.messaging.place
    await place(NewText(world.organization_id, "api", TO, "First"))
    async with database.system("a process that stands still") as connection:
        await connection.execute("select from lanes where carrier_account_id = $1 for update", world.account_id)
        behind = asyncio.create_task(place(NewText(world.organization_id, "api", TO, "Behind it")))
        await asyncio.wait_for(place(NewText(neighbour, "api", OTHER_TO, "Another's")), 1.5)
        with pytest.raises(Busy):
            await behind


async def test_what_the_gate_holds_is_held_in_a_few_looks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.execute("update carrier_accounts set messages_per_second = 1")
    async with world.database.tenant(world.organization_id) as connection:
        await connection.execute(
            'update organizations set settings = settings || \'{"texting": {"quiet_hours": null,'
            ' "recipient_daily_cap": null, "daily_segments": 3}}\'::jsonb'
        )
    judged = list[int]()
    judge = Gate.judge

    async def counted(gate: Gate, connection: Connection, messages: Sequence[Message]) -> Verdicts:
        judged.append(len(messages))
        return await judge(gate, connection, messages)

    monkeypatch.setattr(Gate, "judge", counted)
    await flood(world, [FROM], 150)

    async def all_held() -> bool:
        async with world.database.system("a test") as connection:
            held = await connection.fetchval("select count(*) from messages where hold_reason = 'daily_cap'")
        return held == 147

    async with world.working():
        await world.until(all_held)
    assert len(judged) < 10


async def test_looks_of_one_organization_leave_connections_to_others(
    world: World, neighbour: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.execute("update carrier_accounts set messages_per_second = 1")
    numbers = await senders(world, 16)  # more than a process has connections
    under_way = most = 0
    enough, go_on = asyncio.Event(), asyncio.Event()
    judge = Gate.judge

    async def slow(gate: Gate, connection: Connection, messages: Sequence[Message]) -> Verdicts:
        nonlocal under_way, most
        if messages[0].organization_id == world.organization_id:
            under_way += 1
            most = max(most, under_way)
            if under_way == pump.LOOKS_AT_ONCE:
                enough.set()
            await go_on.wait()
            under_way -= 1
        return await judge(gate, connection, messages)

    monkeypatch.setattr(Gate, "judge", slow)
    await flood(world, numbers, 1)
    async with world.working():
        await asyncio.wait_for(enough.wait(), 10)
        await goes(world, neighbour)
        go_on.set()
    assert most == pump.LOOKS_AT_ONCE


async def test_lanes_of_an_account_that_answers_nobody_wait_in_the_queue(
    world: World, neighbour: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump, "MAX_STAYING", 2)
    await world.execute("update carrier_accounts set messages_per_second = 1")
    async with silent_carrier() as url:
        accounts = world.telephony.inbox._accounts
        monkeypatch.setattr(accounts, "_allowed", addresses_of(url, world.emulator.url))
        await world.execute("update carrier_accounts set base_url = $1 where id = $2", url, world.account_id)
        await flood(world, await senders(world, MAX_PER_ACCOUNT + 10), 1)

        async def crowded() -> bool:
            async with world.database.system("a test") as connection:
                jobs = await connection.fetchval(
                    "select count(*) from pgqueuer where entrypoint = 'lanes.pump' and status = 'queued'"
                    " and execute_after > now()"
                )
            return jobs > pump.MAX_STAYING  # and none, if all of them stayed

        async with world.working():
            await world.until(crowded)
            await goes(world, neighbour)
