"""Lanes shared by several processes, a database that goes away, and twins that are still in flight."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from fixtures.telephony import FROM, TO, World, post_directly
from offhook.core.db.jobs import RetryLater
from offhook.core.db.pool import Database
from offhook.core.errors import Effect
from offhook.emulator import DEFAULT_ACCOUNT_SID
from offhook.secrets import KeyRing
from offhook.secrets.envelope import Sealer
from offhook.telephony.assembly import create_telephony
from offhook.telephony.media.part import MediaOptions
from offhook.telephony.media.store import MediaPlace
from offhook.telephony.messages.models import NewText


async def test_two_processes_reckon_with_each_others_texts_on_one_lane(
    world: World, database_dsn: str, ring: KeyRing, tmp_path: Path
) -> None:
    await world.execute("update carrier_accounts set messages_per_second = 50")
    other_database = Database(database_dsn, application_name="another-process")
    await other_database.open()
    other = create_telephony(
        other_database,
        Sealer(other_database, ring),
        public_url=None,
        reconcile_gap_seconds=1.0,
        media=MediaOptions(MediaPlace.directory(tmp_path / "media"), ring),
    )
    texts = [NewText(world.organization_id, "api", TO, f"Text {n}") for n in range(30)]
    try:
        placed = await asyncio.gather(
            *(world.telephony.messaging.place(text) for text in texts),
            *(other.messaging.place(text) for text in texts),
        )
    finally:
        await other.close()
        await other_database.close()
    for texts_of_one in (placed[:30], placed[30:]):
        slots = sorted(message.send_at for message in texts_of_one)
        assert min((after - before).total_seconds() for before, after in itertools.pairwise(slots)) >= 0.0199
    # Estimates that two make at the same moment may be the same; what waits is counted in any case.
    async with world.database.system("a test") as connection:
        backlog = await connection.fetchval(
            "select extract(epoch from backlog_until - $1)::float8 from lanes where sender = $2",
            min(message.send_at for message in placed),
            placed[0].sender,
        )
    assert backlog >= 60 * 0.02 - 0.001  # and what nobody used meanwhile


async def test_an_outcome_waits_for_a_database_that_is_away(world: World, superuser_dsn: str) -> None:
    await world.fault("latency", seconds=0.5)
    asking = asyncio.create_task(world.telephony.messaging.text(world.wish("Kept in mind")))

    async def arrived() -> bool:
        return bool(world.emulator.store.messages) or any(m.status == "sending" for m in await world.messages())

    await world.until(arrived)
    connection = await asyncpg.connect(superuser_dsn)
    name = await connection.fetchval("select current_database()")
    outside = await asyncpg.connect(superuser_dsn.replace(name, "postgres"))
    await connection.close()
    await outside.execute(f'alter database "{name}" with allow_connections false')
    await outside.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name)
    await _something_arrives(world)
    await outside.execute(f'alter database "{name}" with allow_connections true')
    await outside.close()
    receipt = await asyncio.wait_for(asking, 15)
    message = await world.until_status(receipt.message_id, "accepted", "sent", "delivered")
    assert message.attempt == 1
    assert len(await world.phone()) == 1


async def test_nobody_claims_a_text_that_may_be_that_of_a_twin_in_flight(world: World) -> None:
    unknown, in_flight = [
        await world.telephony.messaging.place(NewText(world.organization_id, "api", TO, "Twin")) for _ in range(2)
    ]
    await world.execute("delete from pgqueuer")
    await world.execute("update messages set status = 'sending', attempt = 1, attempt_started_at = clock_timestamp()")
    await world.execute(
        "update messages set attempt_started_at = now() - interval '1 minute', outcome_unknown_since = now()"
        " where id = $1",
        unknown.id,
    )
    await post_directly(world, "Twin")
    reconcile = world.telephony.job_handlers["messages.reconcile"]
    with pytest.raises(RetryLater):
        await reconcile(unknown.id.bytes)
    assert (await world.message(unknown.id)).carrier_message_id is None
    assert (await world.message(unknown.id)).empty_listings == 0
    await post_directly(world, "Twin")
    with suppress(RetryLater):  # found, and followed to its delivery
        await reconcile(unknown.id.bytes)
    assert (await world.message(unknown.id)).carrier_message_id is not None
    assert (await world.message(in_flight.id)).carrier_message_id is None


async def test_an_answer_that_a_twin_was_given_makes_the_two_trade_places(world: World) -> None:
    unknown = await world.telephony.messaging.place(NewText(world.organization_id, "api", TO, "Twin"))
    await world.execute("delete from pgqueuer")
    sid = await post_directly(world, "Twin")
    await world.execute(
        "update messages set status = 'accepted', attempt = 1, carrier_message_id = $2,"
        " attempt_started_at = now() - interval '1 minute' where id = $1",
        unknown.id,
        sid,
    )
    late = await world.telephony.messaging.place(NewText(world.organization_id, "api", TO, "Twin"))
    await world.execute("update messages set status = 'sending', attempt = 1 where id = $1", late.id)
    sending = world.telephony.messaging._attempts._sending
    account = await sending._accounts.get_open(world.account_id)
    carrier = sending._accounts.carrier(account.carrier)
    answer = await carrier.get_message(account, sid)
    await sending._accepted(await world.message(late.id), answer, carrier)
    message = await world.message(late.id)
    assert (message.status, message.carrier_message_id) == ("sending", None)
    assert message.outcome_unknown_since is not None
    assert (await world.message(unknown.id)).carrier_message_id == sid


async def test_a_late_answer_of_an_older_attempt_changes_nothing(world: World) -> None:
    placed = await world.telephony.messaging.place(NewText(world.organization_id, "api", TO, "Fenced"))
    await world.execute("delete from pgqueuer")
    await world.execute("update messages set status = 'sending', attempt = 1")
    first = await world.message(placed.id)
    await world.execute("update messages set attempt = 2")
    sid = await post_directly(world, "Fenced")
    sending = world.telephony.messaging._attempts._sending
    account = await sending._accounts.get_open(world.account_id)
    carrier = sending._accounts.carrier(account.carrier)
    await sending._accepted(first, await carrier.get_message(account, sid), carrier)
    assert (await world.message(placed.id)).carrier_message_id is None


async def test_one_organizations_flood_does_not_delay_anothers_text(
    world: World, other_organization: uuid.UUID
) -> None:
    await world.execute("update carrier_accounts set messages_per_second = 1")
    texts = [NewText(world.organization_id, "api", TO, f"Flood {n}") for n in range(50)]
    await asyncio.gather(*(world.telephony.messaging.place(text) for text in texts))
    other = await world.telephony.carrier_accounts.create(
        other_organization,
        carrier="twilio",
        external_account_id=DEFAULT_ACCOUNT_SID,
        credentials={"auth_token": "0ff400c0ffee0000emulator0000token"},
        base_url=world.emulator.url,
    )
    await world.telephony.phone_numbers.create(other_organization, FROM, carrier_account_id=other.id)
    wish = world.wish("Mine")
    object.__setattr__(wish, "organization_id", other_organization)
    async with world.working():
        receipt = await asyncio.wait_for(world.telephony.messaging.text(wish), 5)
    assert receipt.effect is Effect.DONE


async def _something_arrives(world: World) -> None:
    """The emulator has a text; asked in its memory, because the database is away."""
    arrived = asyncio.Event()
    unsubscribe = world.emulator.store.subscribe(arrived.set)
    try:
        if not world.emulator.store.messages:
            await asyncio.wait_for(arrived.wait(), 5)
    finally:
        unsubscribe()
