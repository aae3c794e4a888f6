"""What is wrong with a request for a text: each thing once, under the field that it is in."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from offhook.core.errors import InvalidInput
from offhook.telephony.messages.wishes import read_wish

TO = "+12025550140"


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"to": TO, "body": "x", "media": [5]}, ["media.0"]),
        ({"to": TO, "media": [{"media_id": "x"}]}, ["media.0.media_id"]),
        ({"to": TO, "media": "x"}, ["media"]),
        ({"to": TO, "media": []}, ["body"]),
        ({"to": 5, "media": [{"url": 5}]}, ["media.0", "to"]),
        ({}, ["body", "to"]),
        ({"to": TO, "body": "x", "colour": "red"}, ["colour"]),
    ],
)
def test_each_thing_that_is_wrong_is_named_once(body: dict[str, Any], paths: list[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_wish(uuid.uuid4(), body)
    assert sorted(problem.path for problem in refused.value.fields) == paths
