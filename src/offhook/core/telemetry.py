"""Logs: one line per event on stderr, JSON for machines or colours for a terminal, redacted either way.

Our own loggers write directly (a tool call is a line, and the standard library's road costs ten times as much); what
libraries log (uvicorn, aiohttp, asyncpg, PgQueuer, asyncio) passes the same redaction on its way to the same stream.
Tracebacks carry no local variables.
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
    stamp: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    finish: list[Processor] = [structlog.processors.format_exc_info, _redact, _renderer(as_json)]
    structlog.configure(
        processors=[*stamp, *finish],
        logger_factory=structlog.WriteLoggerFactory(target),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_add_library_name, _add_our_keys, *stamp],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finish],
        )
    )
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


def _renderer(as_json: bool) -> Processor:
    if as_json:
        return _to_json
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)


def _add_library_name(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["logger_name"] = event["_record"].name
    return event


_extra_keys = structlog.stdlib.ExtraAdder()


def _add_our_keys(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The `extra` of what we log beside LiveKit, in its job processes too; a library's own may hold anything."""
    ours = event["logger_name"].partition(".")[0] == "offhook"
    return _extra_keys(logger, method, event) if ours else event


def _redact(logger: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return redact_event(event)


def _to_json(logger: Any, method: str, event: Mapping[str, Any]) -> str:
    return json_module.dumps(event, ensure_ascii=False)


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger for `__name__`: `log.info("text_sent", message_id=…, duration_ms=…)`; the event is a fixed phrase."""
    return cast("FilteringBoundLogger", structlog.get_logger(logger_name=name))
