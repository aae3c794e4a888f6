"""`GET /media/…`: media for whoever holds a signed address. It asks no database: the address tells all but the bytes.

What is served was sent by somebody, so a browser must neither guess its type nor run it: `nosniff`, a sandbox, and for
all but pictures, sound and video a download. No cookie is set or read.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from offhook.core.errors import Forbidden, Gone, NotFound
from offhook.telephony.media.signing import MediaSigner, served_type
from offhook.telephony.media.store import MediaStore

_RANGE: Final = re.compile(r"bytes=([0-9]{0,40})-([0-9]{0,40})", re.ASCII | re.IGNORECASE)
_SHOWN: Final = ("image/", "audio/", "video/")
_HEADERS: Final[Mapping[str, str]] = {
    "accept-ranges": "bytes",
    # It may be kept, but erased media must not live on in caches.
    "cache-control": "private, no-cache",
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


class MediaHosting:
    """Serves signed addresses."""

    def __init__(self, store: MediaStore, signer: MediaSigner) -> None:
        self._store = store
        self._signer = signer

    async def serve(self, request: Request) -> Response:
        """GET and HEAD. Raises Forbidden, Gone (the address is over), NotFound (erased), Unavailable."""
        media_id, name = self._admit(request)
        size = await self._store.find_size(media_id)
        if size is None:
            raise _erased()
        etag = f'"{media_id.hex}"'
        headers = {**_HEADERS, "etag": etag, "content-disposition": disposition(name)}
        if _names(request.headers.get("if-none-match", ""), etag):
            return Response(status_code=304, headers=headers)
        status, start, end = 200, 0, size
        asked = _asked_range(request, etag)
        if asked is not None:
            status = 206
            start, end = _bounds(*asked, size)
            if start >= end:
                return Response(status_code=416, headers={**headers, "content-range": f"bytes */{size}"})
            headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
        # Given with the headers: as its `media_type`, Starlette would add a charset to text, which nobody told us.
        headers |= {"content-length": str(end - start), "content-type": served_type(name)}
        if request.method == "HEAD" or start == end:
            return Response(status_code=status, headers=headers)
        chunks = await self._store.read(media_id, start, end)
        if chunks is None:
            raise _erased()
        return StreamingResponse(chunks, status, headers)

    def _admit(self, request: Request) -> tuple[uuid.UUID, str]:
        place: Mapping[str, str] = request.path_params
        try:
            media_id = uuid.UUID(place["media_id"])
        except ValueError:
            raise _forged() from None
        expires, signature, name = place["expires"], place["signature"], place["filename"]
        if str(media_id) != place["media_id"] or not self._signer.is_genuine(media_id, expires, signature, name):
            raise _forged()
        if self._signer.is_over(expires):
            raise Gone("This address was good for a time, which is over: ask for a new one.", code="medium_expired")
        return media_id, name


def disposition(name: str) -> str:
    """`Content-Disposition` for any name: ASCII for old readers, RFC 5987 for all others."""
    kind = "inline" if served_type(name).startswith(_SHOWN) else "attachment"
    plain = re.sub(r"[^A-Za-z0-9._ ()+,-]", "_", name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _asked_range(request: Request, etag: str) -> tuple[str, str] | None:
    """First and last byte as they were asked for, "" for what was left out. Only a single range of GET counts, and only
    of these very bytes (RFC 9110, 14.2): several ranges, and what is no range (`bytes=-`, `bytes=5-4`), are answered
    with everything."""
    found = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if found is None or request.method != "GET" or request.headers.get("if-range", etag).strip() != etag:
        return None
    first, last = found.groups()
    is_range = int(first) <= int(last) if first and last else first or last
    return (first, last) if is_range else None


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """Where to start and where to stop; nothing between them: the range lies outside."""
    if not first:
        return max(size - int(last), 0), size
    return int(first), min(int(last) + 1, size) if last else size


def _names(condition: str, etag: str) -> bool:
    """Whether an If-None-Match names the tag, weak or strong, or anything at all."""
    tags = [tag.strip().removeprefix("W/") for tag in condition.split(",")]
    return etag in tags or "*" in tags


def _forged() -> Forbidden:
    return Forbidden("This is no address that this Offhook gave.", code="bad_signature")


def _erased() -> NotFound:
    return NotFound("It has been erased.", code="medium_not_found")
