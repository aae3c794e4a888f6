"""The page on the emulator's conformance, held to its code and its tests."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fixtures.documents import code_spans, document, names_of_tests, rows, section
from offhook.emulator.faults import KINDS
from offhook.emulator.lifecycle import EXPIRED_CODE
from offhook.emulator.media import MediaRules
from offhook.emulator.twilio import rest
from offhook.emulator.twilio.errors import LOGGED, TABLE
from offhook.emulator.twilio.keywords import HELP_WORDS, START_WORDS, STOP_WORDS
from offhook.emulator.twilio.resources import account_uri
from offhook.emulator.twilio.submission import QUEUE_FULL_CODE

PAGE = document("reference/emulator-conformance.md")
SOURCED = ("## Messages", "## Webhooks", "## What a webhook answers", "## Opting out")


def lines() -> Iterator[list[str]]:
    for heading in SOURCED:
        yield from rows(section(PAGE, heading))


def test_every_rest_route_is_in_the_table_and_no_other() -> None:
    base = account_uri("{account_sid}")
    told = {span for row in rows(section(PAGE, "## Messages")) for span in code_spans(row[0])}
    assert told == {f"{route.method} {route.path.removeprefix(base)}" for route in rest.routes()}


def test_every_line_names_a_source_that_is_explained() -> None:
    marks = {row[0] for row in rows(section(PAGE, "## Sources"))}
    for line in lines():
        assert len(line) == 5, line
        used = set(re.findall(r"\[[a-z0-9]+\]", line[3]))
        assert used, line
        assert used <= marks, line


def test_every_line_names_a_test_that_there_is() -> None:
    there = names_of_tests("tests/emulator")
    tested = [line[-1] for line in (*lines(), *rows(section(PAGE, "## Faults and the clock")))]
    for cell in tested:
        assert code_spans(cell), cell
        assert set(code_spans(cell)) <= there, set(code_spans(cell)) - there


def test_every_code_is_told() -> None:
    rules = MediaRules()
    ended = {rules.unreachable_code, rules.type_code, rules.size_code, QUEUE_FULL_CODE, EXPIRED_CODE}
    told = {int(code) for line in lines() for code in re.findall(r"\b\d{5}\b", " ".join(line[:3]))}
    assert {*TABLE, *LOGGED, *ended} - told == set()


def test_every_kind_of_fault_is_told_with_its_tests() -> None:
    kinds = [row[0].strip("`") for row in rows(section(PAGE, "## Faults and the clock"))]
    assert kinds[: len(KINDS)] == list(KINDS)


def test_every_word_of_an_opt_out_is_told() -> None:
    told = {span for row in rows(section(PAGE, "## Opting out")) for span in code_spans(row[0])}
    assert told == STOP_WORDS | START_WORDS | HELP_WORDS
