from __future__ import annotations

import json

from fixtures.documents import blocks, code_spans, document, rows, section
from offhook.core.declarations import ALWAYS_THERE
from offhook.core.variable_filters import FILTERS
from offhook.core.variables import Template
from offhook.organizations.variables import check_variables, read_declarations

PAGE = document("reference/variables.md")


def test_the_variables_that_are_always_there_are_told_as_they_are() -> None:
    told = [(code_spans(row[0])[0], row[1], row[2]) for row in rows(section(PAGE, "## Always there"))]
    assert told == [(one.name, one.meaning, one.provenance.name.lower()) for one in ALWAYS_THERE]


def test_every_filter_is_told_in_a_form_that_parses() -> None:
    told = [code_spans(row[0])[0] for row in rows(section(PAGE, "## Filters"))]
    assert [one.partition(":")[0] for one in told] == list(FILTERS)
    assert all(Template.parse(f"{{{{ x | {one} }}}}").names == ("x",) for one in told)


def test_the_declared_variable_of_the_example_can_be_declared() -> None:
    (example,) = blocks(section(PAGE, "## Declaring your own"), "json")
    declared = read_declarations(check_variables([json.loads(example.text)]))
    assert "booking_link" in declared
