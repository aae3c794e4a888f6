"""The page on the emulator's Telnyx face, held to its code; and the guide, run as it is written."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import aiohttp
import pytest

from fixtures.documents import blocks, code_spans, document, names_of_tests, rows, section
from fixtures.emulators import EmulatorProcess
from offhook.emulator.settings import DEFAULT_TELNYX_API_KEY, DEFAULT_TELNYX_NUMBERS
from offhook.emulator.telnyx import rest
from offhook.emulator.telnyx.errors import TABLE

PAGE = document("reference/emulator-telnyx.md")
GUIDE = document("how-to/test-telnyx-code.md")
WRITTEN = "http://127.0.0.1:4010"


def conformance() -> list[list[str]]:
    return rows(section(PAGE, "## Conformance"))


def test_every_route_is_in_the_table_and_no_other() -> None:
    told = {span for row in conformance() for span in code_spans(row[0])}
    assert told == {f"{route.method} {route.path}" for route in rest.routes()}


def test_every_line_names_a_source_that_is_explained_and_a_test_that_there_is() -> None:
    marks = {row[0] for row in rows(section(PAGE, "## Sources"))}
    there = names_of_tests("tests/emulator/telnyx")
    for route, parameter, behaviour, source, tested in conformance():
        used = set(re.findall(r"\[[a-z-]+\]", source))
        assert used, (route, parameter, behaviour)
        assert used <= marks, source
        assert set(code_spans(tested)) <= there, tested
        assert code_spans(tested), (route, behaviour)


def test_the_error_table_is_the_faces() -> None:
    assert {row[0]: int(row[1]) for row in rows(section(PAGE, "## Errors"))} == {
        code: status for code, (status, _, _) in TABLE.items()
    }


def test_the_names_that_faults_use_are_told() -> None:
    told = {span for span in code_spans(section(PAGE, "## Faults")) if re.fullmatch(r"telnyx\.[a-z_.]+", span)}
    assert told == {*rest.route_names()}


def test_the_account_is_told() -> None:
    told = code_spans(section(PAGE, "## Account"))
    assert {DEFAULT_TELNYX_API_KEY, DEFAULT_TELNYX_NUMBERS[0], DEFAULT_TELNYX_NUMBERS[-1]} <= set(told)


@pytest.fixture
async def emulator(tmp_path: Path) -> AsyncGenerator[str]:
    process = EmulatorProcess(tmp_path / "emulator")
    yield await process.start()
    await process.end()


async def test_the_guide_works_as_it_is_written(emulator: str, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("the guide uses curl, and this machine has none")
    steps = [block.text.replace(WRITTEN, emulator) for block in blocks(GUIDE, "sh") if block.name != "background"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = await asyncio.create_subprocess_exec(
        *("sh", "-eu", "-c", "\n".join(f"{step}\necho" for step in steps)),
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        stdout=asyncio.subprocess.PIPE,
    )
    written, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, written.decode()
    text = written.decode()
    assert '"status": "queued"' in text
    assert '"code": "40300"' in text
    async with aiohttp.ClientSession() as http, http.get(f"{emulator}/_emulator/messages") as answer:
        bodies = [message["body"] for message in (await answer.json())["messages"]]
    assert bodies.count("Your bicycle is ready.") == bodies.count("Your order is on its way.") == 1


async def test_every_fault_of_the_guide_is_taken(emulator: str) -> None:
    faults = [json.loads(span) for row in rows(GUIDE) for span in code_spans(row) if span.startswith("{")]
    assert len(faults) > 3
    async with aiohttp.ClientSession() as http:
        for fault in faults:
            async with http.post(f"{emulator}/_emulator/faults", json=fault) as answer:
                assert answer.status == 201, fault
