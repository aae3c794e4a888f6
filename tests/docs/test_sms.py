from __future__ import annotations

import json

import pytest

from fixtures.documents import Block, blocks, code_spans, document, rows, section
from offhook.core.declarations import Declarations
from offhook.core.segments import PART_UNITS, SINGLE_UNITS
from offhook.tools.compile import compile_form
from offhook.tools.registry import registry
from offhook.tools.types.sms import Config

PAGE = document("reference/tool-types/sms.md")
TYPE = registry().get("sms")


@pytest.mark.parametrize("example", blocks(PAGE, "json", "form"))
def test_an_example_is_a_form_that_can_be_saved(example: Block) -> None:
    posted = json.loads(example.text)
    form = registry().config_union().validate_python(posted)
    compiled = compile_form(form, "Text the booking link", TYPE.policy)
    assert compiled.config_metadata == posted
    assert Declarations().problems(posted) == []


def test_the_model_sees_what_the_page_says() -> None:
    form = registry().config_union().validate_json(blocks(PAGE, "json", "form")[0].text)
    (seen,) = blocks(PAGE, "json", "function-schema")
    assert compile_form(form, "Text the booking link", TYPE.policy).function_schema == json.loads(seen.text)


def test_every_field_of_the_form_is_explained() -> None:
    fields = {info.alias or name for name, info in Config.model_fields.items()} - {"type"}
    assert {code_spans(row[0])[0] for row in rows(section(PAGE, "## The form")) if row[0][:1] == "`"} >= fields


def test_segments_are_told_as_they_are_counted() -> None:
    told = [(int(row[1]), int(row[2])) for row in rows(section(PAGE, "## Before saving"))]
    assert told == [(SINGLE_UNITS[encoding], PART_UNITS[encoding]) for encoding in SINGLE_UNITS]
