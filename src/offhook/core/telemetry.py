"""Logs: one line per event on stderr, JSON for machines or colours for a terminal, redacted either way.

Our own loggers and the standard library's (uvicorn, aiohttp, asyncpg, PgQueuer, asyncio) end in one handler, so
nothing is written that redaction has not seen. Tracebacks carry no local variables.
"""

from __future__ import annotations

import json as json_module
import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, TextIO, cast

import structlog
from structlog.contextvars import bound_contextvars as log_context
from structlog.typing import FilteringBoundLogger, Processor

from offhook.core.redaction import redact_event

__all__ = ["configure", "get_logger", "log_context", "unconfigure"]

QUIET_LIBRARIES: Final[Mapping[str, int]] = {
    "uvicorn": logging.INFO,
    "uvicorn.error": logging.INFO,
    "uvicorn.access": logging.WARNING,
    "aiohttp": logging.INFO,
    "aiohttp.access": logging.WARNING,
    "asyncio": logging.INFO,
    "asyncpg": logging.WARNING,
    "pgqueuer": logging.INFO,
    "livekit": logging.INFO,
}
"""The least level of libraries, whatever ours is: below it they print payloads, or a line per request."""


def configure(level: str = "info", json: bool | None = None, *, stream: TextIO | None = None) -> None:
    """Send all logs of this process to `stream` (stderr), from `level` ("debug" … "critical") up.

    `json`: one JSON object per line; by default where the stream is no terminal. Called again, it replaces
    what was configured before. uvicorn must be run with `log_config=None`. Raises ValueError for an unknown level.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f'"{level[:20]}" is not a log level; use debug, info, warning, error or critical')
    target = stream if stream is not None else sys.stderr
    as_json = json if json is not None else not target.isatty()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(_formatter(shared, as_json))
    _replace_root_handler(handler, number)


_installed: logging.Handler | None = None


def unconfigure() -> None:
    """Take back `configure`: nothing of ours listens any more."""
    global _installed
    if _installed is not None:
        logging.getLogger().removeHandler(_installed)
        _installed = None
    structlog.reset_defaults()


def _replace_root_handler(handler: logging.Handler, level: int) -> None:
    global _installed
    root = logging.getLogger()
    if _installed is not None:
        root.removeHandler(_installed)
    root.addHandler(handler)
    root.setLevel(level)
    _installed = handler
    for name, least in QUIET_LIBRARIES.items():
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(max(level, least))


def _formatter(shared: list[Processor], as_json: bool) -> logging.Formatter:
    renderer: Processor = (
        structlog.processors.JSONRenderer(serializer=_to_json)
        if as_json
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _redact,
            renderer,
        ],
    )


def _redact(logger: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return redact_event(event)


def _to_json(event: object, **_: object) -> str:
    return json_module.dumps(event, ensure_ascii=False, default=str)


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger for `__name__`: `log.info("text_sent", message_id=…, duration_ms=…)`; the event is a fixed phrase."""
    return cast("FilteringBoundLogger", structlog.get_logger(name))
