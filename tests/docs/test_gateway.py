from __future__ import annotations

import json

import pytest
from pydantic import BaseModel

from fixtures.documents import blocks, code_spans, document, rows, section
from offhook.conversations.schemas import (
    CloseConversation,
    MakeToolCall,
    OpenConversation,
    OpenedConversation,
    ToolCallEnvelope,
)

PAGE = document("reference/gateway.md")
EXAMPLES: dict[str, type[BaseModel]] = {
    "request": OpenConversation,
    "opened": OpenedConversation,
    "tool-call": MakeToolCall,
    "tool-called": ToolCallEnvelope,
    "close": CloseConversation,
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_what_the_gateway_takes_or_gives(name: str) -> None:
    (example,) = blocks(PAGE, "json", name)
    document = json.loads(example.text)
    assert EXAMPLES[name].model_validate(document).model_dump(mode="json", exclude_unset=True) == document


@pytest.mark.parametrize(
    ("heading", "model"), [("## Open a conversation", OpenConversation), ("## Execute a function", MakeToolCall)]
)
def test_every_field_of_a_request_is_explained(heading: str, model: type[BaseModel]) -> None:
    told = {name for row in rows(section(PAGE, heading)) for name in code_spans(row[0])}
    assert set(model.model_fields) <= told
