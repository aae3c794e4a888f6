from __future__ import annotations

import asyncio
import uuid

import pytest

from offhook.core.clock import ManualClock
from offhook.core.db.pool import Database
from offhook.core.errors import ConfigurationError, NotFound
from offhook.core.ids import new_id
from offhook.secrets import KeyRing, Sealer
from offhook.secrets.envelope import CACHED_SECONDS
from offhook.secrets.keyring import wrapped_by

K1, K2 = bytes(range(32)), bytes(range(1, 33))
ROW = new_id()


@pytest.fixture
def sealer(database: Database, ring: KeyRing) -> Sealer:
    return Sealer(database, ring)


async def _data_key(database: Database, organization_id: uuid.UUID) -> bytes:
    async with database.tenant(organization_id) as connection:
        return await connection.fetchval("select data_key from organizations where id = $1", organization_id)


async def test_what_was_sealed_opens_at_its_place(sealer: Sealer, organization: uuid.UUID) -> None:
    sealed = await sealer.seal(organization, "agent_tools", ROW, "sensitive_config", b"hunter2")
    assert b"hunter2" not in sealed
    assert await sealer.open(organization, "agent_tools", ROW, "sensitive_config", sealed) == b"hunter2"


async def test_the_same_value_is_sealed_differently_each_time(sealer: Sealer, organization: uuid.UUID) -> None:
    sealed = {await sealer.seal(organization, "t", ROW, "f", b"hunter2") for _ in range(3)}
    assert len(sealed) == 3


@pytest.mark.parametrize(
    ("table", "row", "field"), [("tools", ROW, "f"), ("t", new_id(), "f"), ("t", ROW, "other_field")]
)
async def test_a_value_moved_to_another_place_does_not_open(
    sealer: Sealer, organization: uuid.UUID, table: str, row: uuid.UUID, field: str
) -> None:
    sealed = await sealer.seal(organization, "t", ROW, "f", b"hunter2")
    with pytest.raises(ConfigurationError) as caught:
        await sealer.open(organization, table, row, field, sealed)
    assert caught.value.code == "secret_unreadable"
    assert "Set the value again" in caught.value.detail


async def test_a_value_moved_to_another_organization_does_not_open(
    sealer: Sealer, organization: uuid.UUID, other_organization: uuid.UUID
) -> None:
    sealed = await sealer.seal(organization, "t", ROW, "f", b"hunter2")
    await sealer.seal(other_organization, "t", ROW, "f", b"its own")
    with pytest.raises(ConfigurationError):
        await sealer.open(other_organization, "t", ROW, "f", sealed)


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x09" + bytes(60), bytes(60)])
async def test_what_was_never_sealed_does_not_open(sealer: Sealer, organization: uuid.UUID, sealed: bytes) -> None:
    await sealer.seal(organization, "t", ROW, "f", b"hunter2")
    with pytest.raises(ConfigurationError) as caught:
        await sealer.open(organization, "t", ROW, "f", sealed)
    assert caught.value.code == "secret_unreadable"


async def test_many_processes_that_seal_first_share_one_data_key(
    database: Database, ring: KeyRing, organization: uuid.UUID
) -> None:
    sealers = [Sealer(database, ring) for _ in range(6)]
    sealed = await asyncio.gather(*(each.seal(organization, "t", ROW, "f", b"x") for each in sealers))
    for each in sealers:
        assert {await each.open(organization, "t", ROW, "f", value) for value in sealed} == {b"x"}


async def test_a_deleted_data_key_shreds_what_it_sealed(
    database: Database, ring: KeyRing, organization: uuid.UUID
) -> None:
    clock = ManualClock()
    sealer = Sealer(database, ring, clock=clock)
    sealed = await sealer.seal(organization, "t", ROW, "f", b"hunter2")
    async with database.tenant(organization) as connection:
        await connection.execute("update organizations set data_key = null where id = $1", organization)
    await clock.advance(CACHED_SECONDS + 1)
    with pytest.raises(ConfigurationError, match="deleted"):
        await sealer.open(organization, "t", ROW, "f", sealed)
    await sealer.seal(organization, "t", ROW, "f", b"new")
    with pytest.raises(ConfigurationError, match="no longer has"):
        await sealer.open(organization, "t", ROW, "f", sealed)


async def test_rotation_rewraps_data_keys_and_leaves_sealed_values_alone(
    database: Database, organization: uuid.UUID, other_organization: uuid.UUID
) -> None:
    old = Sealer(database, KeyRing({"k1": K1}, b""))
    sealed = await old.seal(organization, "t", ROW, "f", b"hunter2")
    both = Sealer(database, KeyRing({"k2": K2, "k1": K1}, b""))
    assert (await both.rotate(), await both.rotate()) == (1, 0)
    assert wrapped_by(await _data_key(database, organization)) == "k2"
    alone = Sealer(database, KeyRing({"k2": K2}, b""))
    assert await alone.open(organization, "t", ROW, "f", sealed) == b"hunter2"


async def test_a_master_key_that_is_gone_is_named(database: Database, organization: uuid.UUID) -> None:
    await Sealer(database, KeyRing({"first": K1}, b"")).seal(organization, "t", ROW, "f", b"hunter2")
    with pytest.raises(ConfigurationError, match="'first'") as caught:
        await Sealer(database, KeyRing({"second": K2}, b"")).seal(organization, "t", ROW, "f", b"x")
    assert caught.value.code == "secret_unreadable"


async def test_a_master_key_that_lost_its_value_is_no_key(database: Database, organization: uuid.UUID) -> None:
    await Sealer(database, KeyRing({"k1": K1}, b"")).seal(organization, "t", ROW, "f", b"hunter2")
    with pytest.raises(ConfigurationError, match="lost its value"):
        await Sealer(database, KeyRing({"k1": K2}, b"")).seal(organization, "t", ROW, "f", b"x")


async def test_there_is_nothing_to_seal_for_an_organization_that_is_not_there(sealer: Sealer) -> None:
    with pytest.raises(NotFound):
        await sealer.seal(uuid.uuid4(), "t", ROW, "f", b"x")
