"""The pages about consent: the reference is compared with the code, the guide is run as it is written."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from fixtures.deployment import Deployment, make_workshop
from fixtures.documents import blocks, code_spans, document, rows, section
from offhook.organizations.schemas import TextingSetting
from offhook.telephony.consent import gate
from offhook.telephony.consent.language import Kind
from offhook.telephony.consent.languages import languages
from offhook.telephony.consent.opting import SUPPRESSED, TAKEN_BACK_BY_START, How, Reason
from offhook.telephony.consent.texting import check_texting, read_texting
from offhook.telephony.consent.words import read

PAGE = document("reference/consent.md")
GUIDE = document("how-to/stay-welcome.md")


def test_the_example_of_the_setting_is_the_default() -> None:
    (example,) = blocks(PAGE, "json", "texting")
    setting = json.loads(example.text)["settings"]["texting"]
    assert read_texting(check_texting(setting)) == read_texting(None)
    shown = TextingSetting.model_validate({}).model_dump(by_alias=True)
    assert setting == shown


def test_every_field_of_the_setting_is_told() -> None:
    told = [code_spans(row[0])[0] for row in rows(section(PAGE, "## The setting `texting`"))]
    assert told == list(TextingSetting.model_fields)


def test_every_reason_stands_in_the_order_of_its_strength() -> None:
    told = [
        (code_spans(row[0])[0], row[2].split(",")[0])
        for row in rows(section(PAGE, "## The suppression list"))
        if len(row) == 3
    ]
    assert told == [(reason, "yes" if reason in TAKEN_BACK_BY_START else "no") for reason in Reason]


def test_every_way_of_a_wish_is_told() -> None:
    assert [code_spans(row[0])[0] for row in rows(section(PAGE, "## The record"))] == list(How)


def test_every_keyword_is_told() -> None:
    told = {
        code_spans(row[0])[0]: tuple(code_spans(cell) for cell in row[1:]) for row in rows(section(PAGE, "## Keywords"))
    }
    assert told == {one.tag: (list(one.stop), list(one.start), list(one.help)) for one in languages()}


def test_what_is_understood_and_what_is_not_is_so() -> None:
    table = rows(section(PAGE, "## Words of one's own"))
    assert len(table) > 8
    for understood, left in table:
        wish = read(understood)
        assert wish is not None, understood
        assert (wish.kind, wish.how) == (Kind.STOP, How.FREE_FORM)
        assert read(left) is None, left


def test_the_codes_of_texts_that_the_gate_cancels_are_told() -> None:
    told = rows(section(document("reference/message-statuses.md"), "## Opt-outs"))
    assert [code_spans(row[0])[0] for row in told] == [SUPPRESSED, gate.NOWHERE.code]


async def test_the_guide_works_as_it_is_written(deployment: Deployment, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("the guide uses curl, and this machine has none")
    await make_workshop(deployment)
    script = "\necho\n".join(block.text for block in blocks(GUIDE, "sh") if block.name != "address")
    process = await asyncio.create_subprocess_exec(
        *("sh", "-eu", "-c", script),
        cwd=tmp_path,
        env={
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "OFFHOOK_URL": deployment.url,
            "OFFHOOK_API_KEY": deployment.key,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    written, _ = await asyncio.wait_for(process.communicate(), 60)
    said = written.decode().replace('": ', '":')
    assert process.returncode == 0, said
    assert f'"inbound_url":"{deployment.url}/webhooks/carriers/' in said
    assert '"code"' not in said, said  # no problem document among the answers
    assert '"from":"20:00"' in said
    assert '"to":"+12025550141"' in said
    assert '"kind":"opt_out","how":"operator"' in said


def test_the_hold_that_is_shown_is_the_one_that_the_gate_writes() -> None:
    (shown,) = blocks(GUIDE, "json", "hold")
    hold = json.loads(shown.text)
    assert set(hold) == {"reason", "sentence", "until"}
    example = Path(__file__).parents[1] / "telephony/consent/test_gate.py"
    assert hold["sentence"].split(". ")[0] in example.read_text(encoding="utf-8")
