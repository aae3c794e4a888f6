"""The reference server: a bare ASGI application on uvicorn, uvloop and httptools with an asyncpg pool, nothing else.

`python -m benchmarks.bare module:function options`: the function takes the options and the pool (None where the options
name no `dsn`) and gives a handler, which takes the ASGI scope and the body and gives status and answer.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import uvicorn

Handler = Callable[[dict[str, Any], bytes], Awaitable[tuple[int, bytes]]]
Application = Callable[[dict[str, Any], Any], Handler]

CONNECTIONS = 10
"""As many as each door of Offhook's has."""


def _asgi(application: Application, options: dict[str, Any]) -> Any:
    handler: Handler | None = None
    pool: Any = None

    async def lifespan(receive: Any, send: Any) -> None:
        nonlocal handler, pool
        await receive()
        driver: Any = asyncpg
        if "dsn" in options:
            pool = await driver.create_pool(
                options["dsn"],
                min_size=CONNECTIONS,
                max_size=CONNECTIONS,
                server_settings={"role": "offhook_app", "search_path": "offhook"},
            )
        handler = application(options, pool)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if pool is not None:
            await pool.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        if scope["path"] == "/health":
            status, answer = 200, b""
        else:
            message = await receive()
            body: bytes = message["body"]
            while message.get("more_body"):
                message = await receive()
                body += message["body"]
            assert handler is not None
            status, answer = await handler(scope, body)
        headers = [] if status == 204 else [(b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return app


def run(application: str, options: dict[str, Any]) -> None:
    """Serve until told to stop."""
    module, _, name = application.partition(":")
    uvicorn.run(
        _asgi(getattr(importlib.import_module(module), name), options),
        host="127.0.0.1",
        port=int(os.environ["OFFHOOK_PORT"]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    run(sys.argv[1], json.loads(sys.argv[2]))
