"""Where the bytes of media are: a directory, or a bucket of an S3-compatible store. PostgreSQL holds none of them.

What is written appears whole or not at all: obstore writes a file beside it and renames, and S3 shows an object when
its upload is complete. An object is never changed: its name is its medium's id.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from offhook.core.errors import ConfigurationError, Unavailable
from offhook.core.telemetry import get_logger

if TYPE_CHECKING:
    from obstore import GetResult
    from obstore.store import LocalStore, S3Store

_log = get_logger(__name__)

CHUNK_BYTES: Final = 64 * 1024
_S3_PART_BYTES: Final = 5 * 1024 * 1024
"""S3's smallest part of an upload in parts: what is smaller is held until it is whole, and goes in one request."""
_FILE_PART_BYTES: Final = 256 * 1024
"""Written to a file at once. 40 uploads of 5 MB at a time hold 4 MiB so; in parts of S3's size, 124 MiB (measured)."""
_TIMEOUT: Final = timedelta(seconds=30)
_CONNECT_TIMEOUT: Final = timedelta(seconds=5)
_RETRIES: Final = 2


@dataclass(frozen=True, slots=True)
class MediaPlace:
    """Where media are kept. Raises ConfigurationError for an address of neither kind."""

    url: str
    """`file:///path` or `s3://bucket/prefix`."""
    s3_endpoint: str | None = None
    """None: Amazon's."""
    s3_region: str | None = None
    s3_access_key_id: str | None = None
    """None: as Amazon's own tools find them (AWS_ACCESS_KEY_ID, a role of the machine)."""
    s3_secret_access_key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        good = (parts.scheme == "file" and not parts.netloc and parts.path.startswith("/")) or (
            parts.scheme == "s3" and parts.netloc
        )
        if not good or parts.query or parts.fragment:
            raise ConfigurationError("OFFHOOK_MEDIA_URL has the form file:///path/of/a/directory or s3://bucket/prefix")

    @classmethod
    def directory(cls, path: Path) -> MediaPlace:
        return cls(path.absolute().as_uri())

    @property
    def path(self) -> Path | None:
        """The directory, if it is one."""
        parts = urlsplit(self.url)
        return Path(unquote(parts.path)) if parts.scheme == "file" else None


class MediaStore:
    """Puts, reads and erases. Raises Unavailable where the place does not answer or refuses us; the log says why."""

    def __init__(self, place: MediaPlace) -> None:
        self._place = place
        self._part_bytes = _S3_PART_BYTES if place.path is None else _FILE_PART_BYTES
        self._opened: LocalStore | S3Store | None = None

    async def put(self, media_id: uuid.UUID, chunks: AsyncIterator[bytes]) -> None:
        """Store what comes; raises what `chunks` raises, and then nothing was stored."""
        import obstore

        store = await self._store()
        failures: list[BaseException] = []

        async def watched() -> AsyncIterator[bytes]:
            try:
                async for chunk in chunks:
                    yield chunk
            except BaseException as error:
                failures.append(error)
                raise

        try:
            with _translated():
                await obstore.put_async(store, _key(media_id), watched(), chunk_size=self._part_bytes)
        except (Unavailable, FileNotFoundError) as error:
            if failures:
                raise failures[0] from None
            raise _unavailable(error) from None

    async def find_size(self, media_id: uuid.UUID) -> int | None:
        """Bytes; None where there is no such medium, or no more."""
        import obstore

        try:
            with _translated():
                return (await obstore.head_async(await self._store(), _key(media_id)))["size"]
        except FileNotFoundError:
            return None

    async def read(self, media_id: uuid.UUID, start: int, end: int) -> AsyncIterator[bytes] | None:
        """The bytes from `start` up to `end`, which is not among them; `start` is below `end`, and `end` not past the
        size. None where there is no such medium."""
        import obstore

        try:
            with _translated():
                found = await obstore.get_async(await self._store(), _key(media_id), options={"range": (start, end)})
        except FileNotFoundError:
            return None
        return _chunks(found)

    async def erase(self, media_id: uuid.UUID) -> None:
        """Nothing of it is left, also not of an attempt to store it that was cut short; it need not be there."""
        import obstore

        with suppress(FileNotFoundError), _translated():
            await obstore.delete_async(await self._store(), _key(media_id))
        if self._place.path is not None:
            await asyncio.to_thread(_remove_drafts, self._place.path / _key(media_id))

    async def _store(self) -> LocalStore | S3Store:
        if self._opened is None:
            # Loading the library takes 16 ms (measured) and a directory is touched: not in the loop's time.
            self._opened = await asyncio.to_thread(_open, self._place)
        return self._opened


def _open(place: MediaPlace) -> LocalStore | S3Store:
    from obstore.store import LocalStore, S3Store

    directory = place.path
    if directory is not None:
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unavailable(error) from None
        return LocalStore(directory)
    parts = urlsplit(place.url)
    given = {
        "endpoint": place.s3_endpoint,
        "region": place.s3_region,
        "access_key_id": place.s3_access_key_id,
        "secret_access_key": place.s3_secret_access_key,
    }
    return S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        config={name: value for name, value in given.items() if value is not None},  # pyright: ignore[reportArgumentType]
        client_options={
            "timeout": _TIMEOUT,
            "connect_timeout": _CONNECT_TIMEOUT,
            "allow_http": (place.s3_endpoint or "").startswith("http://"),
        },
        retry_config={"max_retries": _RETRIES, "retry_timeout": _TIMEOUT},
    )


def _key(media_id: uuid.UUID) -> str:
    """Ids that were made together differ in their ends: 256 directories of about the same size."""
    return f"{media_id.hex[-2:]}/{media_id}"


async def _chunks(found: GetResult) -> AsyncIterator[bytes]:
    with _translated():
        async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
            yield bytes(chunk)


@contextmanager
def _translated() -> Generator[None]:
    """The library's errors as Unavailable, but for FileNotFoundError."""
    from obstore.exceptions import BaseError

    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError, ValueError) as error:
        raise _unavailable(error) from None


def _remove_drafts(path: Path) -> None:
    """A process that is killed while it writes leaves `<name>#<number>` beside the name."""
    for draft in path.parent.glob(f"{path.name}#*"):
        draft.unlink(missing_ok=True)


def _unavailable(error: BaseException) -> Unavailable:
    # Without the error's words: S3's may quote a request with its signature.
    _log.error("media_store_failed", error_type=type(error).__name__)
    return Unavailable(
        "The media store does not answer: its operator should look at OFFHOOK_MEDIA_URL.",
        code="media_store_unavailable",
        retry_after_seconds=5.0,
    )
