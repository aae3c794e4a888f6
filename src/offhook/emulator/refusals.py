"""What the web server itself refuses, in the shape of what the request was meant for."""

from __future__ import annotations

import ipaddress
import json
import logging
from collections.abc import Sequence

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from offhook.emulator.face import Face
from offhook.emulator.tasks import reason_of

_log = logging.getLogger("offhook.emulator")

CONTROL_PATH = "/_emulator"
ANY_HOST = frozenset({"0.0.0.0", "::"})  # noqa: S104 (compared with, not bound to)


def shaped_refusals(faces: Sequence[Face], host: str) -> Middleware:
    """No such route, a body too large, a disk that is full, a host that is not ours: told as the face of the path tells
    errors, or as the control API does. The first face answers for paths that are nobody's.

    `host` is where the emulator listens.
    """

    @web.middleware
    async def shaped(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_own_host(request.host, host):
            return _refusal(faces, request, 403, "the Host of the request is not the emulator's")
        try:
            return await handler(request)
        except web.HTTPMethodNotAllowed as refused:
            allowed = ", ".join(sorted(refused.allowed_methods))
            response = _refusal(faces, request, 405, f"{request.method} is not taken here, but {allowed}")
            response.headers["Allow"] = allowed
            return response
        except web.HTTPException as refused:
            return _refusal(faces, request, refused.status, f"{refused.reason}: {request.path}")
        except ConnectionError:
            raise
        except OSError as error:
            _log.error("the disk does not take what was asked for", extra={"error_type": reason_of(error)})
            return _refusal(faces, request, 500, f"the disk does not take it: {reason_of(error)}")

    return shaped


def is_own_host(given: str, host: str) -> bool:
    """Whether a request with this Host may come in: loopback, any IP address, or where the emulator listens.

    A page of another origin can point a name of its own at loopback (DNS rebinding), but not an address. An emulator
    that listens everywhere was put on a network, where it may have any name.
    """
    name = given.rpartition(":")[0] if given.rpartition(":")[2].isdecimal() else given
    name = name.strip("[]").lower()
    if host in ANY_HOST or name in {"", "localhost", host.lower()} or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _refusal(faces: Sequence[Face], request: web.Request, status: int, sentence: str) -> web.Response:
    if request.path == CONTROL_PATH or request.path.startswith(f"{CONTROL_PATH}/"):
        return web.Response(status=status, text=json.dumps({"error": sentence}), content_type="application/json")
    face = next((face for face in faces if face.owns_path(request.path)), faces[0])
    return face.refusal(status)
