from __future__ import annotations

import json
from pathlib import Path

from fixtures.documents import blocks, code_spans, document, rows, section
from fixtures.sources import PACKAGE
from offhook.telephony.carrier import Treatment
from offhook.telephony.carriers.twilio.errors import ERRORS
from offhook.telephony.carriers.twilio.events import STATUSES
from offhook.telephony.consent.destinations import check_destinations, read_policy

PAGE = document("reference/message-statuses.md")


def test_the_statuses_are_those_that_the_database_knows_in_their_order() -> None:
    sql = Path(PACKAGE / "migrations/0003_telephony.sql").read_text()
    body = sql[sql.index("create function message_status_rank") :]
    known = [word for word in body[: body.index("$$;")].split("'") if word.isalpha()]
    told = [code_spans(row[0])[0] for row in rows(section(PAGE, "## Statuses")) if len(row) == 3]
    assert told == known


def test_twilios_statuses_map_as_told() -> None:
    told = {code_spans(row[0])[0]: code_spans(row[1])[0] for row in rows(PAGE) if len(row) == 2 and row[1][:1] == "`"}
    assert told == dict(STATUSES)


def test_twilios_error_table_is_the_adapters() -> None:
    told = {row[0]: (row[1], row[2]) for row in rows(section(PAGE, "## Decisions")) if row[0].isdecimal()}
    assert told == {code: (treatment.value, sentence) for code, (treatment, sentence) in ERRORS.items()}


def test_every_decision_is_explained() -> None:
    told = [row[0] for row in rows(section(PAGE, "## Decisions")) if not row[0].isdecimal()]
    assert told == [treatment.value for treatment in Treatment]


def test_the_example_of_destinations_is_the_default() -> None:
    (example,) = blocks(PAGE, "json", "destinations")
    setting = json.loads(example.text)["settings"]["destinations"]
    assert read_policy(check_destinations(setting)) == read_policy(None)
