from __future__ import annotations

from fixtures.documents import code_spans, document, rows, section
from offhook.emulator import control
from offhook.emulator.faults import KINDS
from offhook.emulator.settings import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN
from offhook.emulator.twilio import rest
from offhook.emulator.twilio.errors import LOGGED, TABLE
from offhook.emulator.twilio.resources import account_uri
from offhook.emulator.twilio.submission import MAGIC_RECIPIENT_ERRORS, MAGIC_SENDER_ERRORS

PAGE = document("reference/emulator.md")


def told(heading: str) -> list[list[str]]:
    return rows(section(PAGE, heading))


def test_the_rest_routes_are_those_of_the_emulator() -> None:
    base = account_uri("{account_sid}")
    assert section(PAGE, "## REST routes").strip().startswith(f"Under `{base}`")
    served = [(route.method, route.path.removeprefix(base)) for route in rest.routes()]
    assert [(row[0], code_spans(row[1])[0]) for row in told("## REST routes")] == served


def test_the_names_that_faults_use_are_told_with_their_routes() -> None:
    assert {code_spans(row[2])[0] for row in told("## REST routes")} == {*rest.route_names()}


def test_the_control_routes_are_those_of_the_emulator() -> None:
    served = [(route.method, route.path.removeprefix("/_emulator/")) for route in control.routes()]
    assert [(row[0], code_spans(row[1])[0]) for row in told("## Control API")] == served


def test_the_error_table_is_the_emulators() -> None:
    answered = [row for row in told("## Errors") if len(row) == 3]
    assert {int(row[0]): int(row[1]) for row in answered} == {code: status for code, (status, _) in TABLE.items()}


def test_the_error_log_is_the_emulators() -> None:
    assert [int(row[0]) for row in told("### The error log")] == list(LOGGED)


def test_every_kind_of_fault_is_told() -> None:
    assert [code_spans(row[0])[0] for row in told("## Faults")] == list(KINDS)


def test_the_account_is_told() -> None:
    assert {DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN} <= set(code_spans(section(PAGE, "## Account")))


def test_every_magic_number_is_told_with_its_code() -> None:
    text = " ".join(section(PAGE, "## Errors").split())
    for number, code in (*MAGIC_SENDER_ERRORS.items(), *MAGIC_RECIPIENT_ERRORS.items()):
        assert f"`{number}` gives {code}" in text or f"`{number}` {code}" in text
