from __future__ import annotations

import json
from pathlib import Path

from fixtures.documents import blocks, code_spans, document, rows, section
from fixtures.sources import PACKAGE
from offhook.telephony.alerts.models import AlertKind
from offhook.telephony.carrier import Treatment
from offhook.telephony.consent.destinations import check_destinations, read_policy

PAGE = document("reference/message-statuses.md")


def test_the_statuses_are_those_that_the_database_knows_in_their_order() -> None:
    sql = Path(PACKAGE / "migrations/0003_telephony.sql").read_text()
    body = sql[sql.index("create function message_status_rank") :]
    known = [word for word in body[: body.index("$$;")].split("'") if word.isalpha()]
    told = [code_spans(row[0])[0] for row in rows(section(PAGE, "## Statuses")) if len(row) == 3]
    assert told == known


def test_every_decision_is_explained() -> None:
    told = [row[0] for row in rows(section(PAGE, "## Decisions"))]
    assert told == [treatment.value for treatment in Treatment]


def test_the_example_of_destinations_is_the_default() -> None:
    (example,) = blocks(PAGE, "json", "destinations")
    setting = json.loads(example.text)["settings"]["destinations"]
    assert read_policy(check_destinations(setting)) == read_policy(None)


def test_every_hold_and_every_alert_is_explained() -> None:
    holds = {code_spans(row[0])[0] for row in rows(section(PAGE, "## Holds"))}
    sources = "".join(path.read_text() for path in (PACKAGE / "telephony").rglob("*.py"))
    assert {
        "quiet_hours",
        "time_zone_unknown",
        "recipient_cap",
        "daily_cap",
        "carrier",
        "sender_stopped",
        "account_stopped",
    } == holds
    assert all(f'"{hold}"' in sources or f"'{hold}'" in sources for hold in holds)
    told = [code_spans(row[0])[0] for row in rows(section(PAGE, "## Alerts and starts")) if len(row) == 3]
    assert told == [kind.value for kind in AlertKind]
