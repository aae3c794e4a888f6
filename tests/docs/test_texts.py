"""The pages on sending texts: the reference compared with the code, the guide run as it is written."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fixtures.api import ApiClient
from fixtures.deployment import Deployment, make_workshop
from fixtures.documents import blocks, code_spans, document, rows, section
from offhook.core.http.idempotency import LOCK_SECONDS, MAX_KEY_CHARACTERS, WAIT_SECONDS
from offhook.core.texts.markdown import MAX_SIGNS
from offhook.core.texts.splitting import MAX_CHARACTERS, MAX_PARTS
from offhook.telephony.messages.endpoints import hot_routes, router
from offhook.telephony.messages.intake import MAX_OPERATION_ID, MAX_VALIDITY_SECONDS
from offhook.telephony.messages.schemas import NEW_MESSAGE_SCHEMA
from offhook.telephony.messages.wishes import FIELDS, MAX_MEDIA, PRIORITIES

PAGE = document("reference/messages.md")
FLAT = " ".join(PAGE.split())
GUIDE = document("how-to/send-texts.md")


def test_every_endpoint_is_told() -> None:
    told = {code_spans(row[0])[0] for row in rows(section(PAGE, "## Endpoints"))}
    of_router = {
        f"{method} {getattr(route, 'path', '')}" for route in router.routes for method in getattr(route, "methods", ())
    }
    hot = {f"{route.method} {route.path}" for route in hot_routes if route.path.startswith("/api/")}
    assert told == of_router | hot


def test_every_field_is_told_read_and_in_the_document() -> None:
    told = {code_spans(row[0])[0] for row in rows(section(PAGE, "## Fields of a new text"))}
    assert told == FIELDS == set(NEW_MESSAGE_SCHEMA["properties"])


def test_numbers_and_words_are_those_of_the_code() -> None:
    for told in (
        f"| {MAX_CHARACTERS} | ours |",
        f"| {MAX_PARTS} | ours |",
        f"up to {MAX_MEDIA} of",
        f"1 to {MAX_VALIDITY_SECONDS}:",
        f"at most {MAX_OPERATION_ID} characters",
        f"more than {MAX_SIGNS} of them",
        f"1 to {MAX_KEY_CHARACTERS} visible ASCII",
        f"waits up to {WAIT_SECONDS:.0f} s",
        f"free again after {LOCK_SECONDS:.0f} s",
        "`conversation`, `normal` or `campaign`",
    ):
        assert told in FLAT
    assert list(PRIORITIES) == ["conversation", "normal", "campaign"]


async def test_the_guide_works_as_it_is_written(deployment: Deployment, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("the guide uses curl, and this machine has none")
    await make_workshop(deployment)
    process = await asyncio.create_subprocess_exec(
        *("sh", "-eu", "-c", "\n".join(block.text for block in blocks(GUIDE, "sh"))),
        cwd=tmp_path,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "OFFHOOK_URL": deployment.url,
            "OFFHOOK_API_KEY": deployment.key,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    written, complaints = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, complaints.decode()
    plain, told, parts, first, again = _documents(written.decode())
    assert plain["message"]["status"] == "queued"
    assert (told["estimate"]["segments"], told["estimate"]["forced_by"]) == (2, ["’", "–"])
    assert (len(parts["messages"]), parts["wording"]["markdown_stripped"]) == (1, True)
    assert first == again
    async with aiohttp.ClientSession() as session:
        api = ApiClient(session, deployment.url).with_key(deployment.key)
        messages = (await api.get("/api/messages")).json["messages"]
        assert len(messages) == 3
        assert (
            messages[1]["body"].splitlines()[-1]
            == "- 2 brake pads, see the receipt (https://spokeandchain.example/r/7)"
        )
        for path in re.findall(r"`(?:GET|POST) (/api/\S+?)`", GUIDE):
            answer = await api.send("OPTIONS", path.format(id=messages[0]["id"]))
            assert answer.status == 405, f"{path} is no address of the API's"


async def test_the_guides_example_takes_one_segment_with_smart_encoding(deployment: Deployment) -> None:
    await make_workshop(deployment)
    body = re.search(r"\{\"to\".*It’s ready.*\}", GUIDE)
    assert body is not None
    async with aiohttp.ClientSession() as session:
        api = ApiClient(session, deployment.url).with_key(deployment.key)
        answer = await api.post("/api/messages/estimate", {**json.loads(body[0]), "smart_encoding": True})
    assert (answer.json["estimate"]["segments"], answer.json["estimate"]["replaced"]) == (1, {"’": "'", "–": "-"})


def _documents(written: str) -> list[Any]:
    """The JSON documents in it, one after the other."""
    decoder, found = json.JSONDecoder(), list[Any]()
    while written := written.lstrip():
        value, end = decoder.raw_decode(written)
        found.append(value)
        written = written[end:]
    return found
