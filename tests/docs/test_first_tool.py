"""README and the tutorial, followed word by word against a running product: only `make up` is the test's own."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest

from fixtures.documents import Block, blocks, document
from fixtures.product import Product, running_product
from fixtures.sources import ROOT

pytestmark = [pytest.mark.ci, pytest.mark.timeout(300)]

END_OF_STEP = "=-=-= end of step"
TUTORIAL = document("tutorials/first-tool.md")
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
async def product() -> AsyncGenerator[Product]:
    async with running_product() as running:
        yield running


def commands(text: str) -> list[Block]:
    return [block for block in blocks(text, "sh") if "make up" not in block.text]


async def follow(steps: Sequence[Block], folder: Path, home: Path) -> list[str]:
    """What each step writes, in one shell that stops at the first error."""
    script = "".join(f"{step.text}\necho '{END_OF_STEP}'\n" for step in steps)
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("OFFHOOK_", "OPENAI_", "GEMINI_"))
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = await asyncio.create_subprocess_exec(
        *("sh", "-eu", "-c", script),
        cwd=folder,
        env={**kept, "PATH": path, "OFFHOOK_HOME": str(home)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    written, _ = await asyncio.wait_for(process.communicate(), 180)
    assert process.returncode == 0, written.decode()
    return written.decode().split(END_OF_STEP)[:-1]


def pictured(text: str) -> list[tuple[int, list[str]]]:
    """Each picture of an output: which command it follows, and its lines."""
    found: list[tuple[int, list[str]]] = []
    step = -1
    for block in blocks(text):
        if block in commands(text):
            step += 1
        elif block.language == "text":
            found.append((step, block.text.splitlines()))
    return found


def is_shown(line: str, written: str) -> bool:
    """Whether the output has the line; times are not compared, and "…" stands for the rest of it."""
    lines = [_timeless(one) for one in written.splitlines()]
    wanted = _timeless(line)
    if wanted.endswith("…"):
        return any(one.startswith(wanted.removesuffix("…").rstrip()) for one in lines)
    return wanted in lines


def _timeless(line: str) -> str:
    return re.sub(r"\bin \d+ ms", "in N ms", line).rstrip()


async def test_the_tutorial_works_as_it_is_written(product: Product, tmp_path: Path) -> None:
    for program in blocks(TUTORIAL, "python"):
        (tmp_path / program.name).write_text(program.text)
    again = Block("sh", "", 'test "$(python flower_shop.py)" = "$agent"\npython anybody.py\n')
    written = await follow([*commands(TUTORIAL), again], tmp_path, product.home)
    for step, lines in pictured(TUTORIAL):
        assert [line for line in lines if not is_shown(line, written[step])] == [], written[step]
    at_the_end = next(index for index, step in enumerate(commands(TUTORIAL)) if "anybody.py" in step.text)
    assert "+12025550177 got a text from +12025550101" in written[at_the_end]


async def test_the_picture_in_readme_is_what_happens(product: Product) -> None:
    here = Path(sys.executable).parent
    steps = [Block(one.language, one.name, one.text.replace(".venv/bin", str(here))) for one in commands(README)]
    written = await follow(steps, ROOT, product.home)
    ((step, lines),) = pictured(README)
    assert [line for line in lines if not is_shown(line, written[step])] == [], written[step]
