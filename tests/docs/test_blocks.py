from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from fixtures.documents import DOCS, Block, blocks
from fixtures.sources import ROOT

PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])
ALL = [(page, block) for page in PAGES for block in blocks(page.read_text(encoding="utf-8"))]


def of(language: str) -> list[object]:
    return [
        pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}")
        for number, (page, block) in enumerate(ALL)
        if block.language == language
    ]


@pytest.mark.parametrize("block", of("python"))
def test_a_python_block_is_python(block: Block) -> None:
    tree = compile(block.text, "<block>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST)
    assert tree.body


@pytest.mark.parametrize("block", of("json"))
def test_a_json_block_is_json(block: Block) -> None:
    assert isinstance(json.loads(block.text), dict)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_says_its_language(page: Path) -> None:
    assert [block for block in blocks(page.read_text(encoding="utf-8")) if not block.language] == []


def test_the_index_leads_to_every_document() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    missing = [
        str(page.relative_to(DOCS))
        for page in PAGES
        if page.is_relative_to(DOCS) and page.name != "index.md" and f"]({page.relative_to(DOCS)})" not in index
    ]
    assert missing == []
