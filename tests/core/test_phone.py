"""Phone numbers as people write them, and as logs may show them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.core.phone import REASONS, InvalidPhoneNumber, PhoneNumber, mask, parse_e164


@pytest.mark.parametrize(
    "text",
    [
        "+12025550123",
        "+1 (202) 555-0123",
        " +1.202.555.0123 ",
        "0012025550123",
        "00 1 202 555 0123",
        "\uff0b\uff11\uff12\uff10\uff12\uff15\uff15\uff15\uff10\uff11\uff12\uff13",
        "+1 202\u2011555\u20110123",
        "\u202a+12025550123\u202c",
        "+1\u00a0202\u00a0555\u00a00123",
        "+\u0661\u0662\u0660\u0662\u0665\u0665\u0665\u0660\u0661\u0662\u0663",
    ],
)
def test_typed_and_pasted_forms_are_read(text: str) -> None:
    assert parse_e164(text) == PhoneNumber("+12025550123", 1)


@pytest.mark.parametrize(("text", "region"), [("(202) 555-0123", "US"), ("2025550123", "CA"), ("1 202 555 0123", "US")])
def test_a_number_without_country_code_is_read_in_its_region(text: str, region: str) -> None:
    assert parse_e164(text, region).e164 == "+12025550123"


def test_a_national_prefix_is_dropped_and_a_leading_zero_that_belongs_is_kept() -> None:
    assert parse_e164("030 123456", "DE").e164 == "+4930123456"
    assert parse_e164("+39 06 1234 5678").e164 == "+390612345678"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("1-800-FLOWERS", "letters"),
        ("plus one two oh two", "letters"),
        ("+1 202 555 0123 x4", "letters"),
        ("+1 202 555 0123;ext=4", "letters"),
        ("2025550123", "no_country_code"),
        ("911", "no_country_code"),
        ("++12025550123", "characters"),
        ("+1202555+0123", "characters"),
        ("*67 12025550123", "characters"),
        ("+", "characters"),
        ("+12025550123\0", "characters"),
        ("+1202\ud8005550123", "characters"),
        ("+9991234567", "country_code"),
        ("+1911", "too_short"),
        ("+1202555012345", "too_long"),
        ("+1" * 60, "too_long_text"),
        ("{{caller_phone_number}}", "letters"),
    ],
)
def test_everything_else_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidPhoneNumber) as caught:
        parse_e164(text)
    assert caught.value.reason == reason
    assert caught.value.message == REASONS[reason]


def test_an_unknown_region_is_no_crash() -> None:
    with pytest.raises(InvalidPhoneNumber):
        parse_e164("2025550123", "XX")


@given(text=st.text(st.sampled_from("+0123456789 ()-.x") | st.characters(exclude_categories=()), max_size=20))
def test_any_text_is_read_or_refused_and_reading_again_gives_the_same(text: str) -> None:
    try:
        number = parse_e164(text, "US")
    except InvalidPhoneNumber as error:
        refused = error
    else:
        assert parse_e164(number.e164) == number
        return
    assert refused.reason in REASONS


def test_a_number_does_not_show_itself() -> None:
    number = parse_e164("+12025550123")
    assert "5550123" not in f"{number} {number!r} {[number]}"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+12025550123", "+1202•••0123"),
        ("12025550123", "1202•••0123"),
        ("+4915112345678", "+4915•••5678"),
        ("+29012345", "+29•••45"),
        ("12345", "•••"),
        ("", "•••"),
    ],
)
def test_a_masked_number_hides_at_least_three_digits(number: str, shown: str) -> None:
    assert mask(number) == shown


@given(digits=st.from_regex(r"\+[1-9][0-9]{1,14}", fullmatch=True))
def test_masking_hides_three_digits_of_any_number(digits: str) -> None:
    kept = sum(char.isdigit() for char in mask(digits))
    assert kept <= max(len(digits) - 1 - 3, 0)
