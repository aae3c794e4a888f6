"""Which number the TWILIO_* variables name."""

from __future__ import annotations

import pytest

from offhook.apps.environment_sender import environment_addresses, sender_number
from offhook.core.errors import ConfigurationError


@pytest.mark.parametrize(
    ("environment", "number"),
    [
        ({}, None),
        ({"TWILIO_PHONE_NUMBER": "+1 202 555 0100"}, "+12025550100"),
        ({"SHOP_TWILIO_PHONE_NUMBER": "+12025550101"}, "+12025550101"),
        ({"TWILIO_PHONE_NUMBER": "+12025550100", "SHOP_TWILIO_PHONE_NUMBER": "+12025550101"}, "+12025550100"),
        ({"TWILIO_PHONE_NUMBER": "", "SHOP_TWILIO_PHONE_NUMBER": "+12025550101"}, "+12025550101"),
    ],
)
def test_the_plain_variable_comes_first_then_the_only_one_with_the_suffix(
    environment: dict[str, str], number: str | None
) -> None:
    assert sender_number(environment) == number


def test_two_with_the_suffix_are_an_error_that_names_both() -> None:
    with pytest.raises(ConfigurationError, match="A_TWILIO_PHONE_NUMBER and B_TWILIO_PHONE_NUMBER"):
        sender_number({"B_TWILIO_PHONE_NUMBER": "+12025550101", "A_TWILIO_PHONE_NUMBER": "+12025550100"})


def test_what_is_no_number_is_an_error_that_names_the_variable() -> None:
    with pytest.raises(ConfigurationError, match="TWILIO_PHONE_NUMBER is no phone number"):
        sender_number({"TWILIO_PHONE_NUMBER": "call me"})


def test_whoever_sets_the_environments_base_url_allows_it() -> None:
    assert environment_addresses({"TWILIO_BASE_URL": "http://127.0.0.1:4010"}) == {("127.0.0.1", 4010)}
    assert environment_addresses({}) == frozenset()
