"""The pages on media: the reference compared with the code, the guide run as it is written."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

import aiohttp
import pytest

from fixtures.api import ApiClient
from fixtures.deployment import NUMBER, Deployment, make_workshop
from fixtures.documents import blocks, code_spans, document, rows, section
from fixtures.media import png
from offhook.core.egress import MAX_REDIRECTS, PORTS
from offhook.telephony.media.content_types import EXTENSIONS, SNIFFED_BYTES
from offhook.telephony.media.endpoints import hot_routes, router
from offhook.telephony.media.fetching import MAX_INBOUND_BYTES
from offhook.telephony.media.foreign import MAX_BYTES, REMEMBERED_SECONDS, TIMEOUT_SECONDS
from offhook.telephony.media.library import MAX_UPLOAD_BYTES, UNUSED_DAYS
from offhook.telephony.media.signing import CARRIER_SECONDS, SHOWN_SECONDS

PAGE = document("reference/media.md")
GUIDE = document("how-to/send-pictures.md")


def test_every_type_is_told_with_its_extension() -> None:
    told = {code_spans(row[0])[0]: code_spans(row[1])[0] for row in rows(section(PAGE, "## What is taken"))}
    assert told == EXTENSIONS


def test_every_endpoint_is_told() -> None:
    told = {code_spans(row[0])[0].partition("?")[0] for row in rows(section(PAGE, "## Endpoints"))}
    of_router = {
        f"{method} {getattr(route, 'path', '')}" for route in router.routes for method in getattr(route, "methods", ())
    }
    assert told == of_router | {f"{route.method} {route.path}" for route in hot_routes}


def test_numbers_are_those_of_the_code() -> None:
    flat = " ".join(PAGE.split())
    for told in (
        f"at most {MAX_UPLOAD_BYTES:,} bytes",
        f"good for {CARRIER_SECONDS / 3600:.0f} hours",
        f"first {SNIFFED_BYTES} bytes",
        f"at most {TIMEOUT_SECONDS:.0f} seconds",
        f"more than {MAX_BYTES:,}.",
        f"up to {MAX_INBOUND_BYTES // 1024**2} MiB",
        f"| an upload that no text has carried | {UNUSED_DAYS} days |",
    ):
        assert told in flat
    assert (3600, 300, 3, {80, 443}) == (SHOWN_SECONDS, REMEMBERED_SECONDS, MAX_REDIRECTS, PORTS)


async def test_the_guide_works_as_it_is_written(deployment: Deployment, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("the guide uses curl, and this machine has none")
    await make_workshop(deployment)
    (tmp_path / "menu.png").write_bytes(png())
    script = "\n".join(block.text for block in blocks(GUIDE, "sh"))
    process = await asyncio.create_subprocess_exec(
        *("sh", "-eu", "-c", script),
        cwd=tmp_path,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "OFFHOOK_URL": deployment.url,
            "OFFHOOK_API_KEY": deployment.key,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    written, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, written.decode()
    assert NUMBER in written.decode()
    async with aiohttp.ClientSession() as session:
        api = ApiClient(session, deployment.url).with_key(deployment.key)
        [message] = (await api.get("/api/messages")).json["messages"]
        assert [medium["content_type"] for medium in message["media"]] == ["image/png"]
        for path in re.findall(r"`(?:GET|POST) (/api/\S+?)`", GUIDE):
            named = path.format(media_id=message["media"][0]["media_id"], id=message["id"])
            answer = await api.send("OPTIONS", named)
            assert answer.status == 405, f"{path} is no address of the API's"
