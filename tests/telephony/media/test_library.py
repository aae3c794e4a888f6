"""Uploads: kept, listed, read, erased; and what is left behind when something breaks."""

from __future__ import annotations

import asyncio
import hashlib
import io
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fixtures.media import JPEG, SAMPLES, MediaRoom, media_room, png
from offhook.core.clock import ManualClock
from offhook.core.db.pool import Database
from offhook.core.errors import Unavailable
from offhook.secrets import KeyRing
from offhook.telephony.media import library
from offhook.telephony.media.library import MAX_UPLOAD_BYTES, REVIEW, UNUSED_DAYS


async def test_an_upload_is_kept_and_read_back(room: MediaRoom) -> None:
    made = await room.upload(png(), "image/png", "menu.png")
    assert made["sha256"] == hashlib.sha256(png()).hexdigest()
    assert {name: made[name] for name in ("origin", "content_type", "size_bytes", "filename", "erased_at")} == {
        "origin": "upload",
        "content_type": "image/png",
        "size_bytes": len(png()),
        "filename": "menu.png",
        "erased_at": None,
    }
    assert (await room.api.get(f"/api/media/{made['id']}")).json["medium"]["sha256"] == made["sha256"]
    assert [medium["id"] for medium in (await room.api.get("/api/media")).json["media"]] == [made["id"]]
    assert [file.read_bytes() for file in room.files()] == [png()]


async def test_the_list_comes_in_pages_newest_first(room: MediaRoom) -> None:
    made = [(await room.upload(png()))["id"] for _ in range(3)]
    first = (await room.api.get("/api/media?limit=2")).json
    rest = (await room.api.get(f"/api/media?limit=2&cursor={first['next_cursor']}")).json
    assert [medium["id"] for medium in first["media"] + rest["media"]] == made[::-1]
    assert rest["next_cursor"] is None


async def test_another_organizations_medium_is_not_found(room: MediaRoom) -> None:
    made = await room.upload(png())
    for method in ("GET", "DELETE"):
        answer = await room.other_api.send(method, f"/api/media/{made['id']}")
        assert (answer.status, answer.json["code"]) == (404, "medium_not_found")
    assert (await room.other_api.get("/api/media")).json["media"] == []
    assert (await room.api.get(f"/api/media/{made['id']}")).status == 200


async def test_a_key_that_reads_uploads_and_erases_nothing(room: MediaRoom) -> None:
    made = await room.upload(png())
    answer = await room.reader_api.send("POST", "/api/media", data=png(), headers={"content-type": "image/png"})
    assert (answer.status, answer.json["code"]) == (403, "scope_missing")
    assert (await room.reader_api.delete(f"/api/media/{made['id']}")).status == 403
    assert (await room.anonymous.send("POST", "/api/media", data=png())).status == 401
    assert len(room.files()) == 1


@pytest.mark.parametrize(
    ("data", "content_type", "code"),
    [
        (b"", "image/png", "medium_empty"),
        (b"<html><script>alert(1)</script>", "image/jpeg", "medium_type_unknown"),
        (JPEG, "image/png", "medium_type_mismatch"),
        (b"MZ\x90\x00", "image/png", "medium_type_unknown"),
        (b"<svg onload='alert(1)'/>", "image/svg+xml", "medium_type_unknown"),
    ],
)
async def test_what_cannot_be_texted_is_refused_and_not_kept(
    room: MediaRoom, data: bytes, content_type: str, code: str
) -> None:
    answer = await room.api.send("POST", "/api/media", data=data, headers={"content-type": content_type})
    assert (answer.status, answer.json["code"]) == (422, code)
    assert room.files() == []
    assert await room.fetch("select id from media") == []


async def test_more_than_a_carrier_takes_is_refused_by_its_length_and_while_it_comes(room: MediaRoom) -> None:
    big = png() + bytes(MAX_UPLOAD_BYTES)
    answer = await room.api.send("POST", "/api/media", data=io.BytesIO(big), headers={"content-type": "image/png"})
    assert (answer.status, answer.json["code"]) == (413, "too_large")

    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield png()
        while sent < 50 * MAX_UPLOAD_BYTES:
            sent += 65536
            yield bytes(65536)

    try:
        answer = await room.api.send("POST", "/api/media", data=endless(), headers={"content-type": "image/png"})
        assert (answer.status, answer.json["code"]) == (413, "too_large")
    except OSError:
        pass  # the connection was closed while we were still sending
    assert sent < 50 * MAX_UPLOAD_BYTES
    assert room.files() == []


async def test_exactly_as_much_as_a_carrier_takes_is_kept(room: MediaRoom) -> None:
    data = png() + bytes(MAX_UPLOAD_BYTES - len(png()))
    assert (await room.upload(data))["size_bytes"] == MAX_UPLOAD_BYTES


async def test_other_routes_keep_their_smaller_limit(room: MediaRoom) -> None:
    answer = await room.api.send("POST", "/api/organizations", data=b"x" * 100_000)
    assert answer.status == 413
    answer = await room.api.send("PUT", "/api/media", data=b"x" * 100_000)
    assert answer.status == 413


async def test_an_upload_that_breaks_off_is_not_kept(room: MediaRoom) -> None:
    port = int(room.api.base.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    key = room.api.headers["authorization"]
    head = f"POST /api/media HTTP/1.1\r\nhost: x\r\nauthorization: {key}\r\ncontent-length: 200000\r\n\r\n"
    writer.write(head.encode() + png() + bytes(100_000))
    await writer.drain()
    async with asyncio.timeout(10):
        while not await room.jobs(REVIEW):  # noqa: ASYNC110 (what is waited for is a row)
            await asyncio.sleep(0.01)
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.2)
    assert room.files() == []
    assert await room.fetch("select id from media") == []


@pytest.mark.parametrize("name", ["a" * 201, "a%00b", "%ed%a0%80"])
async def test_a_name_that_cannot_be_stored_is_refused_or_made_storable(room: MediaRoom, name: str) -> None:
    answer = await room.api.send(
        "POST", f"/api/media?filename={name}", data=png(), headers={"content-type": "image/png"}
    )
    assert answer.status in (201, 422)
    if answer.status == 422:
        assert answer.json["errors"][0]["path"] == "filename"


async def test_erased_media_lose_bytes_name_and_address_and_keep_their_row(room: MediaRoom) -> None:
    made = await room.upload(png(), filename="ada.png")
    assert (await room.api.delete(f"/api/media/{made['id']}")).status == 204
    assert room.files() == []
    left = (await room.api.get(f"/api/media/{made['id']}")).json["medium"]
    assert (left["filename"], left["url"], left["content_type"]) == (None, None, "image/png")
    assert left["erased_at"] is not None
    assert (await room.api.delete(f"/api/media/{made['id']}")).status == 204


@pytest.mark.parametrize(
    ("columns", "status"),
    [
        ({"status": "queued"}, 409),
        ({"status": "sending"}, 409),
        ({"status": "accepted", "minutes": 5}, 409),
        ({"status": "accepted", "minutes": 25 * 60}, 204),
        ({"status": "sent", "minutes": 5}, 204),
        ({"status": "delivered", "minutes": 5}, 204),
        ({"status": "failed"}, 204),
        ({"status": "canceled"}, 204),
    ],
)
async def test_what_a_carrier_may_still_come_for_is_not_erased(
    room: MediaRoom, columns: dict[str, Any], status: int
) -> None:
    made = await room.upload(png())
    minutes = columns.pop("minutes", None)
    message_id = await room.message(**columns)
    if minutes is not None:
        await room.execute(
            "update messages set sent_at = now() - make_interval(mins => $2) where id = $1", message_id, minutes
        )
    await room.carry(message_id, made["id"])
    answer = await room.api.delete(f"/api/media/{made['id']}")
    assert answer.status == status
    assert len(room.files()) == (1 if status == 409 else 0)
    if status == 409:
        assert answer.json["code"] == "medium_in_use"


async def test_an_erasure_that_the_store_did_not_hear_is_made_good_by_a_job(
    room: MediaRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await room.upload(png())

    async def away(_: object, __: uuid.UUID) -> None:
        raise Unavailable("away", code="media_store_unavailable")

    with monkeypatch.context() as patched:
        patched.setattr("offhook.telephony.media.store.MediaStore.erase", away)
        assert (await room.api.delete(f"/api/media/{made['id']}")).status == 204
    assert len(room.files()) == 1
    await room.run(REVIEW, (await room.jobs(REVIEW))[-1])
    assert room.files() == []


async def test_bytes_that_no_row_knows_are_swept_up(room: MediaRoom) -> None:
    """The process died between the store and the database."""
    made = await room.upload(png())
    [job] = await room.jobs(REVIEW)
    await room.execute("delete from media")
    assert job == {"organization_id": str(room.organization_id), "media_id": made["id"]}
    await room.run(REVIEW, job)
    assert room.files() == []


async def test_an_upload_that_no_text_carries_goes_after_its_time(
    database: Database, organization: uuid.UUID, other_organization: uuid.UUID, ring: KeyRing, tmp_path: Path
) -> None:
    clock = ManualClock()
    async with media_room(database, organization, other_organization, ring, tmp_path, clock=clock) as room:
        unused, used = await room.upload(png()), await room.upload(SAMPLES["image/gif"], "image/gif")
        await room.carry(await room.message(status="delivered"), used["id"], "image/gif")
        jobs = await room.jobs(REVIEW)
        for job in jobs:
            await room.run(REVIEW, job)
        assert len(room.files()) == 2
        assert len(await room.jobs(REVIEW)) == 3  # the unused one is looked at again
        await clock.advance(timedelta(days=UNUSED_DAYS).total_seconds() + 1)
        for job in jobs:
            await room.run(REVIEW, job)
        assert [file.read_bytes() for file in room.files()] == [SAMPLES["image/gif"]]
        assert (await room.api.get(f"/api/media/{unused['id']}")).json["medium"]["erased_at"] is not None


async def test_a_body_that_only_drips_is_not_waited_for(room: MediaRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "UPLOAD_SECONDS", 0.2)

    async def dripping() -> AsyncIterator[bytes]:
        yield png()[:10]
        await asyncio.sleep(30)

    answer = await room.api.send("POST", "/api/media", data=dripping(), headers={"content-type": "image/png"})
    assert (answer.status, answer.json["code"]) == (400, "incomplete_body")
    for _ in range(500):  # the library clears its draft away in a thread of its own
        if not room.files():
            break
        await asyncio.sleep(0.01)
    assert room.files() == []


async def test_the_bytes_of_an_organization_that_is_deleted_go_too(room: MediaRoom) -> None:
    unused, carried = await room.upload(png()), await room.upload(JPEG, "image/jpeg")
    await room.carry(await room.message(status="delivered"), carried["id"], "image/jpeg")
    before = await room.jobs(REVIEW)
    await room.execute("delete from message_media")
    await room.execute("delete from messages")
    await room.execute("delete from organizations where id = $1", room.organization_id)
    told = (await room.jobs(REVIEW))[len(before) :]
    assert {job["media_id"] for job in told} == {unused["id"], carried["id"]}
    for job in told:
        await room.run(REVIEW, job)
    assert room.files() == []


async def test_a_review_of_an_organization_that_is_gone_erases_its_bytes(room: MediaRoom) -> None:
    made = await room.upload(png())
    await room.run(REVIEW, {"organization_id": str(uuid.uuid4()), "media_id": made["id"]})
    assert room.files() == []
