"""`/api/media`, and the addresses that carriers fetch from."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from offhook.core.errors import BadRequest, FieldProblem, InvalidInput
from offhook.core.http import HotRoute, Paged, inline_schema, provided
from offhook.core.text import is_clean
from offhook.organizations.auth import AdminCaller, AuthenticatedRoute, ReadCaller, Scope, authenticate
from offhook.telephony.media.hosting import MediaHosting
from offhook.telephony.media.library import MAX_UPLOAD_BYTES, MediaLibrary
from offhook.telephony.media.media import Media
from offhook.telephony.media.models import Medium
from offhook.telephony.media.schemas import MediaList, MediumEnvelope, MediumOut, medium_out

MAX_FILENAME: Final = 200

router = APIRouter(prefix="/api", route_class=AuthenticatedRoute)

Library = Annotated[MediaLibrary, Depends(provided(MediaLibrary))]
MediaOf = Annotated[Media, Depends(provided(Media))]


@router.get("/media", tags=["media"])
async def list_media(caller: ReadCaller, page: Paged, library: Library, media: MediaOf) -> MediaList:
    """What the organization uploaded and what people texted it, newest first."""
    found, cursor = await library.list(caller.organization_id, page)
    return MediaList(media=[_view(media, row) for row in found], next_cursor=cursor)


@router.get("/media/{media_id}", tags=["media"])
async def read_medium(media_id: uuid.UUID, caller: ReadCaller, library: Library, media: MediaOf) -> MediumEnvelope:
    return MediumEnvelope(medium=_view(media, await library.get(caller.organization_id, media_id)))


@router.delete("/media/{media_id}", status_code=204, tags=["media"])
async def erase_medium(media_id: uuid.UUID, caller: AdminCaller, library: Library) -> None:
    """Erase its bytes and its name; not while a text that carries it is on its way."""
    await library.erase(caller.organization_id, media_id)


_find_library = provided(MediaLibrary)
_find_media = provided(Media)
_find_hosting = provided(MediaHosting)


async def upload_medium(request: Request) -> Response:
    """The body as it is, a piece at a time."""
    caller = (await authenticate(request, Scope.WORKER)).of_organization()
    medium = await _find_library(request).keep(
        caller.organization_id,
        _body(request),
        declared=request.headers.get("content-type"),
        filename=_filename(request.query_params.get("filename")),
    )
    view = MediumEnvelope(medium=_view(_find_media(request), medium))
    return Response(view.model_dump_json(), status_code=201, media_type="application/json")


async def serve_medium(request: Request) -> Response:
    return await _find_hosting(request).serve(request)


def _view(media: Media, medium: Medium) -> MediumOut:
    return medium_out(medium, media.shown_at(medium))


async def _body(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            if chunk:
                yield chunk
    except ClientDisconnect:
        raise BadRequest("The connection ended before the body did.", code="incomplete_body") from None


def _filename(given: str | None) -> str | None:
    if given is None or not given.strip():
        return None
    if len(given) > MAX_FILENAME or not is_clean(given):
        message = f"Must be a name of at most {MAX_FILENAME} characters that can be stored."
        raise InvalidInput(message, fields=[FieldProblem("filename", message)])
    return given.strip()


_MEDIUM: Final = inline_schema(MediumEnvelope)
_BINARY: Final = {"type": "string", "format": "binary"}

hot_routes: Final = (
    HotRoute(
        method="POST",
        path="/api/media",
        endpoint=upload_medium,
        operation_id="upload_medium",
        max_body_bytes=MAX_UPLOAD_BYTES,
        operation={
            "summary": "Upload Medium",
            "description": "Keep a file that texts can carry. Its type is what its bytes are; a `Content-Type` that "
            "says another is refused.",
            "tags": ["media"],
            "parameters": [
                {"name": "filename", "in": "query", "schema": {"type": "string", "maxLength": MAX_FILENAME}}
            ],
            "requestBody": {"required": True, "content": {"*/*": {"schema": _BINARY}}},
            "responses": {"201": {"description": "Kept.", "content": {"application/json": {"schema": _MEDIUM}}}},
        },
    ),
    HotRoute(
        method="GET",
        path="/media/{media_id}/{expires}/{signature}/{filename}",
        endpoint=serve_medium,
        operation_id="serve_medium",
        authenticated=False,
        operation={
            "summary": "Serve Medium",
            "description": "For carriers and browsers: the address is signed and good for a time.",
            "tags": ["media"],
            "parameters": [
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                for name in ("media_id", "expires", "signature", "filename")
            ],
            "responses": {
                "200": {"description": "The bytes.", "content": {"*/*": {"schema": _BINARY}}},
                "206": {"description": "The range that was asked for.", "content": {"*/*": {"schema": _BINARY}}},
                "304": {"description": "As it was."},
                "416": {"description": "No such range."},
            },
        },
    ),
)
