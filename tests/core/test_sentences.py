from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, AwareDatetime, Field, TypeAdapter, ValidationError, ValidationInfo
from pydantic_core import PydanticCustomError

from offhook.core.http import Form, Text
from offhook.core.sentences import SENTENCES, sentence


class Bicycle(Form):
    kind: Literal["bicycle"]


class Tandem(Form):
    kind: Literal["tandem"]


def refuse(value: str, info: ValidationInfo) -> str:
    raise ValueError("Give exactly one of roomName and to")


def refuse_in_words(value: str) -> str:
    raise PydanticCustomError("reserved_name", "This variable is always there and cannot be declared")


EITHER = Annotated[Bicycle | Tandem, Field(discriminator="kind")]

CASES: list[tuple[Any, Any, str]] = [
    (Annotated[Text, Field(max_length=50)], "x" * 51, "At most 50 characters; this has 51."),
    (Annotated[str, Field(max_length=1600)], "x" * 1601, "At most 1,600 characters; this has 1,601."),
    (Annotated[Text, Field(min_length=2)], "x", "At least 2 characters; this has 1."),
    (Annotated[str, Field(min_length=1)], "", "At least 1 character; this has 0."),
    (Annotated[list[int], Field(min_length=1)], [], "At least 1 entry; this has 0."),
    (Annotated[list[int], Field(max_length=2)], [1, 2, 3], "At most 2 entries; this has 3."),
    (Annotated[str, Field(pattern="^[a-z]+$")], "7", "Must be of the form ^[a-z]+$."),
    (Bicycle, {}, "Must be given."),
    (Bicycle, {"kind": "bicycle", "bell": 1}, "There is no such field."),
    (Bicycle, "x", "Must be a JSON object."),
    (dict[str, Any], [], "Must be a JSON object."),
    (str, 5, "Must be a text."),
    (int, "x", "Must be a whole number."),
    (int, 1.5, "Must be a whole number."),
    (float, "x", "Must be a number."),
    (Annotated[float, Field(allow_inf_nan=False)], float("inf"), "Must be a number."),
    (Annotated[int, Field(ge=0)], -1, "Must be at least 0."),
    (Annotated[float, Field(gt=0)], 0, "Must be more than 0.0."),
    (Annotated[int, Field(le=100)], 101, "Must be at most 100."),
    (Annotated[int, Field(lt=100)], 100, "Must be less than 100."),
    (Annotated[int, Field(multiple_of=5)], 7, "Must be a multiple of 5."),
    (bool, "maybe", "Must be true or false."),
    (list[int], {}, "Must be a list."),
    (Literal["admin", "worker", "read"], "root", "Must be 'admin', 'worker' or 'read'."),
    (EITHER, {"kind": "s3cret"}, "Its 'kind' must be one of 'bicycle', 'tandem'."),
    (EITHER, {}, "Must name its kind in 'kind'."),
    (uuid.UUID, "s3cret", "Must be a UUID."),
    (datetime, "s3cret", "Must be a date and a time with its offset, such as 2026-11-21T10:05:00Z."),
    (AwareDatetime, "2026-01-01T00:00:00", "Must be a date and a time with its offset, such as 2026-11-21T10:05:00Z."),
    (None, 5, "Must be null."),
    (Annotated[str, AfterValidator(refuse)], "x", "Give exactly one of roomName and to."),
    (Annotated[str, AfterValidator(refuse_in_words)], "x", "This variable is always there and cannot be declared."),
]


def problem_of(kind: Any, value: Any) -> Any:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value)
    return caught.value.errors()[0]


@pytest.mark.parametrize(("kind", "value", "said"), CASES, ids=lambda case: case if isinstance(case, str) else "")
def test_what_is_wrong_with_a_field_is_said_in_a_sentence(kind: Any, value: Any, said: str) -> None:
    assert sentence(problem_of(kind, value)) == said


def test_a_length_is_said_without_the_value_too() -> None:
    problem = problem_of(Annotated[str, Field(max_length=2)], "abc")
    del problem["input"]
    assert sentence(problem) == "At most 2 characters."


@pytest.mark.parametrize("kind", SENTENCES)
def test_every_sentence_ends_as_one_and_a_context_that_lacks_a_name_breaks_nothing(kind: str) -> None:
    said = sentence({"type": kind, "msg": "Input should be another", "loc": (), "ctx": {}})
    assert said.endswith(".")
    assert "{" not in said
