"""No argument, output, message body, secret or full phone number reaches a log or a span.

The rule can be checked because every line is an event with keys: each key is classified here, or carries a
`pii` segment (`pii_body`), which the log's processor drops. An event is a literal, so nothing is formatted
into it; and a call takes no `**keys`, which nobody could classify.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from fixtures.sources import modules

# Keys that can only hold what everybody with access to the logs may see. Ids are ours or the vendor's
# opaque ones; `*_code` and `*_type` are words of a fixed vocabulary, never a sentence with a value in it.
CLASSIFIED = {
    # who and what
    "account_id", "agent_id", "agent_name", "carrier", "carrier_account_id", "carrier_message_id", "conversation_id",
    "event_id", "function", "job_id", "key_id", "lane", "message_id", "organization_id", "participant_kind",
    "phone_number_id", "release_id", "request_id", "room_name", "room_sid", "tool_call_id", "tool_id", "tool_type",
    # what happened
    "attempt", "attempts", "code", "count", "channel", "effect", "error_code", "error_type", "event_type",
    "expected", "found", "method", "outcome", "reason_code", "retry", "route", "segments", "signal",
    "state", "status", "status_code", "step", "tries", "where",
    # how much, how long, when
    "body_bytes", "delay_seconds", "duration_ms", "elapsed_ms", "next_at", "size_bytes", "timeout_seconds",
    "wait_seconds",
    # processes and machines
    "address", "child", "database", "exit_code", "host", "pid", "port", "process", "role", "version",
}  # fmt: skip

# Names that would hold exactly what must not be logged; they can never be classified as harmless.
NEVER = {
    "answer", "api_key", "args", "argument", "arguments", "auth", "authorization", "body", "called", "caller",
    "content", "email", "error", "exc_info", "from_number", "headers", "key", "message", "number", "output",
    "password", "payload", "phone", "phone_number", "prompt", "recipient", "recipients", "result", "say",
    "secret", "text", "to", "to_number", "token", "transcript", "url", "value",
}  # fmt: skip

LEVELS = {a + level for a in ("", "a") for level in ("debug", "info", "warning", "error", "exception", "critical")}
CONTEXTS = {"bind_contextvars", "bound_contextvars", "log_context"}
BINDERS = {"bind", "new"} | CONTEXTS
LOGGERS = {"log", "_log", "logger", "_logger"}


@dataclass(frozen=True)
class Line:
    """One call that writes to a log or a span: its keys, and what is wrong with its form ("" if nothing is)."""

    number: int
    keys: tuple[str, ...]
    fault: str = ""


def _logger_call(call: ast.Call) -> str:
    """The method's name if the call is made on a logger, else ""."""
    match call.func:
        case ast.Attribute(value=ast.Name(id=name) | ast.Attribute(attr=name), attr=method) if name in LOGGERS:
            return method
        case ast.Attribute(value=ast.Call() as inner, attr=method) if _logger_call(inner) in BINDERS:
            return method
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in CONTEXTS:
            return name
        case _:
            return ""


def _log_line(call: ast.Call, method: str) -> Line:
    fault = ""
    if method in {"exception", "aexception"}:
        fault = "it prints the exception's words, which may quote what was sent: log error_type and where"
    elif any(keyword.arg is None for keyword in call.keywords):
        fault = "takes **keys that nobody can classify"
    elif method in LEVELS and not (len(call.args) == 1 and isinstance(call.args[0], ast.Constant)):
        fault = "its event must be one literal; values go into keys"
    return Line(call.lineno, tuple(_keys(call)), fault)


def _keys(call: ast.Call) -> Iterator[str]:
    """The keyword names; for the standard library's `extra={…}`, used beside LiveKit, the keys of the literal."""
    for keyword in call.keywords:
        if keyword.arg == "extra" and isinstance(keyword.value, ast.Dict):
            yield from (str(getattr(key, "value", "**")) for key in keyword.value.keys)
        elif keyword.arg:
            yield keyword.arg


def _span_line(call: ast.Call) -> Line:
    match call.args:
        case [ast.Constant(value=str(key)), _]:
            return Line(call.lineno, (key,))
        case _:
            return Line(call.lineno, (), "its key must be a literal")


def lines(tree: ast.AST) -> Iterator[Line]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        method = _logger_call(node)
        if method in LEVELS | BINDERS:
            yield _log_line(node, method)
        elif isinstance(node.func, ast.Attribute) and node.func.attr == "set_attribute":
            yield _span_line(node)


def faults(tree: ast.AST) -> list[str]:
    """What is wrong with the log lines of a tree, each with its line number."""
    found: list[str] = []
    for line in lines(tree):
        if line.fault:
            found.append(f"{line.number}: {line.fault}")
        for key in line.keys:
            segments = key.replace(".", "_").split("_")
            if "pii" not in segments and key not in CLASSIFIED:
                found.append(f"{line.number}: {key!r} is not classified")
    return found


def test_every_key_of_a_log_line_is_classified() -> None:
    found = [f"{module.place}:{fault}" for module in modules() for fault in faults(module.tree)]
    assert not found, f"classify the key in this file, or give it a pii segment: {found}"


def test_no_name_that_holds_private_data_is_classified_as_harmless() -> None:
    assert not CLASSIFIED & NEVER


@pytest.mark.parametrize(
    "source",
    [
        "log.info('sent', body=body)",
        "self._log.warning('sent', to=number)",
        "log.info(f'sent to {number}')",
        "log.info('sent to %s', number)",
        "log.info('sent', **fields)",
        "log.info('sent', extra={'body': body})",
        "log.info('sent', extra=fields)",
        "log.info('sent', extra={**fields})",
        "log.exception('failed')",
        "log.error('failed', exc_info=True)",
        "log.bind(caller=number).info('sent')",
        "log_context(caller=number)",
        "structlog.contextvars.bind_contextvars(phone=number)",
        "span.set_attribute('message.body', body)",
    ],
)
def test_a_line_that_could_leak_is_recognised(source: str) -> None:
    assert faults(ast.parse(source))


@pytest.mark.parametrize(
    "source",
    [
        "log.info('sent', message_id=id, duration_ms=3)",
        "log.debug('sent', extra={'code': 1, 'pii_body': body})",
        "math.log(3)",
    ],
)
def test_a_line_with_classified_or_marked_keys_passes(source: str) -> None:
    assert not faults(ast.parse(source))
