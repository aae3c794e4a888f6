"""Logs end to end: what is written to the stream, from our loggers and from libraries."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from offhook.core import telemetry
from offhook.core.telemetry import configure, get_logger, log_context

NUMBER = "+12025550123"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What was written; the process's logging is as before when the test ends."""
    root = logging.getLogger()
    level = root.level
    libraries = {name: logging.getLogger(name).level for name in telemetry.QUIET_LIBRARIES}
    written = io.StringIO()
    configure("debug", json=True, stream=written)
    yield written
    telemetry.unconfigure()
    root.setLevel(level)
    for name, before in libraries.items():
        logging.getLogger(name).setLevel(before)
    structlog.contextvars.clear_contextvars()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_json_line_with_time_level_and_logger(stream: io.StringIO) -> None:
    get_logger("offhook.telephony").info("text_sent", message_id="m1", duration_ms=12.5)
    (line,) = lines(stream)
    assert line["timestamp"].endswith("Z")
    del line["timestamp"]
    assert line == {
        "event": "text_sent",
        "level": "info",
        "logger_name": "offhook.telephony",
        "message_id": "m1",
        "duration_ms": 12.5,
    }


def test_the_keys_of_our_standard_loggers_are_on_the_line_and_a_librarys_are_not(stream: io.StringIO) -> None:
    logging.getLogger("offhook.runtime").warning("not closed", extra={"code": "unavailable", "pii_body": "hello"})
    logging.getLogger("library").warning("sent", extra={"code": "what anybody wrote"})
    ours, theirs = lines(stream)
    assert (ours["event"], ours["code"], ours["logger_name"]) == ("not closed", "unavailable", "offhook.runtime")
    assert "pii_body" not in ours
    assert "code" not in theirs


def test_context_is_on_every_line_inside_it(stream: io.StringIO) -> None:
    with log_context(organization_id="o1"):
        get_logger("a").info("inside")
        logging.getLogger("library").warning("too")
    get_logger("a").info("outside")
    assert [line.get("organization_id") for line in lines(stream)] == ["o1", "o1", None]


def test_numbers_secrets_and_bodies_do_not_come_out(stream: io.StringIO) -> None:
    get_logger("a").warning(f"to {NUMBER}", body="hello\nthere", auth_token="hunter2", pii_name="Ada", note=NUMBER)
    assert all(part not in stream.getvalue() for part in ("5550123", "hello", "hunter2", "Ada"))
    assert len(stream.getvalue().splitlines()) == 1


def test_a_traceback_has_no_locals_and_a_masked_message(stream: io.StringIO) -> None:
    password_local = "hunter2"
    try:
        raise ValueError(f"cannot reach {NUMBER}: {len(password_local)}")
    except ValueError:
        get_logger("a").exception("failed")
        logging.getLogger("library").exception("failed too")
    written = stream.getvalue()
    assert [("Traceback" in line["exception"], "ValueError" in line["exception"]) for line in lines(stream)] == [
        (True, True),
        (True, True),
    ]
    assert "+1202•••0123" in written
    assert "5550123" not in written
    assert "hunter2" not in written


@pytest.mark.parametrize("name", ["uvicorn.error", "aiohttp.client", "pgqueuer", "asyncpg", "some.library"])
def test_libraries_go_through_the_same_redaction(stream: io.StringIO, name: str) -> None:
    logging.getLogger(name).warning("sending %s to %s", "Bearer hunter2hunter2", NUMBER, extra={"arguments": "secret"})
    (line,) = lines(stream)
    assert line["event"] == "sending Bearer [redacted] to +1202•••0123"
    assert line["logger_name"] == name
    assert "arguments" not in line


def test_libraries_are_quieter_than_we_are(stream: io.StringIO) -> None:
    logging.getLogger("uvicorn.access").info("GET /x")
    logging.getLogger("pgqueuer").debug("payload")
    logging.getLogger("asyncpg").info("query")
    get_logger("ours").debug("kept")
    assert [line["event"] for line in lines(stream)] == ["kept"]


def test_what_is_below_the_level_is_not_written(stream: io.StringIO) -> None:
    configure("warning", json=True, stream=stream)
    get_logger("a").info("quiet")
    get_logger("a").warning("loud")
    logging.getLogger("library").info("quiet")
    assert [line["event"] for line in lines(stream)] == ["loud"]


def test_configuring_again_does_not_double_lines(stream: io.StringIO) -> None:
    configure("info", json=True, stream=stream)
    get_logger("a").info("once")
    assert len(lines(stream)) == 1


def test_on_a_terminal_lines_are_for_people_and_just_as_redacted(stream: io.StringIO) -> None:
    configure("info", json=False, stream=stream)
    try:
        raise ValueError(f"cannot reach {NUMBER}")
    except ValueError:
        get_logger("a").exception("failed", body="hello", to=NUMBER)
    written = stream.getvalue()
    assert "failed" in written
    assert "Traceback" in written
    assert "5550123" not in written
    assert "hello" not in written


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="loud"):
        configure("loud")


def test_an_event_that_json_cannot_encode_is_written_all_the_same(stream: io.StringIO) -> None:
    get_logger("a").info("odd", thing=object(), broken="\ud800\0", key={1: {2, 3}})
    (line,) = lines(stream)
    assert line["event"] == "odd"
