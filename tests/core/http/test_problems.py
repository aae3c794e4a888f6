from __future__ import annotations

import json

import pytest

from offhook.core.errors import InvalidInput, TooLarge
from offhook.core.http.problems import problem_response, title_of


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (404, "Not Found"),
        (413, "Content Too Large"),
        (414, "URI Too Long"),
        (416, "Range Not Satisfiable"),
        (422, "Unprocessable Content"),
    ],
)
def test_a_title_is_the_phrase_of_rfc_9110_on_every_python(status: int, title: str) -> None:
    assert title_of(status) == title


@pytest.mark.parametrize(
    ("error", "title"), [(InvalidInput("No."), "Unprocessable Content"), (TooLarge("Much."), "Content Too Large")]
)
def test_an_answer_has_that_title(error: InvalidInput | TooLarge, title: str) -> None:
    assert json.loads(bytes(problem_response(error, "").body))["title"] == title
