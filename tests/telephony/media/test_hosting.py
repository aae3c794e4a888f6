"""The signed addresses, as carriers and browsers ask them, over a real socket."""

from __future__ import annotations

import asyncio
import os
import uuid
from pathlib import Path
from urllib.parse import quote

import pytest
from yarl import URL

from fixtures.media import PUBLIC_URL, SAMPLES, MediaRoom, media_room, png
from offhook.core.clock import ManualClock
from offhook.core.db.pool import Database
from offhook.secrets import KeyRing

PICTURE = png(padding=3000)


async def address(room: MediaRoom, data: bytes = PICTURE, content_type: str = "image/png", name: str = "a.png") -> str:
    """The path below our origin."""
    url = (await room.upload(data, content_type, quote(name, safe="")))["url"]
    assert url.startswith(PUBLIC_URL)
    return url.removeprefix(PUBLIC_URL)


async def ask(room: MediaRoom, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    url = URL(room.api.base + path, encoded=True)
    async with room.api.session.request(method, url, headers=sent) as response:
        return response.status, {name.lower(): value for name, value in response.headers.items()}, await response.read()


async def test_a_medium_is_served_as_it_was_sent_with_what_a_browser_must_know(room: MediaRoom) -> None:
    status, headers, body = await ask(room, await address(room))
    assert (status, body) == (200, PICTURE)
    assert headers["content-type"] == "image/png"
    assert headers["content-length"] == str(len(PICTURE))
    assert headers["accept-ranges"] == "bytes"
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]
    assert headers["content-disposition"] == "inline; filename=\"a.png\"; filename*=UTF-8''a.png"
    assert headers["cache-control"] == "private, no-cache"
    assert "set-cookie" not in headers


async def test_a_head_tells_the_same_without_the_bytes(room: MediaRoom) -> None:
    path = await address(room)
    got, told = await ask(room, path), await ask(room, path, "HEAD")
    assert (told[0], told[2]) == (200, b"")
    changing = {"date", "x-request-id"}
    assert {k: v for k, v in told[1].items() if k not in changing} == {
        k: v for k, v in got[1].items() if k not in changing
    }


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=10-", 10, len(PICTURE)),
        ("Bytes=10-19", 10, 20),
        (f"bytes=10-{10**30}", 10, len(PICTURE)),
        ("bytes=-5", len(PICTURE) - 5, len(PICTURE)),
        ("bytes=-999999", 0, len(PICTURE)),
        ("bytes=0-999999", 0, len(PICTURE)),
        (f"bytes=0-{len(PICTURE) - 1}", 0, len(PICTURE)),
    ],
)
async def test_a_range_is_served_by_itself(room: MediaRoom, wanted: str, start: int, end: int) -> None:
    status, headers, body = await ask(room, await address(room), range=wanted)
    assert (status, body) == (206, PICTURE[start:end])
    assert headers["content-range"] == f"bytes {start}-{end - 1}/{len(PICTURE)}"
    assert headers["content-length"] == str(end - start)


@pytest.mark.parametrize("wanted", [f"bytes={len(PICTURE)}-", "bytes=99999-100000", f"bytes={10**30}-", "bytes=-0"])
async def test_a_range_that_lies_outside_is_told_the_size(room: MediaRoom, wanted: str) -> None:
    status, headers, body = await ask(room, await address(room), range=wanted)
    assert (status, body, headers["content-range"]) == (416, b"", f"bytes */{len(PICTURE)}")


@pytest.mark.parametrize(
    "wanted", ["bytes=0-1,5-6", "items=0-1", "bytes", "bytes=a-b", "bytes=0-1-2", "bytes=١-٢", "bytes=5-4", "bytes=-"]
)
async def test_what_is_no_single_range_gets_everything(room: MediaRoom, wanted: str) -> None:
    path = await address(room)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(room.api.base.rpartition(":")[2]))
    writer.write(
        f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nrange: ".encode() + wanted.encode() + b"\r\n\r\n"
    )
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(PICTURE)


async def test_what_a_reader_has_already_is_not_sent_again(room: MediaRoom) -> None:
    path = await address(room)
    etag = (await ask(room, path))[1]["etag"]
    for condition in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        status, headers, body = await ask(room, path, if_none_match=condition)
        assert (status, body, headers["etag"]) == (304, b"", etag)
    assert (await ask(room, path, if_none_match='"other"'))[0] == 200
    assert (await ask(room, path, range="bytes=0-0", if_range=etag))[0] == 206
    assert (await ask(room, path, range="bytes=0-0", if_range='"other"'))[0] == 200


async def test_an_address_that_we_did_not_give_is_forbidden(room: MediaRoom) -> None:
    path = await address(room)
    _, media, media_id, expires, signature, name = path.split("/")
    forged = [
        f"/{media}/{uuid.uuid4()}/{expires}/{signature}/{name}",
        f"/{media}/{media_id.upper()}/{expires}/{signature}/{name}",
        f"/{media}/{media_id}/{int(expires) + 1}/{signature}/{name}",
        f"/{media}/{media_id}/0{expires}/{signature}/{name}",
        f"/{media}/{media_id}/{expires}/{signature[:-2]}/{name}",
        f"/{media}/{media_id}/{expires}/{signature}/a.html",
        f"/{media}/..%2f..%2fetc/{expires}/{signature}/{name}",
        f"/{media}/{media_id}/{expires}/%00/{name}",
        f"/{media}/{media_id}/{expires}/%ff%fe/{name}",
    ]
    for other in forged:
        status, headers, _ = await ask(room, other)
        assert status in (403, 404), other
        assert headers["content-type"].startswith("application/problem+json")
    assert (await room.anonymous.get(forged[0])).json["code"] == "bad_signature"


async def test_an_address_is_good_for_its_time_and_then_gone(
    database: Database, organization: uuid.UUID, other_organization: uuid.UUID, ring: KeyRing, tmp_path: Path
) -> None:
    clock = ManualClock()
    async with media_room(database, organization, other_organization, ring, tmp_path, clock=clock) as room:
        path = await address(room)
        assert (await ask(room, path))[0] == 200
        await clock.advance(3601)
        answer = await room.anonymous.get(path)
        assert (answer.status, answer.json["code"]) == (410, "medium_expired")


async def test_what_was_erased_is_not_found(room: MediaRoom) -> None:
    path = await address(room)
    media_id = path.split("/")[2]
    assert (await room.api.delete(f"/api/media/{media_id}")).status == 204
    answer = await room.anonymous.get(path)
    assert (answer.status, answer.json["code"]) == (404, "medium_not_found")


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Grüße aus Köln.png", "Gr__e aus K_ln.png"),
        ('a"; filename="b.exe.png', "a filename b.exe.png"),
        ("料理.png", "__.png"),
        ("100% sure.png", "100 sure.png"),
    ],
)
async def test_a_file_may_have_an_odd_name(room: MediaRoom, name: str, plain: str) -> None:
    status, headers, body = await ask(room, await address(room, name=name))
    assert (status, body) == (200, PICTURE)
    shown = headers["content-disposition"]
    assert shown.startswith(f"inline; filename=\"{plain}\"; filename*=UTF-8''")
    assert shown.isascii()


@pytest.mark.parametrize("content_type", ["application/pdf", "text/vcard", "text/plain", "text/rtf"])
async def test_what_a_browser_could_run_or_render_is_a_download(room: MediaRoom, content_type: str) -> None:
    _, headers, _ = await ask(room, await address(room, SAMPLES[content_type], content_type))
    assert headers["content-disposition"].startswith("attachment; ")
    assert headers["content-type"] == content_type


async def test_media_are_served_while_the_database_is_away(room: MediaRoom, database: Database) -> None:
    path = await address(room)
    await database.close()
    assert (await ask(room, path))[2] == PICTURE


async def test_a_store_that_fails_is_unavailable_and_asked_again_later(room: MediaRoom) -> None:
    path = await address(room)
    (file,) = room.files()
    file.unlink()
    file.mkdir()
    status, headers, _ = await ask(room, path)
    assert (status, "retry-after" in headers) in ((503, True), (404, False))


async def test_a_large_medium_is_streamed_to_many_at_once(room: MediaRoom) -> None:
    data = png(padding=4_000_000) + os.urandom(100_000)
    path = await address(room, data)
    found = await asyncio.gather(*(ask(room, path) for _ in range(8)))
    assert all(body == data for _, _, body in found)
