"""The store over a directory and over a real S3 server: the same promises of both."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fixtures.s3 import s3_running
from offhook.core.errors import ConfigurationError, Unavailable
from offhook.core.ids import new_id
from offhook.telephony.media.store import MediaPlace, MediaStore


@dataclass(frozen=True)
class Kept:
    store: MediaStore
    directory: Path
    """Where its files are."""

    def files(self) -> list[Path]:
        """Of media. An S3 server has files of its own."""
        found = (path for path in self.directory.rglob("*") if path.is_file())
        return [path for path in found if not any(part.startswith(".") for part in path.parts)]


@pytest.fixture(params=["directory", pytest.param("s3", marks=pytest.mark.ci)])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Kept]:
    if request.param == "directory":
        yield Kept(MediaStore(MediaPlace.directory(tmp_path / "media")), tmp_path / "media")
        return
    async with s3_running(tmp_path / "s3") as server:
        yield Kept(MediaStore(server.place()), server.directory)


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def read(store: MediaStore, media_id: uuid.UUID, start: int, end: int) -> bytes:
    found = await store.read(media_id, start, end)
    assert found is not None
    return b"".join([chunk async for chunk in found])


async def test_what_was_put_is_read_whole_and_in_ranges(kept: Kept) -> None:
    media_id, data = new_id(), os.urandom(300_000)
    await kept.store.put(media_id, chunks(*(data[at : at + 70_000] for at in range(0, len(data), 70_000))))
    assert await kept.store.find_size(media_id) == len(data)
    for start, end in ((0, len(data)), (0, 1), (len(data) - 1, len(data)), (65_535, 140_001)):
        assert await read(kept.store, media_id, start, end) == data[start:end]


async def test_more_than_one_part_of_s3_is_put_in_parts(kept: Kept) -> None:
    media_id, data = new_id(), os.urandom(12_000_000)
    await kept.store.put(media_id, chunks(*(data[at : at + 1_000_000] for at in range(0, len(data), 1_000_000))))
    assert await kept.store.find_size(media_id) == len(data)
    assert await read(kept.store, media_id, 5_242_870, 5_242_900) == data[5_242_870:5_242_900]


async def test_what_is_put_again_is_written_over(kept: Kept) -> None:
    media_id = new_id()
    await kept.store.put(media_id, chunks(b"first, and longer"))
    await kept.store.put(media_id, chunks(b"second"))
    assert await read(kept.store, media_id, 0, 6) == b"second"
    assert await kept.store.find_size(media_id) == 6


async def test_what_is_not_there_is_none_and_may_be_erased(kept: Kept) -> None:
    media_id = new_id()
    assert await kept.store.find_size(media_id) is None
    assert await kept.store.read(media_id, 0, 1) is None
    await kept.store.erase(media_id)


async def test_erased_is_gone_from_the_disk(kept: Kept) -> None:
    media_id = new_id()
    await kept.store.put(media_id, chunks(b"secret"))
    assert kept.files()
    await kept.store.erase(media_id)
    assert await kept.store.find_size(media_id) is None
    assert kept.files() == []


@pytest.mark.parametrize("size", [1000, 11_000_000])
async def test_an_upload_that_breaks_off_leaves_nothing(kept: Kept, size: int) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield b"x" * size
        raise ConnectionResetError("the sender is gone")

    media_id = new_id()
    with pytest.raises(ConnectionResetError):
        await kept.store.put(media_id, breaking())
    assert await kept.store.find_size(media_id) is None
    assert kept.files() == []


async def test_nothing_is_seen_before_the_last_byte(kept: Kept) -> None:
    media_id, last = new_id(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * 6_000_000
        await last.wait()
        yield b"end"

    putting = asyncio.ensure_future(kept.store.put(media_id, slow()))
    for _ in range(20):
        assert await kept.store.find_size(media_id) is None
        await asyncio.sleep(0.01)
    last.set()
    await putting
    assert await kept.store.find_size(media_id) == 6_000_003


async def test_many_at_once_do_not_meet(kept: Kept) -> None:
    ids = [new_id() for _ in range(30)]
    await asyncio.gather(*(kept.store.put(media_id, chunks(media_id.bytes * 5000)) for media_id in ids))
    for media_id in ids:
        assert await read(kept.store, media_id, 16, 32) == media_id.bytes


KILLED = """
import asyncio, sys, uuid
from pathlib import Path
from offhook.telephony.media.store import MediaPlace, MediaStore
async def endless():
    yield b"x" * 6_000_000
    print("written", flush=True)
    await asyncio.sleep(600)
    yield b""
asyncio.run(MediaStore(MediaPlace.directory(Path(sys.argv[1]))).put(uuid.UUID(sys.argv[2]), endless()))
"""


async def test_what_a_killed_process_leaves_behind_goes_when_it_is_erased(tmp_path: Path) -> None:
    media_id, place = new_id(), tmp_path / "media"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(place), str(media_id), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 20) == b"written\n"
    kept = Kept(MediaStore(MediaPlace.directory(place)), place)
    for _ in range(1000):
        if kept.files():
            break
        await asyncio.sleep(0.01)
    assert kept.files()
    process.send_signal(signal.SIGKILL)
    await process.wait()
    assert await kept.store.find_size(media_id) is None
    await kept.store.erase(media_id)
    assert kept.files() == []


async def test_the_api_process_does_not_load_the_library_to_start() -> None:
    script = "import sys, offhook.apps.api_process, offhook.apps.wiring; sys.exit('obstore' in sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    assert await process.wait() == 0


async def test_the_directory_is_its_owners_alone(tmp_path: Path) -> None:
    await MediaStore(MediaPlace.directory(tmp_path / "home" / "media")).put(new_id(), chunks(b"x"))
    assert (tmp_path / "home" / "media").stat().st_mode & 0o077 == 0


async def test_a_directory_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    with pytest.raises(Unavailable, match="OFFHOOK_MEDIA_URL"):
        await MediaStore(MediaPlace.directory(tmp_path / "file" / "media")).put(new_id(), chunks(b"x"))


async def test_a_directory_with_spaces_and_letters_of_any_script_is_taken(tmp_path: Path) -> None:
    media_id, store = new_id(), MediaStore(MediaPlace.directory(tmp_path / "médias % #1 ü"))
    await store.put(media_id, chunks(b"x"))
    assert await store.find_size(media_id) == 1


@pytest.mark.parametrize(
    "url", ["", "media", "/media", "file://host/media", "file:media", "s3://", "s3:///p", "gs://b", "s3://b?x=1"]
)
def test_an_address_of_neither_kind_is_the_operators_to_mend(url: str) -> None:
    with pytest.raises(ConfigurationError, match="OFFHOOK_MEDIA_URL"):
        MediaPlace(url)


def test_the_secret_is_not_shown() -> None:
    assert "hush" not in repr(MediaPlace("s3://b/p", s3_secret_access_key="hush"))


@pytest.mark.ci
@pytest.mark.parametrize("changed", [{"s3_secret_access_key": "wrong"}, {"url": "s3://no-such-bucket/p"}])
async def test_a_store_that_refuses_us_is_unavailable(tmp_path: Path, changed: dict[str, str]) -> None:
    async with s3_running(tmp_path / "s3") as server:
        place = server.place(**{name: value for name, value in changed.items() if name != "url"})
        if "url" in changed:
            place = MediaPlace(
                changed["url"], place.s3_endpoint, place.s3_region, place.s3_access_key_id, place.s3_secret_access_key
            )
        with pytest.raises(Unavailable, match="OFFHOOK_MEDIA_URL"):
            await MediaStore(place).put(new_id(), chunks(b"x"))


@pytest.mark.ci
async def test_a_store_that_is_away_is_unavailable_soon(tmp_path: Path) -> None:
    async with s3_running(tmp_path / "s3") as server:
        place = server.place()
    async with asyncio.timeout(20):
        with pytest.raises(Unavailable):
            await MediaStore(place).find_size(new_id())
